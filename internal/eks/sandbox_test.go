package eks_test

import (
	"bytes"
	"encoding/pem"
	"net/http/httptest"
	"testing"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/internal/eks"
	sandbox "github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

// A role of another account is assumed, the cluster found by its name, and the
// token taken by whoever verifies tokens as EKS does.
func TestAClusterOfAnotherAccountIsReachedByItsName(t *testing.T) {
	const role, account = "arn:aws:iam::222222222222:role/reader", "222222222222"
	api := httptest.NewTLSServer(nil)
	defer api.Close()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: api.Certificate().Raw})
	cloud := sandbox.New(sandbox.Options{Region: "eu-west-1"})
	server := httptest.NewServer(cloud)
	defer server.Close()
	for _, err := range []error{
		cloud.AddRole(role),
		cloud.SetCluster(sandbox.Cluster{Name: "shop-v137", Version: "1.37", Endpoint: api.URL, CAPEM: authority, AccountID: account}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true"} {
		t.Setenv(name, value)
	}
	sessions, err := awsapi.NewSessions(t.Context(), awsapi.SessionsOptions{Region: "eu-west-1", EndpointURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	cluster := eks.New(eks.Options{Name: "shop-v137", Session: sessions.For(role, ""), RoleARN: role})
	found, err := cluster.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if found.URL != api.URL || !bytes.Equal(bytes.TrimSpace(found.CA), bytes.TrimSpace(authority)) {
		t.Errorf("found %s, want %s with its certificate", found.URL, api.URL)
	}
	token, err := cluster.Tokens().Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	owner, who, name, err := cloud.VerifyToken(token)
	if err != nil {
		t.Fatal(err)
	}
	if owner != account || who != role || name != "shop-v137" {
		t.Errorf("the token is of %s in account %s for cluster %s", who, owner, name)
	}
}
