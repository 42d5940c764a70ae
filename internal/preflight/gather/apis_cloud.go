package gather

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

const (
	// awsRole names the role that pods of a ServiceAccount become.
	awsRole = "eks.amazonaws.com/role-arn"
	// mostTrusts bounds the roles that are asked for, one call each.
	mostTrusts = 300
)

// insights asks EKS what stands against newer versions of blue's Kubernetes.
func insights(Options) topic {
	return topic{also: func(ctx context.Context, r *reader, c *facts.Cluster) {
		if r.cloud == nil || c.Side != shift.Blue {
			return
		}
		found, err := r.cloud.Insights(ctx)
		if err != nil {
			c.Note(facts.Gap{What: "EKS upgrade insights", Why: why(err), Optional: true})
			return
		}
		c.APIs.Insights = found
		for _, i := range found {
			if i.Status == facts.InsightUnknown {
				c.Note(facts.Gap{What: "EKS insight " + i.Name, Why: cmp.Or(i.Reason, "EKS doesn't know"), Optional: true})
			}
		}
	}}
}

// identities reads which ServiceAccounts are annotated with a role, and asks EKS
// and IAM how pods get their rights. Only whom green's roles trust matters.
func identities(Options) topic {
	accounts := map[string][]facts.Name{}
	return topic{
		meta: func(_ *facts.Cluster, k facts.Kind, o metav1.Object) {
			if k.GroupKind != (facts.GroupKind{Kind: "ServiceAccount"}) {
				return
			}
			if role := o.GetAnnotations()[awsRole]; role != "" {
				accounts[role] = append(accounts[role], facts.Name{Namespace: o.GetNamespace(), Name: o.GetName()})
			}
		},
		also: func(ctx context.Context, r *reader, c *facts.Cluster) {
			if r.cloud != nil {
				var err error
				if c.Identities, err = r.cloud.Identities(ctx); err != nil {
					c.Note(facts.Gap{What: "EKS identities of pods", Why: why(err), Optional: true})
				}
			}
			for _, names := range accounts {
				slices.SortFunc(names, facts.Name.Compare)
			}
			c.Identities.Accounts = accounts
			if r.cloud != nil && c.Side == shift.Green && c.Identities.Issuer != "" {
				r.trusts(ctx, c)
			}
		},
	}
}

// trusts asks IAM whom the roles of ServiceAccounts trust. All that fails makes
// one gap: it mostly fails of one right.
func (r *reader) trusts(ctx context.Context, c *facts.Cluster) {
	c.Identities.Trusts = map[string]facts.Trust{}
	var failed []string
	var first error
	for i, role := range slices.Sorted(maps.Keys(c.Identities.Accounts)) {
		err := fmt.Errorf("more than %d roles", mostTrusts)
		var trust facts.Trust
		if i < mostTrusts {
			trust, err = r.cloud.Trust(ctx, role)
		}
		if err == nil {
			c.Identities.Trusts[role] = trust
			continue
		}
		if failed = append(failed, role); first == nil {
			first = err
		}
	}
	if first == nil {
		return
	}
	text := strings.Join(failed[:min(len(failed), 3)], ", ")
	if more := len(failed) - 3; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	c.Note(facts.Gap{What: "trust policies of AWS roles", Why: fmt.Sprintf("%s (%s)", why(first), text), Optional: true})
}
