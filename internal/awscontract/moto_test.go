package awscontract

import (
	"encoding/xml"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// startMoto starts a moto_server of our own on a free port of loopback, and ends
// that very process when the test is over. why says why there is none; empty:
// there is one.
func startMoto(t *testing.T) (url, why string) {
	if thinned {
		return "", "moto takes seconds to start: without the race detector only"
	}
	path, err := exec.LookPath("moto_server")
	if err != nil {
		return "", "moto_server isn't on the PATH"
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, "--host", "127.0.0.1", "--port", fmt.Sprint(port))
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	var end error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		end = cmd.Wait()
	}()
	t.Cleanup(func() {
		// It may have ended by itself; then there is nothing to kill.
		_ = cmd.Process.Kill()
		<-ended
	})
	url = fmt.Sprintf("http://127.0.0.1:%d", port)
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for late := time.After(time.Minute); ; {
		select {
		case <-ended:
			return "", fmt.Sprintf("moto_server ended as soon as it was started: %v", end)
		case <-late:
			return "", "moto_server didn't answer within a minute"
		case <-look.C:
			if answersAt(t, url+"/moto-api/data.json") {
				return url, ""
			}
		}
	}
}

func answersAt(t *testing.T, url string) bool {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	defer got.Body.Close()
	return got.StatusCode == http.StatusOK
}

// network is where load balancers can be put. The embedded AWS takes any; moto has
// one, but tells of it by EC2's API only, which the product never asks.
func (b *backend) network(t *testing.T) (vpc string, subnets []string) {
	t.Helper()
	if b.cloud != nil {
		return "vpc-1", []string{"subnet-a", "subnet-c"}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url, strings.NewReader("Action=DescribeSubnets&Version=2016-11-15"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/"+region+"/ec2/aws4_request, SignedHeaders=host, Signature=0")
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	var answer struct {
		IDs  []string `xml:"subnetSet>item>subnetId"`
		VPCs []string `xml:"subnetSet>item>vpcId"`
	}
	if err := xml.NewDecoder(got.Body).Decode(&answer); err != nil || len(answer.IDs) < 2 || len(answer.VPCs) < 2 {
		t.Fatalf("moto tells of the subnets %q: %v", answer.IDs, err)
	}
	return answer.VPCs[0], answer.IDs[:2]
}
