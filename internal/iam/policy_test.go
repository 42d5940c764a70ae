package iam

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func everything() Needs {
	return Needs{
		Zones: []Zone{
			{ID: "Z2", Names: []string{"shop.example.com"}, Types: []string{"A"}},
			{ID: "Z1", Names: []string{"API.example.com.", "*.example.com", "_clusterswitch.API.example.com."}, Types: []string{"TXT", "A", "AAAA", "A"}},
		},
		Rules: []string{"arn:rule2", "arn:rule1"}, Listeners: []string{"arn:listener"}, TagKeys: []string{"clusterswitch.io/mark"},
		Metrics: true, Clusters: []string{"arn:cluster"}, Inspected: []string{"arn:aws-cn:eks:cn-north-1:1:cluster/shop"}, Roles: []string{"arn:role"}, Partition: "aws-cn",
	}
}

// Whatever the code calls, the policy for a configuration that needs everything
// allows; and nothing else.
func TestPolicyAllowsEveryOperationAndNoOther(t *testing.T) {
	var want, got []string
	for _, o := range Operations() {
		want = append(want, o.Action())
	}
	for _, s := range everything().Policy().Statement {
		got = append(got, s.Action...)
	}
	if diff := cmp.Diff(sorted(want), sorted(got)); diff != "" {
		t.Errorf("actions (-operations +policy):\n%s", diff)
	}
}

func TestPolicyIsLimitedToWhatIsNeeded(t *testing.T) {
	for _, s := range everything().Policy().Statement {
		if slices.Contains(s.Resource, "*") {
			for _, action := range s.Action {
				_, name, _ := strings.Cut(action, ":")
				if !strings.HasPrefix(name, "Describe") && !strings.HasPrefix(name, "Get") {
					t.Errorf("%s is allowed on everything", action)
				}
			}
		}
	}
	nothing := Needs{Partition: "aws"}
	if diff := cmp.Diff(Document{Version: "2012-10-17"}, nothing.Policy()); diff != "" {
		t.Errorf("the policy for nothing (-want +got):\n%s", diff)
	}
	want := Statement{
		Sid: "WriteRecordsOfZ1", Effect: "Allow", Action: []string{"route53:ChangeResourceRecordSets"},
		Resource: []string{"arn:aws-cn:route53:::hostedzone/Z1"},
		Condition: map[string]map[string]Values{
			"ForAllValues:StringEquals": {
				"route53:ChangeResourceRecordSetsNormalizedRecordNames": {`\052.example.com`, "_clusterswitch.api.example.com", "api.example.com"},
				"route53:ChangeResourceRecordSetsRecordTypes":           {"A", "AAAA", "TXT"},
				"route53:ChangeResourceRecordSetsActions":               {"CREATE", "DELETE"},
			},
			"Null": {
				"route53:ChangeResourceRecordSetsNormalizedRecordNames": {"false"},
				"route53:ChangeResourceRecordSetsRecordTypes":           {"false"},
				"route53:ChangeResourceRecordSetsActions":               {"false"},
			},
		},
	}
	i := slices.IndexFunc(everything().Policy().Statement, func(s Statement) bool { return s.Sid == want.Sid })
	if i < 0 {
		t.Fatal("there is no statement for Z1")
	}
	if diff := cmp.Diff(want, everything().Policy().Statement[i]); diff != "" {
		t.Errorf("the statement for Z1 (-want +got):\n%s", diff)
	}
}

func TestNamesAreNormalized(t *testing.T) {
	for name, want := range map[string]string{
		"shop.example.com":        "shop.example.com",
		"Shop.Example.COM.":       "shop.example.com",
		"*.example.com":           `\052.example.com`,
		"_dmarc.a-b.example.com":  "_dmarc.a-b.example.com",
		"tenants/7.example.com":   `tenants\0577.example.com`,
		"b\u00fccher.example.com": `b\303\274cher.example.com`,
	} {
		if got := NormalName(name); got != want {
			t.Errorf("%q is normalized to %q, want %q", name, got, want)
		}
	}
}

func TestTrustNamesThePrincipal(t *testing.T) {
	text, err := json.Marshal(Trust("arn:aws:iam::111111111111:role/clusterswitch"))
	want := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:role/clusterswitch"},"Action":"sts:AssumeRole"}]}`
	if err != nil || string(text) != want {
		t.Errorf("%v\n%s, want\n%s", err, text, want)
	}
}
