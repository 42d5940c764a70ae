package check

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

const (
	blueIssuer  = "oidc.eks.eu-west-1.amazonaws.com/id/BLUE"
	greenIssuer = "oidc.eks.eu-west-1.amazonaws.com/id/GREEN"
	reader      = "arn:aws:iam::123456789012:role/reader"
)

func TestRightsOfPodsAtAWS(t *testing.T) {
	t.Parallel()
	web := facts.Name{Namespace: "shop", Name: "web"}
	trusting := func(issuers ...string) func(*facts.Facts) {
		return func(f *facts.Facts) {
			f.Green.Identities.Accounts = map[string][]facts.Name{reader: {web}}
			f.Green.Identities.Trusts = map[string]facts.Trust{reader: {Issuers: issuers}}
		}
	}
	pods := func(blue, green map[facts.Name]string) func(*facts.Facts) {
		return func(f *facts.Facts) {
			f.Blue.Identities.Pods, f.Blue.Identities.PodsKnown = blue, true
			f.Green.Identities.Pods, f.Green.Identities.PodsKnown = green, true
		}
	}
	both := func(changes ...func(*facts.Facts)) func(*facts.Facts) {
		return func(f *facts.Facts) {
			for _, change := range changes {
				change(f)
			}
		}
	}
	role := map[facts.Name]string{web: reader}
	for name, c := range map[string]struct {
		change func(*facts.Facts)
		want   []string
		says   string
	}{
		"a role that trusts both":       {trusting(blueIssuer, greenIssuer), nil, ""},
		"a role that trusts green":      {trusting(greenIssuer), nil, ""},
		"a role that trusts only blue":  {trusting(blueIssuer), []string{"block RoleDoesNotTrustGreen/ServiceAccount/shop/web"}, "trusts blue's issuer and not green's (" + greenIssuer + ")"},
		"a role that trusts neither":    {trusting("token.actions.githubusercontent.com"), nil, ""},
		"a role that trusts no issuer":  {trusting(), nil, ""},
		"a role while blue is unknown":  {both(trusting(blueIssuer), func(f *facts.Facts) { f.Blue.Identities.Issuer = "" }), []string{"warn RoleDoesNotTrustGreen/ServiceAccount/shop/web"}, "trusts " + blueIssuer},
		"a role while green is unknown": {both(trusting(blueIssuer), func(f *facts.Facts) { f.Green.Identities.Issuer = "" }), nil, ""},
		"a role that an association replaces": {
			both(trusting(blueIssuer), func(f *facts.Facts) { f.Green.Identities.Pods = role }), nil, "",
		},
		"an association in both":      {pods(role, role), nil, ""},
		"an association only in blue": {pods(role, nil), []string{"block PodIdentityMissing/ServiceAccount/shop/web"}, "with " + reader + " in blue and none in green"},
		"of another role":             {pods(role, map[facts.Name]string{web: reader + "-green"}), []string{"warn PodIdentityRoleDiffers/ServiceAccount/shop/web"}, reader + "-green in green"},
		"only in green":               {pods(nil, role), nil, ""},
		"replaced by an annotation":   {both(pods(role, nil), func(f *facts.Facts) { f.Green.Identities.Accounts = map[string][]facts.Name{reader: {web}} }), nil, ""},
		"not told of green":           {both(pods(role, nil), func(f *facts.Facts) { f.Green.Identities.PodsKnown = false }), nil, ""},
		"left out": {
			both(pods(role, nil), trusting(blueIssuer), func(f *facts.Facts) { f.Settings.Ignore = []facts.Ignore{{Namespace: "shop"}} }), nil, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &facts.Facts{Blue: serving("v1.34.1"), Green: serving("v1.35.1")}
			f.Blue.Identities.Issuer, f.Green.Identities.Issuer = blueIssuer, greenIssuer
			c.change(f)
			found := awsIdentities(f)
			if diff := cmp.Diff(c.want, severityAndID(found)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if c.says != "" && (len(found) == 0 || !strings.Contains(found[0].Message, c.says)) {
				t.Errorf("found %+v, want %q", found, c.says)
			}
		})
	}
}
