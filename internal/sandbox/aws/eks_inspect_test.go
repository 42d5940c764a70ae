package aws_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

const podRole = "arn:aws:iam::123456789012:role/pods/reader"

func TestInsightsAreListedByPagesAndFilters(t *testing.T) {
	w := newWorld(t, aws.Options{})
	cluster := aws.Cluster{Name: "blue", Issuer: "https://oidc.example.com/id/B"}
	for i := range 5 {
		cluster.Insights = append(cluster.Insights, aws.Insight{Name: fmt.Sprint("i", i), Version: fmt.Sprint("1.3", i), Status: []string{"PASSING", "ERROR"}[i%2]})
	}
	cluster.Insights[1].Calls = []aws.DeprecatedCall{{Usage: "/apis/batch/v1beta1/cronjobs", Client: "kubectl", Requests: 7}}
	w.cluster(t, cluster)
	client := eks.NewFromConfig(w.config)
	list := func(f *types.InsightsFilter) (names []string) {
		pages := eks.NewListInsightsPaginator(client, &eks.ListInsightsInput{ClusterName: sdk.String("blue"), Filter: f, MaxResults: sdk.Int32(2)})
		for pages.HasMorePages() {
			for _, i := range must[*eks.ListInsightsOutput](t)(pages.NextPage(t.Context())).Insights {
				names = append(names, *i.Name+" "+string(i.InsightStatus.Status))
			}
		}
		return names
	}
	all := []string{"i0 PASSING", "i1 ERROR", "i2 PASSING", "i3 ERROR", "i4 PASSING"}
	for name, c := range map[string]struct {
		filter *types.InsightsFilter
		want   []string
	}{
		"all":              {nil, all},
		"of the category":  {&types.InsightsFilter{Categories: []types.Category{types.CategoryUpgradeReadiness}}, all},
		"of another":       {&types.InsightsFilter{Categories: []types.Category{types.CategoryMisconfiguration}}, nil},
		"of a status":      {&types.InsightsFilter{Statuses: []types.InsightStatusValue{types.InsightStatusValueError}}, []string{"i1 ERROR", "i3 ERROR"}},
		"of some versions": {&types.InsightsFilter{KubernetesVersions: []string{"1.32", "1.34"}}, []string{"i2 PASSING", "i4 PASSING"}},
	} {
		if diff := cmp.Diff(c.want, list(c.filter)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	first := must[*eks.ListInsightsOutput](t)(client.ListInsights(t.Context(), &eks.ListInsightsInput{ClusterName: sdk.String("blue")})).Insights[1]
	detail := must[*eks.DescribeInsightOutput](t)(client.DescribeInsight(t.Context(), &eks.DescribeInsightInput{ClusterName: sdk.String("blue"), Id: first.Id})).Insight
	stats := detail.CategorySpecificSummary.DeprecationDetails[0]
	if *stats.Usage != "/apis/batch/v1beta1/cronjobs" || stats.ClientStats[0].NumberOfRequestsLast30Days != 7 || detail.LastRefreshTime == nil {
		t.Errorf("the detail is %+v", detail)
	}
	described := must[*eks.DescribeClusterOutput](t)(client.DescribeCluster(t.Context(), &eks.DescribeClusterInput{Name: sdk.String("blue")})).Cluster
	if *described.Identity.Oidc.Issuer != cluster.Issuer {
		t.Errorf("the issuer is %s", *described.Identity.Oidc.Issuer)
	}
}

func TestAssociationsTellTheirRoleOnlyOneByOne(t *testing.T) {
	w := newWorld(t, aws.Options{})
	w.cluster(t, aws.Cluster{Name: "blue", PodIdentities: []aws.PodIdentity{
		{Namespace: "shop", ServiceAccount: "web", RoleARN: podRole}, {Namespace: "shop", ServiceAccount: "api", RoleARN: podRole}, {Namespace: "ops", ServiceAccount: "web", RoleARN: podRole},
	}})
	client := eks.NewFromConfig(w.config)
	list := func(namespace *string) (found []types.PodIdentityAssociationSummary) {
		pages := eks.NewListPodIdentityAssociationsPaginator(client, &eks.ListPodIdentityAssociationsInput{ClusterName: sdk.String("blue"), Namespace: namespace, MaxResults: sdk.Int32(2)})
		for pages.HasMorePages() {
			found = append(found, must[*eks.ListPodIdentityAssociationsOutput](t)(pages.NextPage(t.Context())).Associations...)
		}
		return found
	}
	if all, ofShop := list(nil), list(sdk.String("shop")); len(all) != 3 || len(ofShop) != 2 {
		t.Errorf("%d associations, %d of shop", len(all), len(ofShop))
	}
	one := must[*eks.DescribePodIdentityAssociationOutput](t)(client.DescribePodIdentityAssociation(t.Context(), &eks.DescribePodIdentityAssociationInput{
		ClusterName: sdk.String("blue"), AssociationId: list(sdk.String("ops"))[0].AssociationId,
	})).Association
	if *one.RoleArn != podRole || *one.Namespace != "ops" || *one.ServiceAccount != "web" {
		t.Errorf("the association is %+v", one)
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	w := newWorld(t, aws.Options{})
	w.cluster(t, aws.Cluster{Name: "blue"})
	client, roles := eks.NewFromConfig(w.config), iam.NewFromConfig(w.config)
	blue, nobody, id := sdk.String("blue"), sdk.String("nobody"), sdk.String("x")
	for name, call := range map[string]func() error{
		"insights of no cluster": func() error {
			_, err := client.ListInsights(t.Context(), &eks.ListInsightsInput{ClusterName: nobody})
			return err
		},
		"no insight": func() error {
			_, err := client.DescribeInsight(t.Context(), &eks.DescribeInsightInput{ClusterName: blue, Id: id})
			return err
		},
		"associations of no cluster": func() error {
			_, err := client.ListPodIdentityAssociations(t.Context(), &eks.ListPodIdentityAssociationsInput{ClusterName: nobody})
			return err
		},
		"no association": func() error {
			_, err := client.DescribePodIdentityAssociation(t.Context(), &eks.DescribePodIdentityAssociationInput{ClusterName: blue, AssociationId: id})
			return err
		},
	} {
		if c := code(t, call()); c != "ResourceNotFoundException" {
			t.Errorf("%s: %q", name, c)
		}
	}
	if _, err := roles.GetRole(t.Context(), &iam.GetRoleInput{RoleName: nobody}); code(t, err) != "NoSuchEntity" {
		t.Errorf("no role: %v", err)
	}
	_, err := client.ListInsights(t.Context(), &eks.ListInsightsInput{ClusterName: blue, NextToken: sdk.String("9")})
	if c := code(t, err); c != "InvalidParameterException" {
		t.Errorf("a token of nobody: %q", c)
	}
}

func TestRolesTellTheirTrustInTheirOwnAccount(t *testing.T) {
	w := newAccounts(t, aws.Options{})
	if err := w.AddRole(podRole); err != nil {
		t.Fatal(err)
	}
	const policy = `{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity+x"}]}`
	if err := w.SetTrust(podRole, policy); err != nil {
		t.Fatal(err)
	}
	role := must[*iam.GetRoleOutput](t)(iam.NewFromConfig(w.config).GetRole(t.Context(), &iam.GetRoleInput{RoleName: sdk.String("reader")})).Role
	if trust := must[string](t)(url.PathUnescape(*role.AssumeRolePolicyDocument)); *role.Arn != podRole || *role.Path != "/pods/" || trust != policy {
		t.Errorf("the role is %s with path %s, and trusts %s", *role.Arn, *role.Path, trust)
	}
	theirs := iam.NewFromConfig(w.assume(t, otherRole).config)
	if _, err := theirs.GetRole(t.Context(), &iam.GetRoleInput{RoleName: sdk.String("reader")}); code(t, err) != "NoSuchEntity" {
		t.Errorf("of another account: %v", err)
	}
	for _, wrong := range []error{w.SetTrust(podRole+"s", policy), w.SetTrust(podRole, "{")} {
		if wrong == nil {
			t.Error("a trust policy that can't be was accepted")
		}
	}
}

func TestInspectionsMeetFaults(t *testing.T) {
	for name, c := range map[string]struct {
		fault aws.Fault
		want  string
	}{
		"insights are denied": {aws.Fault{Kind: aws.AccessDenied, Service: aws.EKS, Operation: "ListInsights"}, "AccessDeniedException"},
		"roles are denied":    {aws.Fault{Kind: aws.AccessDenied, Service: aws.IAM, Operation: "GetRole"}, "AccessDenied"},
		"IAM throttles":       {aws.Fault{Kind: aws.Throttle, Service: aws.IAM}, "Throttling"},
	} {
		w := newWorld(t, aws.Options{})
		w.cluster(t, aws.Cluster{Name: "blue"})
		must[func()](t)(w.Inject(c.fault))
		var err error
		if c.fault.Service == aws.IAM {
			_, err = iam.NewFromConfig(w.config).GetRole(t.Context(), &iam.GetRoleInput{RoleName: sdk.String("reader")})
		} else {
			_, err = eks.NewFromConfig(w.config).ListInsights(t.Context(), &eks.ListInsightsInput{ClusterName: sdk.String("blue")})
		}
		if got := code(t, err); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestInspectionsThatCantBeAreRefused(t *testing.T) {
	for says, c := range map[string]aws.Cluster{
		"isn't a status": {Insights: []aws.Insight{{Name: "x", Status: "BAD"}}},
		"https URL":      {Issuer: "oidc.example.com"},
		"ARN of a role":  {PodIdentities: []aws.PodIdentity{{Namespace: "a", ServiceAccount: "b", RoleARN: "x"}}},
		"each account":   {PodIdentities: []aws.PodIdentity{{Namespace: "a", ServiceAccount: "b", RoleARN: podRole}, {Namespace: "a", ServiceAccount: "b", RoleARN: podRole}}},
	} {
		c.Name, c.Version, c.Endpoint, c.CAPEM = "blue", "1.34", "https://127.0.0.1", authority(t)
		if err := aws.New(aws.Options{}).SetCluster(c); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}
