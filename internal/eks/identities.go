package eks

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// Identities tells the issuer of the cluster's tokens and its Pod Identity
// associations. What could be read is there even with an error, which joins one
// of type *awsapi.Error for each call that failed.
func (c *Cluster) Identities(ctx context.Context) (facts.Identities, error) {
	var found facts.Identities
	out, issuerErr := c.api.DescribeCluster(ctx, &eks.DescribeClusterInput{Name: &c.name})
	switch {
	case issuerErr != nil:
		issuerErr = c.refused("reading the OIDC issuer", issuerErr, "eks:DescribeCluster")
	case out.Cluster != nil && out.Cluster.Identity != nil && out.Cluster.Identity.Oidc != nil:
		found.Issuer = strings.TrimPrefix(aws.ToString(out.Cluster.Identity.Oidc.Issuer), "https://")
	}
	var podsErr error
	found.Pods, podsErr = c.associations(ctx)
	found.PodsKnown = podsErr == nil
	return found, errors.Join(issuerErr, podsErr)
}

// associations lists the roles of the Pod Identity associations. The list lacks
// the roles, so each is asked for.
func (c *Cluster) associations(ctx context.Context) (map[facts.Name]string, error) {
	roles := map[facts.Name]string{}
	pages := eks.NewListPodIdentityAssociationsPaginator(c.api, &eks.ListPodIdentityAssociationsInput{ClusterName: &c.name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, c.refused("listing the Pod Identity associations", err, "eks:ListPodIdentityAssociations")
		}
		for _, a := range page.Associations {
			out, err := c.api.DescribePodIdentityAssociation(ctx, &eks.DescribePodIdentityAssociationInput{ClusterName: &c.name, AssociationId: a.AssociationId})
			if err != nil {
				return nil, c.refused("reading a Pod Identity association", err, "eks:DescribePodIdentityAssociation")
			}
			name := facts.Name{Namespace: aws.ToString(a.Namespace), Name: aws.ToString(a.ServiceAccount)}
			roles[name] = ""
			if out.Association != nil {
				roles[name] = aws.ToString(out.Association.RoleArn)
			}
		}
	}
	return roles, nil
}
