package awscontract

import (
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	sdkroute53 "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	ourseks "github.com/clusterswitch/clusterswitch/internal/eks"
	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	sandbox "github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

const podRole = "arn:aws:iam::123456789012:role/pods/reader"

// inspectedCluster is one that EKS has something to tell of.
func inspectedCluster() sandbox.Cluster {
	return sandbox.Cluster{
		Name: "blue", Version: "1.34", Endpoint: "https://127.0.0.1:1", Issuer: "https://oidc.example.com/id/B",
		CAPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("not read by anybody here")}),
		Insights: []sandbox.Insight{{
			Name: "Deprecated APIs", Version: "1.35", Status: "ERROR", Reason: "Used.",
			Calls: []sandbox.DeprecatedCall{{Usage: "/apis/batch/v1beta1/cronjobs", Client: "kubectl", Requests: 3}},
		}},
		PodIdentities: []sandbox.PodIdentity{{Namespace: "shop", ServiceAccount: "web", RoleARN: podRole}},
	}
}

const zoneRole = "arn:aws:iam::222222222222:role/zone-writer"

// assume is the same AWS, asked as a role.
func (b *backend) assume(t *testing.T, role string) *backend {
	t.Helper()
	c := must[*sts.AssumeRoleOutput](t)(b.sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: sdk.String("clusterswitch")})).Credentials
	config := b.config.Copy()
	config.Credentials = credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
	return b.as(config)
}

// accountContracts are what sessions, roles and clusters rely on.
func accountContracts() []contract {
	return []contract{
		{name: "a caller learns who it is", holds: func(t *testing.T, b *backend) {
			out := must[*sts.GetCallerIdentityOutput](t)(b.sts.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}))
			if *out.Account != "123456789012" {
				t.Errorf("the account is %s", *out.Account)
			}
		}},
		{name: "an assumed role acts in its own account, and there only", notOnMoto: "any role may be assumed, and no call is refused", holds: func(t *testing.T, b *backend) {
			accepted(t, "declaring the role", b.cloud.AddRole(zoneRole))
			_, err := b.sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: sdk.String(zoneRole + "s"), RoleSessionName: sdk.String("clusterswitch")})
			refused(t, "assuming a role that isn't there", err, "AccessDenied")
			other := b.assume(t, zoneRole)
			theirs, _ := other.zone(t)
			_, err = other.route53.ListResourceRecordSets(t.Context(), &sdkroute53.ListResourceRecordSetsInput{HostedZoneId: &theirs})
			accepted(t, "listing the role's own zone", err)
			_, err = b.route53.ListResourceRecordSets(t.Context(), &sdkroute53.ListResourceRecordSetsInput{HostedZoneId: &theirs})
			refused(t, "listing it without the role", err, "AccessDenied")
		}, byCLI: func(t *testing.T, b *backend) []cliCall {
			accepted(t, "declaring the role", b.cloud.AddRole(zoneRole))
			theirs, _ := b.assume(t, zoneRole).zone(t)
			return []cliCall{
				{name: "assuming the role", args: []string{"sts", "assume-role", "--role-arn", zoneRole, "--role-session-name", "cli"}, says: ":assumed-role/zone-writer/cli"},
				{name: "listing its zone without it", args: listing(theirs), code: "AccessDenied"},
			}
		}},
		{name: "a load balancer of another account isn't found", notOnMoto: "it has one account for all calls with made-up keys", holds: func(t *testing.T, b *backend) {
			accepted(t, "declaring the role", b.cloud.AddRole(zoneRole))
			w := b.web(t, form{})
			w.api = b.assume(t, zoneRole).elb
			refused(t, "the write", w.modify(t, w.split(50, 50)), "RuleNotFound")
		}},
		{name: "a cluster that isn't there is named so", holds: func(t *testing.T, b *backend) {
			_, err := b.eks.DescribeCluster(t.Context(), &eks.DescribeClusterInput{Name: sdk.String("green")})
			refused(t, "the look", err, "ResourceNotFoundException")
		}, byCLI: func(*testing.T, *backend) []cliCall {
			return []cliCall{{name: "the look", args: []string{"eks", "describe-cluster", "--name", "green"}, code: "ResourceNotFoundException"}}
		}},
		{name: "an upgrade insight is listed, and tells who calls by its id", notOnMoto: "it has no insights", holds: func(t *testing.T, b *backend) {
			accepted(t, "declaring the cluster", b.cloud.SetCluster(inspectedCluster()))
			found := must[[]facts.Insight](t)(ourseks.New(ourseks.Options{Name: "blue", Session: b.config}).Insights(t.Context()))
			if len(found) != 1 || found[0].Status != facts.InsightError || !strings.Contains(found[0].Reason, "kubectl 3 times") {
				t.Errorf("the insights are %+v", found)
			}
		}, byCLI: func(t *testing.T, b *backend) []cliCall {
			accepted(t, "declaring the cluster", b.cloud.SetCluster(inspectedCluster()))
			return []cliCall{
				{name: "the list", args: []string{"eks", "list-insights", "--cluster-name", "blue"}, says: "Deprecated APIs"},
				{name: "the detail", args: []string{"eks", "describe-insight", "--cluster-name", "blue", "--id", "insight-1"}, says: "numberOfRequestsLast30Days"},
				{name: "of no cluster", args: []string{"eks", "list-insights", "--cluster-name", "none"}, code: "ResourceNotFoundException"},
			}
		}},
		{name: "the role of a Pod Identity association is told one by one, the issuer by the cluster", notOnMoto: "it has no associations", holds: func(t *testing.T, b *backend) {
			accepted(t, "declaring the cluster", b.cloud.SetCluster(inspectedCluster()))
			found := must[facts.Identities](t)(ourseks.New(ourseks.Options{Name: "blue", Session: b.config}).Identities(t.Context()))
			if found.Issuer != "oidc.example.com/id/B" || found.Pods[facts.Name{Namespace: "shop", Name: "web"}] != podRole {
				t.Errorf("the identities are %+v", found)
			}
		}, byCLI: func(t *testing.T, b *backend) []cliCall {
			accepted(t, "declaring the cluster", b.cloud.SetCluster(inspectedCluster()))
			return []cliCall{
				{name: "the list", args: []string{"eks", "list-pod-identity-associations", "--cluster-name", "blue"}, says: "a-1"},
				{name: "the role", args: []string{"eks", "describe-pod-identity-association", "--cluster-name", "blue", "--association-id", "a-1"}, says: podRole},
			}
		}},
		{name: "a role tells whom it trusts", notOnMoto: "roles are declared by other calls there", holds: func(t *testing.T, b *backend) {
			accepted(t, "declaring the role", b.cloud.AddRole(podRole))
			accepted(t, "setting its trust", b.cloud.SetTrust(podRole, `{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/id/B"}}]}`))
			cluster := ourseks.New(ourseks.Options{Name: "blue", Session: b.config})
			if trust := must[facts.Trust](t)(cluster.Trust(t.Context(), podRole)); !slices.Equal(trust.Issuers, []string{"oidc.example.com/id/B"}) {
				t.Errorf("it trusts %+v", trust)
			}
			_, err := cluster.Trust(t.Context(), podRole+"s")
			if refused, ok := errors.AsType[*awsapi.Error](err); !ok || refused.Class != awsapi.NotFound {
				t.Errorf("a role that isn't there: %v", err)
			}
		}, byCLI: func(t *testing.T, b *backend) []cliCall {
			accepted(t, "declaring the role", b.cloud.AddRole(podRole))
			return []cliCall{
				{name: "the role", args: []string{"iam", "get-role", "--role-name", "reader"}, says: "AssumeRolePolicyDocument"},
				{name: "none", args: []string{"iam", "get-role", "--role-name", "readers"}, code: "NoSuchEntity"},
			}
		}},
		{name: "a cluster tells its endpoint, and takes the token that we sign", notOnMoto: "it checks no token", holds: func(t *testing.T, b *backend) {
			accepted(t, "declaring the key", b.cloud.AddAccessKey("AKIDEXAMPLE", "secret", "arn:aws:iam::123456789012:user/switch"))
			ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("not read by anybody here")})
			accepted(t, "declaring the cluster", b.cloud.SetCluster(sandbox.Cluster{Name: "green", Version: "1.37", Endpoint: "https://127.0.0.1:1", CAPEM: ca}))
			cluster := ourseks.New(ourseks.Options{Name: "green", Session: b.config})
			if found := must[ourseks.Endpoint](t)(cluster.Describe(t.Context())); found.URL != "https://127.0.0.1:1" {
				t.Errorf("the endpoint is %s", found.URL)
			}
			account, who, name, err := b.cloud.VerifyToken(must[string](t)(cluster.Tokens().Token(t.Context())))
			if got := account + " " + who + " " + name; err != nil || got != "123456789012 arn:aws:iam::123456789012:user/switch green" {
				t.Errorf("the token is of %q, %v", got, err)
			}
		}},
	}
}
