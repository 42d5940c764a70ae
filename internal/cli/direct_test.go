package cli

import (
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	cloud "github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

// zone is a hosted zone of an AWS that speaks the real protocol, and a
// configuration that names it. There is no management cluster.
type zone struct {
	*testing.T
	cloud  *cloud.Cloud
	client *route53.Client
	id     string
}

func newZone(t *testing.T) *zone {
	t.Helper()
	alone(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	z := &zone{T: t, cloud: cloud.New(cloud.Options{})}
	server := httptest.NewServer(z.cloud)
	t.Cleanup(server.Close)
	z.client = route53.New(route53.Options{
		Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider("test", "test", "")),
	})
	made, err := z.client.CreateHostedZone(t.Context(), &route53.CreateHostedZoneInput{Name: new("example.com"), CallerReference: new("cli")})
	if err != nil {
		t.Fatal(err)
	}
	z.id = strings.TrimPrefix(*made.HostedZone.Id, "/hostedzone/")
	document := "aws: {region: eu-west-1, endpointURL: \"" + server.URL + "\"}\n" +
		strings.Replace(validConfig, "hostedZoneID: Z123", "hostedZoneID: "+z.id, 1)
	blog := strings.NewReplacer("name: shop", "name: blog", "shop.example.com", "blog.example.com").Replace(document[strings.Index(document, "  - name: shop"):])
	write(t, "clusterswitch.yaml", document+blog)
	return z
}

// put gives green a weight of a pair's record.
func (z *zone) put(pair string, green int64) {
	z.Helper()
	var changes []types.Change
	for side, weight := range map[string]int64{"blue": 100 - green, "green": green} {
		changes = append(changes, types.Change{Action: types.ChangeActionUpsert, ResourceRecordSet: &types.ResourceRecordSet{
			Name: new(pair + ".example.com"), Type: types.RRTypeA, SetIdentifier: &side, Weight: &weight, TTL: new(int64(10)),
			ResourceRecords: []types.ResourceRecord{{Value: new(fmt.Sprintf("192.0.2.%d", len(side)))}},
		}})
	}
	_, err := z.client.ChangeResourceRecordSets(z.Context(), &route53.ChangeResourceRecordSetsInput{
		HostedZoneId: &z.id, ChangeBatch: &types.ChangeBatch{Changes: changes},
	})
	if err != nil {
		z.Fatal(err)
	}
}

// green gives the weights of green, by the pair's record.
func (z *zone) green() map[string]int64 {
	z.Helper()
	listed, err := z.client.ListResourceRecordSets(z.Context(), &route53.ListResourceRecordSetsInput{HostedZoneId: &z.id})
	if err != nil {
		z.Fatal(err)
	}
	weights := map[string]int64{}
	for _, set := range listed.ResourceRecordSets {
		if set.SetIdentifier != nil && *set.SetIdentifier == "green" {
			pair, _, _ := strings.Cut(*set.Name, ".")
			weights[pair] = *set.Weight
		}
	}
	return weights
}

const directWarning = `WARNING: this writes at AWS, past the daemon. One that runs sees it and goes on with the rollback; where one runs,
leave --direct out. The entrances are those of clusterswitch.yaml: a shift that is under way has those it was started with,
so if its traffic was changed since, go back at the former ones by hand.
`

func TestRollbackDirectNeedsNoManagementCluster(t *testing.T) {
	z := newZone(t)
	z.put("shop", 50)
	z.put("blog", 25)
	compare(t, ran{
		out: `PAIR   ENTRANCE    GREEN WAS   GREEN IS   WHAT WAS DONE
shop   route53-0   50%         0%         written

Blue has all traffic of shop.
Resolvers may give out green's address for up to 10s more.
The mark at AWS tells a daemon that comes back: it ends this attempt.
Nothing rises again until: clusterswitch start shop
`,
		err: directWarning,
	}, run(t.Context(), "rollback", "shop", "--direct"))
	if got := z.green(); got["shop"] != 0 || got["blog"] != 25 {
		t.Errorf("green's weights are %v", got)
	}

	compare(t, ran{
		out: `PAIR   ENTRANCE    GREEN WAS   GREEN IS   WHAT WAS DONE
blog   route53-0   25%         0%         written
shop   route53-0   0%          0%         nothing, it stood at 0 already

Blue has all traffic of blog.
Resolvers may give out green's address for up to 10s more.
The mark at AWS tells a daemon that comes back: it ends this attempt.
Nothing rises again until: clusterswitch start blog --config clusterswitch.yaml

Blue has all traffic of shop.
The mark at AWS tells a daemon that comes back: it ends this attempt.
Nothing rises again until: clusterswitch start shop --config clusterswitch.yaml
`,
		err: directWarning,
	}, run(t.Context(), "rollback", "--direct", "shop", "blog", "--config", "clusterswitch.yaml"))
	if got := z.green(); got["shop"] != 0 || got["blog"] != 0 {
		t.Errorf("green's weights are %v", got)
	}
}

// The daemon's pod is told its region by its surroundings. A person's laptop that isn't
// told one must not keep traffic on green: Route 53 has none, and an ARN names its own.
func TestRollbackDirectNeedsNoRegion(t *testing.T) {
	z := newZone(t)
	z.put("shop", 50)
	z.put("blog", 25)
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "none")
	document, err := os.ReadFile("clusterswitch.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write(t, "clusterswitch.yaml", strings.Replace(string(document), "region: eu-west-1, ", "", 1))
	if got := run(t.Context(), "rollback", "shop", "--direct"); got.status != exitDone {
		t.Errorf("it ends with %d: %s", got.status, got.err)
	}
	if got := z.green(); got["shop"] != 0 {
		t.Errorf("green's weights are %v", got)
	}
	if got := run(t.Context(), "runbook", "blog"); got.status != exitDone || !strings.Contains(got.out, "aws route53 change-resource-record-sets") {
		t.Errorf("the runbook ends with %d: %s\n%s", got.status, got.err, got.out)
	}
	// What asks all services can't guess where they are.
	if got := run(t.Context(), "plan", "shop"); got.status != exitFailure || !strings.Contains(got.err, "no region is set") {
		t.Errorf("the plan ends with %d: %s", got.status, got.err)
	}
}

func TestRollbackDirectSaysWhatItCouldNotDo(t *testing.T) {
	z := newZone(t)
	z.put("shop", 0)
	got := run(t.Context(), "rollback", "shop", "blog", "--direct", "--timeout", "1s")
	if got.status != 1 || !strings.Contains(got.out, "blog   route53-0   unknown     unknown    not back, see below\n") || !strings.Contains(got.out, "\nblog, entrance route53-0: refused: ") || !strings.Contains(got.out, "Blue has all traffic of shop.") || strings.Contains(got.out, "traffic of blog.") {
		t.Errorf("status %d, output:\n%s", got.status, got.out)
	}
	for _, want := range []string{
		"blog, entrance route53-0: refused: ", // there is no such record
		"WARNING: green had nothing of shop, so nothing was written",
		"clusterswitch: not all is back on blue: blog is left; run the command again, or go by hand: clusterswitch runbook blog\n",
	} {
		if !strings.Contains(got.err, want) {
			t.Errorf("it doesn't say %q:\n%s", want, got.err)
		}
	}
}

func TestRollbackDirectOverridesHandsOff(t *testing.T) {
	z := newZone(t)
	z.put("shop", 50)
	t.Setenv("CLUSTERSWITCH_HANDSOFF", "true")
	got := run(t.Context(), "rollback", "shop", "--direct")
	want := "WARNING: handsOff is set for shop in clusterswitch.yaml: that stops the daemon, not this command.\n"
	if got.status != 0 || got.err != directWarning+want || z.green()["shop"] != 0 {
		t.Errorf("%+v, green's weights %v", got, z.green())
	}
}

func TestDirectCommandsAreGivenRight(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"no pair":                        {[]string{"rollback", "--direct"}, "rollback --direct takes one pair or more"},
		"several pairs for the daemon":   {[]string{"rollback", "shop", "blog"}, "rollback takes one pair, not 2"},
		"a pair that nobody configured":  {[]string{"rollback", "shpo", "--direct"}, "clusterswitch.yaml has no pair shpo; it has shop"},
		"a place that it does without":   {[]string{"rollback", "shop", "--direct", "--context", "x"}, "--context is for the management cluster"},
		"a timeout for the daemon":       {[]string{"rollback", "shop", "--timeout", "1m"}, "--timeout is for --direct"},
		"no time at all":                 {[]string{"rollback", "shop", "--direct", "--timeout", "0s"}, "--timeout 0s: give it some time"},
		"a runbook of nobody":            {[]string{"runbook", "shpo"}, "clusterswitch.yaml has no pair shpo; it has shop"},
		"a configuration that is broken": {[]string{"runbook", "shop", "--config", "none.yaml"}, "none.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			alone(t)
			write(t, "clusterswitch.yaml", validConfig)
			if got := run(t.Context(), test.args...); got.status != 2 || !strings.Contains(got.err, test.says) {
				t.Errorf("%+v, want status 2 and %q", got, test.says)
			}
		})
	}
}

func TestRunbookIsPrintedWithoutManagementCluster(t *testing.T) {
	z := newZone(t)
	z.put("shop", 50)
	got := run(t.Context(), "runbook", "shop")
	for _, want := range []string{
		"# Take shop back to blue by hand\n", "clusterswitch v1.2.3 wrote this", "### 1. route53-0: records of shop.example.com in hosted zone " + z.id,
		"aws route53 change-resource-record-sets --hosted-zone-id " + z.id,
	} {
		if !strings.Contains(got.out, want) {
			t.Errorf("it doesn't say %q:\n%s", want, got.out)
		}
	}
	if got.status != 0 || got.err != "" || z.green()["shop"] != 50 {
		t.Errorf("status %d, standard error %q, green's weights %v", got.status, got.err, z.green())
	}
	// No such records: a runbook that lacks commands says so, and fails.
	if got := run(t.Context(), "runbook", "blog"); got.status != 1 || !strings.Contains(got.out, "**There are no commands for this entrance:**") {
		t.Errorf("%+v", got)
	}
}
