// Package eks finds the way to an EKS cluster by its name: the address and
// certificate of its API server, and tokens that prove who the daemon is. It also
// tells a preflight what EKS found about the cluster, and how its pods get their
// rights.
//
// A token is made in this process and costs no call: it is a signed request for
// STS's GetCallerIdentity, which EKS sends on to learn who signed it.
package eks

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
)

// Cluster is one cluster by its name. It is safe for concurrent use.
type Cluster struct {
	name, region, role string
	api                *eks.Client
	roles              *iam.Client
	tokens             *Tokens
}

// Options makes a Cluster.
type Options struct {
	// Name is the cluster's name in EKS.
	Name string
	// Session reaches the cluster's account and region; its credentials are who the
	// daemon is in the cluster.
	Session aws.Config
	// RoleARN is the role of the session, for messages; empty: the daemon's own identity.
	RoleARN string
}

// New makes a Cluster. It asks nobody anything.
func New(o Options) *Cluster {
	return &Cluster{
		name: o.Name, region: o.Session.Region, role: o.RoleARN,
		api: eks.NewFromConfig(o.Session), roles: iam.NewFromConfig(o.Session),
		tokens: newTokens(o.Name, o.Session.Region, o.Session.Credentials),
	}
}

// Tokens are the daemon's identity in the cluster.
func (c *Cluster) Tokens() *Tokens { return c.tokens }

// Endpoint is where a cluster's API server is.
type Endpoint struct {
	// URL is the API server's address: https://….
	URL string
	// CA is the certificate that the server's is signed with, in PEM.
	CA []byte
}

// Describe asks EKS where the cluster is. An error says what to do; it is of
// type *awsapi.Error when AWS didn't answer, or refused.
func (c *Cluster) Describe(ctx context.Context) (Endpoint, error) {
	out, err := c.api.DescribeCluster(ctx, &eks.DescribeClusterInput{Name: &c.name})
	if err != nil {
		f := awsapi.Classify(err)
		return Endpoint{}, &awsapi.Error{Failure: f, Sentence: fmt.Sprintf("finding %s: %s%s", c, f, remedy(f))}
	}
	found := out.Cluster
	if found == nil {
		return Endpoint{}, fmt.Errorf("finding %s: AWS's answer holds no cluster", c)
	}
	if err := c.usable(found); err != nil {
		return Endpoint{}, err
	}
	ca, err := c.certificate(found)
	if err != nil {
		return Endpoint{}, err
	}
	return Endpoint{URL: *found.Endpoint, CA: ca}, nil
}

// usable refuses a cluster that has no API server to speak of. What EKS calls a
// status is that of the control plane: a cluster that is being updated serves.
func (c *Cluster) usable(found *types.Cluster) error {
	switch found.Status {
	case types.ClusterStatusCreating, types.ClusterStatusPending:
		return fmt.Errorf("%s is still being made (its status is %s); wait until it is ACTIVE", c, found.Status)
	case types.ClusterStatusDeleting:
		return fmt.Errorf("%s is being deleted (its status is %s); name another cluster", c, found.Status)
	case types.ClusterStatusFailed:
		return fmt.Errorf("%s could not be made (its status is %s); look at its health issues in EKS", c, found.Status)
	case types.ClusterStatusActive, types.ClusterStatusUpdating:
	}
	if found.Endpoint == nil || *found.Endpoint == "" {
		return fmt.Errorf("%s has no endpoint (its status is %s)", c, found.Status)
	}
	// A token must not go where everybody can read it.
	if at, err := url.Parse(*found.Endpoint); err != nil || at.Scheme != "https" || at.Hostname() == "" || at.User != nil {
		return fmt.Errorf("%s has the endpoint %q, which is no https:// address of a server", c, *found.Endpoint)
	}
	return nil
}

func (c *Cluster) certificate(found *types.Cluster) ([]byte, error) {
	if found.CertificateAuthority == nil || found.CertificateAuthority.Data == nil {
		return nil, fmt.Errorf("%s has no certificate authority (its status is %s)", c, found.Status)
	}
	ca, err := base64.StdEncoding.DecodeString(*found.CertificateAuthority.Data)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate authority of %s: %w", c, err)
	}
	if block, _ := pem.Decode(ca); block == nil {
		return nil, fmt.Errorf("reading the certificate authority of %s: it is not PEM", c)
	}
	return ca, nil
}

// String names the cluster for people.
func (c *Cluster) String() string {
	s := fmt.Sprintf("EKS cluster %s in %s", c.name, c.region)
	if c.role != "" {
		s += " as " + c.role
	}
	return s
}

func remedy(f awsapi.Failure) string {
	if f.Class == awsapi.NotFound {
		return ": check eks.name, eks.region and the account that eks.roleARN is of"
	}
	return f.Remedy("eks:DescribeCluster on it")
}
