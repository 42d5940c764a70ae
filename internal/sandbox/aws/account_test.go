package aws_test

import (
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

const otherRole = "arn:aws:iam::222222222222:role/teams/dns-writer"

// as returns the same world with clients of other credentials.
func (w *world) as(provider sdk.CredentialsProvider) *world {
	config := w.config.Copy()
	config.Credentials = provider
	return &world{
		Cloud: w.Cloud, url: w.url, config: config,
		route53: route53.NewFromConfig(config), elb: elbv2.NewFromConfig(config), sts: sts.NewFromConfig(config),
	}
}

// assume returns the same world with the credentials of a role.
func (w *world) assume(t testing.TB, role string) *world {
	t.Helper()
	out := must[*sts.AssumeRoleOutput](t)(w.sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: sdk.String("switch")}))
	c := out.Credentials
	return w.as(credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken))
}

func (w *world) identity(t testing.TB) string {
	t.Helper()
	out := must[*sts.GetCallerIdentityOutput](t)(w.sts.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}))
	return *out.Account + " " + *out.Arn
}

func newAccounts(t testing.TB, opts aws.Options) *world {
	t.Helper()
	w := newWorld(t, opts)
	for _, err := range []error{w.AddRole(otherRole), w.AddAccessKey("AKIAOTHER", "secret", "arn:aws:iam::333333333333:user/jo")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func TestCallersAreKnownByTheirCredentials(t *testing.T) {
	w := newAccounts(t, aws.Options{})
	assumed := w.assume(t, otherRole)
	provider := stscreds.NewAssumeRoleProvider(w.sts, otherRole, func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = "sdk" })
	got := map[string]string{
		"any access key":          w.identity(t),
		"an assumed role":         assumed.identity(t),
		"a role through a role":   assumed.assume(t, otherRole).identity(t),
		"the SDK's own provider":  w.as(provider).identity(t),
		"a declared user's":       w.as(credentials.NewStaticCredentialsProvider("AKIAOTHER", "secret", "")).identity(t),
		"a key that is temporary": "",
	}
	_, err := w.as(credentials.NewStaticCredentialsProvider("ASIAUNKNOWN", "secret", "token")).sts.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	got["a key that is temporary"] = code(t, err)
	want := map[string]string{
		"any access key":          "123456789012 arn:aws:iam::123456789012:user/sandbox",
		"an assumed role":         "222222222222 arn:aws:sts::222222222222:assumed-role/dns-writer/switch",
		"a role through a role":   "222222222222 arn:aws:sts::222222222222:assumed-role/dns-writer/switch",
		"the SDK's own provider":  "222222222222 arn:aws:sts::222222222222:assumed-role/dns-writer/sdk",
		"a declared user's":       "333333333333 arn:aws:iam::333333333333:user/jo",
		"a key that is temporary": "InvalidClientTokenId",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("callers (-want +got):\n%s", diff)
	}
}

func TestAssumeRole(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*sts.AssumeRoleInput)
		code   string
	}{
		"for a quarter of an hour": {change: func(in *sts.AssumeRoleInput) { in.DurationSeconds = sdk.Int32(900) }},
		"for less":                 {change: func(in *sts.AssumeRoleInput) { in.DurationSeconds = sdk.Int32(899) }, code: "ValidationError"},
		"for an hour":              {change: func(in *sts.AssumeRoleInput) { in.DurationSeconds = sdk.Int32(3600) }},
		"for longer than the role": {change: func(in *sts.AssumeRoleInput) { in.DurationSeconds = sdk.Int32(3601) }, code: "ValidationError"},
		"of an unknown role":       {change: func(in *sts.AssumeRoleInput) { in.RoleArn = sdk.String(otherRole + "s") }, code: "AccessDenied"},
		"of what isn't a role":     {change: func(in *sts.AssumeRoleInput) { in.RoleArn = sdk.String("arn:aws:s3:::bucket-of-someone") }, code: "ValidationError"},
		"by a session of a letter": {change: func(in *sts.AssumeRoleInput) { in.RoleSessionName = sdk.String("x") }, code: "ValidationError"},
		"by a session with spaces": {change: func(in *sts.AssumeRoleInput) { in.RoleSessionName = sdk.String("my session") }, code: "ValidationError"},
		"with a policy":            {change: func(in *sts.AssumeRoleInput) { in.Policy = sdk.String("{}") }, code: "ValidationError"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newAccounts(t, aws.Options{})
			in := &sts.AssumeRoleInput{RoleArn: sdk.String(otherRole), RoleSessionName: sdk.String("switch")}
			c.change(in)
			out, err := w.sts.AssumeRole(t.Context(), in)
			if got := code(t, err); got != c.code {
				t.Fatalf("code %q, want %q (%v)", got, c.code, err)
			}
			if err == nil && (!strings.HasPrefix(*out.Credentials.AccessKeyId, "ASIA") || !strings.HasSuffix(*out.AssumedRoleUser.AssumedRoleId, ":switch") ||
				!strings.HasPrefix(*out.AssumedRoleUser.AssumedRoleId, "AROA")) {
				t.Errorf("answer %+v", out)
			}
		})
	}
}

func TestSessionsExpireAndNeedTheirToken(t *testing.T) {
	clk := newClock()
	w := newAccounts(t, aws.Options{Now: clk.now})
	out := must[*sts.AssumeRoleOutput](t)(w.sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: sdk.String(otherRole), RoleSessionName: sdk.String("switch")}))
	c := out.Credentials
	if want := clk.t.Add(time.Hour); !c.Expiration.Equal(want) {
		t.Errorf("the session ends at %s, want %s", c.Expiration, want)
	}
	session := w.as(credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken))
	bare := w.as(credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, ""))
	codes := func(w *world) []string {
		_, zones := w.route53.ListHostedZones(t.Context(), &route53.ListHostedZonesInput{})
		_, groups := w.elb.DescribeTargetGroups(t.Context(), &elbv2.DescribeTargetGroupsInput{})
		_, clusters := eks.NewFromConfig(w.config).ListClusters(t.Context(), &eks.ListClustersInput{})
		return []string{code(t, zones), code(t, groups), code(t, clusters)}
	}
	clk.advance(time.Hour - time.Nanosecond)
	if diff := cmp.Diff([]string{"", "", ""}, codes(session)); diff != "" {
		t.Errorf("shortly before the end (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"InvalidClientTokenId", "InvalidClientTokenId", "UnrecognizedClientException"}, codes(bare)); diff != "" {
		t.Errorf("without the token (-want +got):\n%s", diff)
	}
	clk.advance(time.Nanosecond)
	if diff := cmp.Diff([]string{"ExpiredToken", "ExpiredToken", "ExpiredTokenException"}, codes(session)); diff != "" {
		t.Errorf("at the end (-want +got):\n%s", diff)
	}
}

func TestZonesBelongToTheirAccount(t *testing.T) {
	w := newAccounts(t, aws.Options{})
	other := w.assume(t, otherRole)
	mine, theirs := seedZone(t, w), other.zone(t, "other.example")
	for name, c := range map[string]struct {
		caller *world
		zone   string
		code   string
	}{
		"its own zone":              {w, mine, ""},
		"the other's zone":          {w, theirs, "AccessDenied"},
		"the other's own zone":      {other, theirs, ""},
		"the first's, by the other": {other, mine, "AccessDenied"},
		"a zone that isn't there":   {other, "Z0", "NoSuchHostedZone"},
	} {
		_, err := c.caller.route53.ListResourceRecordSets(t.Context(), &route53.ListResourceRecordSetsInput{HostedZoneId: &c.zone})
		if got := code(t, err); got != c.code {
			t.Errorf("%s: code %q, want %q", name, got, c.code)
		}
		if err := c.caller.change(t, c.zone, upsert(simple("www.example.com", "A", "192.0.2.9"))); c.code != "" && code(t, err) != c.code {
			t.Errorf("changing %s: %v, want %s", name, err, c.code)
		}
	}
	for caller, want := range map[*world]string{w: mine, other: theirs} {
		out := must[*route53.ListHostedZonesOutput](t)(caller.route53.ListHostedZones(t.Context(), &route53.ListHostedZonesInput{}))
		if len(out.HostedZones) != 1 || *out.HostedZones[0].Id != want {
			t.Errorf("zones %+v, want %s alone", out.HostedZones, want)
		}
	}
}

func TestLoadBalancersBelongToTheirAccount(t *testing.T) {
	w := newAccounts(t, aws.Options{})
	e := newEntrance(t, w)
	other := w.assume(t, otherRole)
	for want, call := range map[string]func() error{
		"RuleNotFound": func() error {
			_, err := other.elb.ModifyRule(t.Context(), &elbv2.ModifyRuleInput{RuleArn: &e.ruleARN, Actions: []elbtypes.Action{fixed("200")}})
			return err
		},
		"TargetGroupNotFound": func() error {
			_, err := other.elb.DescribeTargetHealth(t.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: &e.blue})
			return err
		},
		"ListenerNotFound": func() error {
			_, err := other.elb.DescribeRules(t.Context(), &elbv2.DescribeRulesInput{ListenerArn: &e.listenerARN})
			return err
		},
		"LoadBalancerNotFound": func() error {
			_, err := other.elb.DescribeListeners(t.Context(), &elbv2.DescribeListenersInput{LoadBalancerArn: &e.balancerARN})
			return err
		},
	} {
		if got := code(t, call()); got != want {
			t.Errorf("code %q, want %q", got, want)
		}
	}
	// The same names are free in another account, and the edge serves both.
	second := newEntrance(t, other)
	if !strings.Contains(second.ruleARN, ":222222222222:listener-rule/app/shop/") {
		t.Errorf("the other account's rule is %s", second.ruleARN)
	}
	if n := len(w.Listeners()); n != 2 {
		t.Errorf("the edge is told of %d listeners, want those of both accounts", n)
	}
	e.SetTargetHealth(second.green, "10.1.0.1", 8080, "healthy", "")
	out := must[*elbv2.DescribeTargetHealthOutput](t)(other.elb.DescribeTargetHealth(t.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: &second.green}))
	if out.TargetHealthDescriptions[0].TargetHealth.State != "healthy" {
		t.Errorf("the other account's target is %+v", out.TargetHealthDescriptions[0].TargetHealth)
	}
}

func TestRolesAndKeysThatCantBeAreRefused(t *testing.T) {
	cloud := aws.New(aws.Options{})
	for _, arn := range []string{"", "arn:aws:iam::1:role/x", "arn:aws:iam::222222222222:user/x", "arn:aws:iam::222222222222:role/", "arn:aws:iam::222222222222:role/a b"} {
		if err := cloud.AddRole(arn); err == nil {
			t.Errorf("the role %q was accepted", arn)
		}
	}
	for _, c := range [][3]string{{"", "s", "arn:aws:iam::222222222222:user/x"}, {"AK", "", "arn:aws:iam::222222222222:user/x"}, {"AK", "s", otherRole}} {
		if err := cloud.AddAccessKey(c[0], c[1], c[2]); err == nil {
			t.Errorf("the access key %q was accepted", c)
		}
	}
}
