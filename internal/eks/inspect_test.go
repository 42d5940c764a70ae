package eks_test

import (
	"encoding/pem"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/internal/eks"
	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	sandbox "github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

const (
	issuer  = "oidc.eks.eu-west-1.amazonaws.com/id/ABCDEF"
	podRole = "arn:aws:iam::123456789012:role/pods/reader"
)

// inspected is a cluster at the embedded AWS.
func inspected(t *testing.T, c sandbox.Cluster) (*sandbox.Cloud, *eks.Cluster) {
	t.Helper()
	cloud := sandbox.New(sandbox.Options{Region: "eu-west-1"})
	server := httptest.NewServer(cloud)
	t.Cleanup(server.Close)
	c.Name, c.Version, c.Endpoint, c.CAPEM = "shop", "1.34", "https://127.0.0.1:1", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})
	if err := cloud.SetCluster(c); err != nil {
		t.Fatal(err)
	}
	if err := cloud.AddRole(podRole); err != nil {
		t.Fatal(err)
	}
	s := session(server.URL)
	return cloud, eks.New(eks.Options{Name: "shop", Session: s})
}

func TestInsightsComeWithWhoCalls(t *testing.T) {
	t.Parallel()
	calls := make([]sandbox.DeprecatedCall, 7)
	for i := range calls {
		calls[i] = sandbox.DeprecatedCall{Usage: "/apis/batch/v1beta1/cronjobs", Client: "kubectl/v1.20", Requests: 3}
	}
	_, cluster := inspected(t, sandbox.Cluster{Insights: []sandbox.Insight{
		{Name: "Deprecated APIs removed in Kubernetes v1.35", Version: "1.35", Status: "ERROR", Reason: "Used.", Calls: calls},
		{Name: "Kubelet version skew", Status: "WARNING", Reason: "Old nodes."},
		{Name: "EKS add-on version compatibility", Status: "PASSING"},
		{Name: "Cluster health issues", Status: "UNKNOWN"},
		{Name: "Something new", Status: "WARNING", Calls: calls[:1]},
	}})
	got, err := cluster.Insights(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const call = "/apis/batch/v1beta1/cronjobs (by kubectl/v1.20 3 times in 30 days)"
	want := []facts.Insight{
		{ID: "insight-1", Name: "Deprecated APIs removed in Kubernetes v1.35", Version: "1.35", Status: facts.InsightError, About: facts.InsightAPIs, Reason: "Used. Called: " + strings.Repeat(call+", ", 5) + "2 more"},
		{ID: "insight-2", Name: "Kubelet version skew", Status: facts.InsightWarning, About: facts.InsightAddons, Reason: "Old nodes."},
		{ID: "insight-3", Name: "EKS add-on version compatibility", Status: facts.InsightPassing, About: facts.InsightAddons},
		{ID: "insight-4", Name: "Cluster health issues", Status: facts.InsightUnknown, About: facts.InsightOther},
		{ID: "insight-5", Name: "Something new", Status: facts.InsightWarning, About: facts.InsightAPIs, Reason: "Called: " + call},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(facts.Insight{}, "Refreshed")); diff != "" || got[0].Refreshed.IsZero() {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestIdentitiesOfPods(t *testing.T) {
	t.Parallel()
	_, cluster := inspected(t, sandbox.Cluster{Issuer: "https://" + issuer, PodIdentities: []sandbox.PodIdentity{{Namespace: "shop", ServiceAccount: "web", RoleARN: podRole}}})
	got, err := cluster.Identities(t.Context())
	want := facts.Identities{Issuer: issuer, PodsKnown: true, Pods: map[facts.Name]string{{Namespace: "shop", Name: "web"}: podRole}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestTheIssuerIsKnownWithoutTheAssociations(t *testing.T) {
	t.Parallel()
	cloud, cluster := inspected(t, sandbox.Cluster{Issuer: "https://" + issuer})
	if _, err := cloud.Inject(sandbox.Fault{Kind: sandbox.AccessDenied, Service: sandbox.EKS, Operation: "ListPodIdentityAssociations"}); err != nil {
		t.Fatal(err)
	}
	got, err := cluster.Identities(t.Context())
	if diff := cmp.Diff(facts.Identities{Issuer: issuer}, got); diff != "" || err == nil || !strings.HasSuffix(err.Error(), ": grant eks:ListPodIdentityAssociations") {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestWhomRolesTrust(t *testing.T) {
	t.Parallel()
	federated := func(principal string) string {
		return `{"Statement": {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": ` + principal + `}}`
	}
	const provider = `"arn:aws:iam::123456789012:oidc-provider/` + issuer + `"`
	for name, c := range map[string]struct {
		policy string
		want   []string
	}{
		"one issuer":              {federated(`{"Federated": ` + provider + `}`), []string{issuer}},
		"several, each once":      {federated(`{"Federated": [` + provider + `, "arn:aws:iam::1:oidc-provider/a", ` + provider + `]}`), []string{"a", issuer}},
		"several statements":      {`{"Statement": [{"Effect": "Allow", "Action": ["sts:TagSession", "sts:assumerolewithwebidentity"], "Principal": {"Federated": ` + provider + `}}]}`, []string{issuer}},
		"everybody":               {federated(`"*"`), nil},
		"an account":              {federated(`{"AWS": "arn:aws:iam::1:root"}`), nil},
		"a SAML provider":         {federated(`{"Federated": "arn:aws:iam::1:saml-provider/x"}`), nil},
		"a refusal":               {strings.Replace(federated(`{"Federated": `+provider+`}`), "Allow", "Deny", 1), nil},
		"for another action":      {strings.Replace(federated(`{"Federated": `+provider+`}`), "sts:AssumeRoleWithWebIdentity", "sts:AssumeRole", 1), nil},
		"Pod Identity's own name": {`{"Statement": [{"Effect": "Allow", "Action": ["sts:AssumeRole"], "Principal": {"Service": "pods.eks.amazonaws.com"}}]}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloud, cluster := inspected(t, sandbox.Cluster{})
			if err := cloud.SetTrust(podRole, c.policy); err != nil {
				t.Fatal(err)
			}
			got, err := cluster.Trust(t.Context(), podRole)
			if diff := cmp.Diff(facts.Trust{Issuers: c.want}, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestInspectionsThatFailSayWhatToDo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault sandbox.Fault
		ask   func(*testing.T, *eks.Cluster) error
		says  string
		class awsapi.Class
	}{
		"no right to list insights": {
			sandbox.Fault{Kind: sandbox.AccessDenied, Service: sandbox.EKS, Operation: "ListInsights"},
			func(t *testing.T, c *eks.Cluster) error { _, err := c.Insights(t.Context()); return err }, ": grant eks:ListInsights", awsapi.Denied,
		},
		"no right to read one": {
			sandbox.Fault{Kind: sandbox.AccessDenied, Service: sandbox.EKS, Operation: "DescribeInsight"},
			func(t *testing.T, c *eks.Cluster) error { _, err := c.Insights(t.Context()); return err }, ": grant eks:DescribeInsight", awsapi.Denied,
		},
		"no right to read an association": {
			sandbox.Fault{Kind: sandbox.AccessDenied, Service: sandbox.EKS, Operation: "DescribePodIdentityAssociation"},
			func(t *testing.T, c *eks.Cluster) error { _, err := c.Identities(t.Context()); return err }, ": grant eks:DescribePodIdentityAssociation", awsapi.Denied,
		},
		"no right to read roles": {
			sandbox.Fault{Kind: sandbox.AccessDenied, Service: sandbox.IAM},
			func(t *testing.T, c *eks.Cluster) error { _, err := c.Trust(t.Context(), podRole); return err }, ": grant iam:GetRole", awsapi.Denied,
		},
		"a role that isn't there": {
			sandbox.Fault{Kind: sandbox.Delay, Service: sandbox.STS, Delay: 1},
			func(t *testing.T, c *eks.Cluster) error { _, err := c.Trust(t.Context(), podRole+"s"); return err }, "cannot be found", awsapi.NotFound,
		},
		"EKS is throttled": {
			sandbox.Fault{Kind: sandbox.Throttle, Service: sandbox.EKS},
			func(t *testing.T, c *eks.Cluster) error { _, err := c.Insights(t.Context()); return err }, "throttled", awsapi.Throttled,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloud, cluster := inspected(t, sandbox.Cluster{
				Insights: []sandbox.Insight{{Name: "x", Status: "ERROR"}}, PodIdentities: []sandbox.PodIdentity{{Namespace: "a", ServiceAccount: "b", RoleARN: podRole}},
			})
			if _, err := cloud.Inject(c.fault); err != nil {
				t.Fatal(err)
			}
			err := c.ask(t, cluster)
			refused, ok := errors.AsType[*awsapi.Error](err)
			if !ok || refused.Class != c.class || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q in it", err, c.says)
			}
		})
	}
}

func TestARoleOfAnotherAccountIsNotMistaken(t *testing.T) {
	t.Parallel()
	_, cluster := inspected(t, sandbox.Cluster{})
	if _, err := cluster.Trust(t.Context(), "arn:aws:iam::999999999999:role/pods/reader"); err == nil || !strings.Contains(err.Error(), "isn't of the account") {
		t.Errorf("got %v", err)
	}
}
