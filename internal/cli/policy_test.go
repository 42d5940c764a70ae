package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/iam"
)

const (
	awsDoc    = "../../docs/aws.md"
	both      = "../../examples/both.yaml"
	dnsRole   = "arn:aws:iam::222222222222:role/dns"
	ownRole   = "arn:aws:iam::111111111111:role/clusterswitch"
	otherRole = "arn:aws-cn:iam::333333333333:role/metrics"
)

// TestAWSRights makes the generated parts of docs/aws.md from the table of
// operations and from what the command prints.
func TestAWSRights(t *testing.T) {
	var operations strings.Builder
	operations.WriteString("| Action | On | For |\n|---|---|---|\n")
	for _, o := range iam.Operations() {
		fmt.Fprintf(&operations, "| `%s` | %s | %s |\n", o.Action(), o.Scope, o.For)
	}
	policy := run(t.Context(), "policy", "--config", both)
	if policy.status != 0 || policy.err != "" {
		t.Fatalf("%+v", policy)
	}
	trust, err := json.MarshalIndent(iam.Trust(ownRole), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	generate(t, awsDoc, map[string]string{
		"operations": operations.String(),
		"policy":     "```json\n" + policy.out + "```\n",
		"trust":      "```json\n" + string(trust) + "\n```\n",
	})
}

// withRoles is a configuration that reaches a zone and metrics as others.
func withRoles() string {
	return strings.NewReplacer(
		"greenSetIdentifier: green}", "greenSetIdentifier: green, types: [A, AAAA], roleARN: \""+dnsRole+"\"}",
		"names: [shop.example.com]", "names: [shop.example.com, \"*.shop.example.com\"]",
		"soakOnly: true", "gates: [{name: errors, cloudwatch: {loadBalancer: app/public/0a1b2c3d4e5f6071, targetGroup: targetgroup/shop-green/5555666677778888, maxErrorRatio: 0, roleARN: \""+otherRole+"\"}}]",
	).Replace(validConfig)
}

func TestPolicyOfEachIdentity(t *testing.T) {
	type statement struct {
		Action, Resource any
		Condition        map[string]map[string]any
	}
	conditions := map[string]map[string]any{
		"ForAllValues:StringEquals": {
			"route53:ChangeResourceRecordSetsActions": []any{"CREATE", "DELETE"},
			"route53:ChangeResourceRecordSetsNormalizedRecordNames": []any{
				`\052.shop.example.com`, `_clusterswitch.\052.shop.example.com`, "_clusterswitch.shop.example.com", "shop.example.com",
			},
			"route53:ChangeResourceRecordSetsRecordTypes": []any{"A", "AAAA", "TXT"},
		},
		"Null": {
			"route53:ChangeResourceRecordSetsActions": "false", "route53:ChangeResourceRecordSetsNormalizedRecordNames": "false",
			"route53:ChangeResourceRecordSetsRecordTypes": "false",
		},
	}
	for name, test := range map[string]struct {
		args []string
		want []statement
		err  string
	}{
		"the daemon itself assumes the roles": {
			want: []statement{
				{Action: []any{
					"elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeLoadBalancers",
					"elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth",
				}, Resource: "*"},
				{Action: "cloudwatch:GetMetricData", Resource: "*"},
				{Action: "sts:AssumeRole", Resource: []any{otherRole, dnsRole}},
			},
			err: "A role needs a policy of its own: clusterswitch policy --role " + otherRole + "\n" +
				"and a trust policy: clusterswitch policy --role " + otherRole + " --trusted-by ARN\n" +
				"A role needs a policy of its own: clusterswitch policy --role " + dnsRole + "\n" +
				"and a trust policy: clusterswitch policy --role " + dnsRole + " --trusted-by ARN\n",
		},
		"a role for the zone": {
			args: []string{"--role", dnsRole},
			want: []statement{
				{Action: "route53:ListResourceRecordSets", Resource: "arn:aws:route53:::hostedzone/Z123"},
				{Action: "route53:ChangeResourceRecordSets", Resource: "arn:aws:route53:::hostedzone/Z123", Condition: conditions},
				{Action: "route53:GetChange", Resource: "arn:aws:route53:::change/*"},
			},
		},
		"a role for metrics": {
			args: []string{"--role", otherRole},
			want: []statement{{Action: "cloudwatch:GetMetricData", Resource: "*"}},
		},
		"a role trusts the daemon's": {
			args: []string{"--role", dnsRole, "--trusted-by", ownRole},
			want: []statement{{Action: "sts:AssumeRole"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			alone(t)
			write(t, "clusterswitch.yaml", withRoles())
			got := run(t.Context(), append([]string{"policy"}, test.args...)...)
			var document struct{ Statement []statement }
			if err := json.Unmarshal([]byte(got.out), &document); err != nil {
				t.Fatalf("%v in %+v", err, got)
			}
			if diff := cmp.Diff(test.want, document.Statement); diff != "" {
				t.Errorf("statements (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.err, got.err); diff != "" {
				t.Errorf("standard error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPolicyRefusesAndWarns(t *testing.T) {
	alone(t)
	write(t, "clusterswitch.yaml", withRoles())
	for says, args := range map[string][]string{
		"names other roles: " + otherRole + ", " + dnsRole: {"policy", "--role", "arn:aws:iam::1:role/x"},
		"--trusted-by needs --role":                        {"policy", "--trusted-by", ownRole},
	} {
		if got := run(t.Context(), args...); got.status != 2 || got.out != "" || !strings.Contains(got.err, says) {
			t.Errorf("%v: %+v, want status 2 and %q", args, got, says)
		}
	}
	var names []string
	for i := range 200 {
		names = append(names, fmt.Sprintf("tenant-%d.example.com", i))
	}
	write(t, "clusterswitch.yaml", strings.Replace(validConfig, "names: [shop.example.com]", "names: ["+strings.Join(names, ", ")+"]", 1))
	if got := run(t.Context(), "policy"); got.status != 0 || !strings.Contains(got.err, "IAM takes 6144 as a managed policy") {
		t.Errorf("status %d, standard error %q", got.status, got.err)
	}
}
