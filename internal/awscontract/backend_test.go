package awscontract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	sandbox "github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

// backend is one AWS that the adapters' demands are asked of.
type backend struct {
	name    string
	vpc     string
	subnets []string
	route53 *route53.Client
	elb     *elbv2.Client
	sts     *sts.Client
	eks     *eks.Client
}

func newBackend(name, url string) *backend {
	config := sdk.Config{
		Region: region, BaseEndpoint: &url, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
	}
	return &backend{
		name: name, route53: route53.NewFromConfig(config), elb: elbv2.NewFromConfig(config),
		sts: sts.NewFromConfig(config), eks: eks.NewFromConfig(config),
	}
}

func embedded(t *testing.T) *backend {
	t.Helper()
	cloud := sandbox.New(sandbox.Options{})
	if err := cloud.AddRole(contractRole); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(cloud)
	t.Cleanup(server.Close)
	b := newBackend("the embedded AWS", server.URL)
	b.vpc, b.subnets = "vpc-0123456789abcdef0", []string{"subnet-0123456789abcdef0", "subnet-0123456789abcdef1"}
	return b
}

// moto starts moto_server on a free port; nil where it isn't on the PATH. It is
// stopped by its own process.
func moto(t *testing.T) *backend {
	t.Helper()
	path, err := exec.LookPath("moto_server")
	if err != nil {
		return nil
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	host, port, err := net.SplitHostPort(address)
	if err = errors.Join(err, l.Close()); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-H", host, "-p", port)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // it was killed
	})
	if err := ready(t.Context(), "http://"+address+"/moto-api/"); err != nil {
		t.Fatalf("starting moto_server: %v", err)
	}
	b := newBackend("moto", "http://"+address)
	b.vpc = motoNetwork(t, "http://"+address, "DescribeVpcs", "vpcId")[0]
	b.subnets = motoNetwork(t, "http://"+address, "DescribeSubnets", "subnetId")[:2]
	return b
}

// motoNetwork asks for the ids of moto's default network, where load balancers
// must stand. One call isn't worth the SDK's EC2 client.
func motoNetwork(t *testing.T, url, action, id string) []string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/?Action="+action+"&Version=2016-11-15", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/"+region+"/ec2/aws4_request, SignedHeaders=host, Signature=0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, found := range regexp.MustCompile("<"+id+">([^<]+)<").FindAllStringSubmatch(string(body), -1) {
		ids = append(ids, found[1])
	}
	if len(ids) == 0 || action == "DescribeSubnets" && len(ids) < 2 {
		t.Fatalf("moto has no default network: %s", body)
	}
	return ids
}

// ready waits until a server answers; there is nothing to subscribe to.
func ready(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, errors.New("it didn't answer within 30 s"))
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			return response.Body.Close()
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// refused wants an error of AWS with the code.
func refused(err error, code string) error {
	if err == nil {
		return fmt.Errorf("it was accepted, want %s", code)
	}
	if api, ok := errors.AsType[smithy.APIError](err); !ok || api.ErrorCode() != code {
		return fmt.Errorf("got %w, want %s", err, code)
	}
	return nil
}
