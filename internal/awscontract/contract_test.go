package awscontract

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	sdkroute53 "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	sandbox "github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

// contract is one thing that the adapters rely on.
type contract struct {
	name string
	// holds tries it with the SDK.
	holds func(t *testing.T, b *backend)
	// notOnMoto says why moto is left out; empty: moto keeps it, too.
	notOnMoto string
	// byCLI sets the scene and gives the AWS CLI's calls; nil: the SDK's say all.
	byCLI func(t *testing.T, b *backend) []cliCall
}

func contracts() []contract {
	return slices.Concat(swapContracts(), zoneContracts(), ruleContracts(), targetContracts(), accountContracts(), adapterContracts(), metricContracts())
}

// backend is an AWS that contracts are tried at.
type backend struct {
	config  sdk.Config
	url     string
	cloud   *sandbox.Cloud // nil: it isn't the embedded one
	unique  string         // a word that no other contract uses for its names
	route53 *sdkroute53.Client
	elb     *elbv2.Client
	sts     *sts.Client
	eks     *eks.Client
}

func newBackend(url, unique string, cloud *sandbox.Cloud) *backend {
	b := &backend{config: config(nil, url), url: url, cloud: cloud, unique: unique}
	b.config.HTTPClient = nil // the SDK's own
	return b.as(b.config)
}

// as is the same AWS, asked with other credentials.
func (b backend) as(c sdk.Config) *backend {
	b.config = c
	b.route53, b.elb, b.sts, b.eks = sdkroute53.NewFromConfig(c), elbv2.NewFromConfig(c), sts.NewFromConfig(c), eks.NewFromConfig(c)
	return &b
}

// embedded is the embedded AWS on a real port.
func embedded(t *testing.T, unique string) *backend {
	cloud := sandbox.New(sandbox.Options{Propagation: 50 * time.Millisecond})
	server := httptest.NewServer(cloud)
	t.Cleanup(server.Close)
	return newBackend(server.URL, unique, cloud)
}

// codeOf is the wire code of a refusal, or "" for success.
func codeOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	refused, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		t.Fatalf("error %v is no answer of the API", err)
	}
	return refused.ErrorCode()
}

// refused stops the test unless the answer is the refusal.
func refused(t *testing.T, what string, err error, code string) {
	t.Helper()
	if got := codeOf(t, err); got != code {
		t.Errorf("%s: the answer is %q, want %q (%v)", what, got, code, err)
	}
}

// accepted stops the test at a refusal.
func accepted(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// kept counts where contracts were kept.
type kept struct {
	mu    sync.Mutex
	where map[string]int
}

func (k *kept) note(t *testing.T, where string) {
	if !t.Failed() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.where[where]++
	}
}

func TestContractWithAWS(t *testing.T) {
	t.Parallel()
	count := &kept{where: map[string]int{}}
	moto, noMoto := startMoto(t)
	noCLI := whyNoCLI()
	var left []string
	for _, c := range contracts() {
		if c.notOnMoto != "" {
			left = append(left, fmt.Sprintf("%s (%s)", c.name, c.notOnMoto))
		}
	}
	t.Run("contracts", func(t *testing.T) {
		for nr, c := range contracts() {
			t.Run(c.name, func(t *testing.T) { c.try(t, count, fmt.Sprintf("c%d", nr), moto, firstOf(c.notOnMoto, noMoto), noCLI) })
		}
	})
	tell(t, "%d contracts: %d on the embedded AWS, %d on moto, %d by the AWS CLI; left out on moto: %s%s",
		len(contracts()), count.where["embedded"], count.where["moto"], count.where["cli"], strings.Join(left, "; "), besides(noMoto)+besides(noCLI))
}

// try tries one contract everywhere; noMoto and noCLI say why not there.
func (c contract) try(t *testing.T, count *kept, unique, moto, noMoto, noCLI string) {
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		c.holds(t, embedded(t, unique))
		count.note(t, "embedded")
	})
	t.Run("moto", func(t *testing.T) {
		if noMoto != "" {
			t.Skip("moto is left out: " + noMoto)
		}
		t.Parallel()
		c.holds(t, newBackend(moto, unique, nil))
		count.note(t, "moto")
	})
	if c.byCLI == nil {
		return
	}
	t.Run("AWS CLI", func(t *testing.T) {
		if noCLI != "" {
			t.Skip(noCLI)
		}
		t.Parallel()
		b := embedded(t, unique)
		runCLI(t, b, c.byCLI(t, b))
		count.note(t, "cli")
	})
}

func firstOf(all ...string) string {
	for _, one := range all {
		if one != "" {
			return one
		}
	}
	return ""
}

func besides(why string) string {
	if why == "" {
		return ""
	}
	return "; " + why
}

// whyNoCLI says why the AWS CLI isn't tried; empty: it is.
func whyNoCLI() string {
	if thinned {
		return "the AWS CLI takes about a second a call: without the race detector only"
	}
	if _, err := exec.LookPath("aws"); err != nil {
		return "the AWS CLI isn't on the PATH"
	}
	return ""
}

// cliCall is one call by the AWS CLI.
type cliCall struct {
	name string
	args []string
	says string // in what it prints
	code string // of the refusal; empty: it is accepted
}

// runCLI makes the calls one after the other, with made-up credentials.
func runCLI(t *testing.T, b *backend, calls []cliCall) {
	t.Helper()
	for _, c := range calls {
		cmd := exec.CommandContext(t.Context(), "aws", append([]string{"--endpoint-url", b.url, "--region", region, "--output", "json"}, c.args...)...)
		cmd.Env = append(slices.DeleteFunc(os.Environ(), func(setting string) bool { return strings.HasPrefix(setting, "AWS_") }),
			"AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=secret", "AWS_MAX_ATTEMPTS=1", "AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true",
			"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1",
			"HOME="+filepath.Join(t.TempDir()))
		out, err := cmd.CombinedOutput()
		switch {
		case (err != nil) != (c.code != ""):
			t.Fatalf("%s: error %v:\n%s", c.name, err, out)
		case c.code != "" && !strings.Contains(string(out), "("+c.code+")"):
			t.Errorf("%s: the refusal isn't %s:\n%s", c.name, c.code, out)
		case !strings.Contains(string(out), c.says):
			t.Errorf("%s: it lacks %q:\n%s", c.name, c.says, out)
		}
	}
}
