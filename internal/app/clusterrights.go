package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/gather"
	"github.com/clusterswitch/clusterswitch/internal/rbac"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// ClusterRightsOptions say whose rights in which clusters.
type ClusterRightsOptions struct {
	Config *config.Config
	Pair   config.Pair
	// Sides are the clusters that one manifest shall fit.
	Sides []shift.Side
	// Subjects get the rights.
	Subjects []rbac.Subject
	// Command is what a person typed, for the comment at the top.
	Command string
	// Offline: the clusters are not asked what they serve, and nobody else is. Then
	// what follows isn't needed.
	Offline bool
	// Management reaches the management cluster, and Namespace is the journal's
	// there. It is asked only for a kubeconfig in a Secret.
	Management func() (*rest.Config, error)
	Namespace  string
	// UserAgent names this program in the API servers' audit logs.
	UserAgent string
}

// discoverWithin bounds the question what a cluster serves.
const discoverWithin = time.Minute

// ClusterRights makes the manifest with the rights that the daemon needs in blue
// and green. missing names what the clusters serve but didn't tell. The error
// says why a cluster can't be asked at all.
func ClusterRights(ctx context.Context, o ClusterRightsOptions) (m rbac.Manifest, missing []string, err error) {
	var served []facts.Kind
	if !o.Offline && o.Pair.Preflight.Mode != "off" {
		if served, missing, err = o.served(ctx); err != nil {
			return m, nil, err
		}
	}
	wants := WantsOf(o.Pair, o.Sides, served)
	m = rbac.Manifest{Pair: o.Pair.Name, Needs: wants.Needs(), Subjects: o.Subjects}
	m.Head = o.head(wants, missing)
	return m, missing, nil
}

// served asks the clusters what they serve.
func (o ClusterRightsOptions) served(ctx context.Context) (served []facts.Kind, missing []string, err error) {
	to := ways{secrets: managementSecrets{reach: o.Management, namespace: o.Namespace}, userAgent: o.UserAgent}
	if o.Pair.Blue.EKS != nil || o.Pair.Green.EKS != nil {
		if to.sessions, err = awsapi.NewSessions(ctx, sessionsOf(o.Config.AWS, nil)); err != nil {
			return nil, nil, err
		}
	}
	for _, side := range o.Sides {
		kinds, gaps, err := gather.Served(ctx, to.source(ctx, clusterOf(o.Pair, side)), discoverWithin)
		if err != nil {
			return nil, nil, fmt.Errorf("asking %s what it serves: %w", side, err)
		}
		served = append(served, kinds...)
		for _, g := range gaps {
			if !g.Optional { // what is optional here isn't listed anyway
				missing = append(missing, fmt.Sprintf("%s of %s (%s)", g.What, side, g.Why))
			}
		}
	}
	return served, missing, nil
}

func clusterOf(p config.Pair, side shift.Side) config.Cluster {
	if side == shift.Blue {
		return p.Blue
	}
	return p.Green
}

// WantsOf tells what the daemon asks of the API servers of the given sides of a
// pair. served are the kinds that they serve, in whatever order; those of
// Kubernetes itself needn't be among them.
func WantsOf(p config.Pair, sides []shift.Side, served []facts.Kind) rbac.Wants {
	w := rbac.Wants{Namespaces: p.Workloads.Namespaces, Floors: p.Standby.Capacity.PinAutoscalers}
	w.Singletons = rbac.Singletons{CronJobs: p.Singletons.CronJobs, Deployments: p.Singletons.Deployments, StatefulSets: p.Singletons.StatefulSets}
	for _, probe := range p.Probes { // asked on both sides
		if s := probe.Service; s != nil {
			w.Services = append(w.Services, rbac.Service{Namespace: s.Namespace, Name: s.Name, Port: s.Port, HTTPS: s.Scheme == "https"})
		}
	}
	if p.Preflight.Mode == "off" {
		return w
	}
	w.Lists = gather.Listed(append(rbac.Builtin(), served...), facts.Settings{Secrets: facts.SecretsMode(p.Preflight.Secrets)})
	w.Metrics = slices.Contains(sides, shift.Blue)
	return w
}

// head is the comment at the top of a manifest.
func (o ClusterRightsOptions) head(wants rbac.Wants, missing []string) []string {
	names := make([]string, len(o.Sides))
	for i, side := range o.Sides {
		names[i] = string(side)
	}
	head := []string{
		"What clusterswitch needs in " + strings.Join(names, " and ") + " of pair " + o.Pair.Name + ": these rights and no others. " + writes(wants),
		"", "Made by: " + o.Command, "",
		"Make it anew when the configuration changes, and when a cluster gets a kind of objects that it didn't have: until then the",
		"preflight can't read that kind, and says so. To apply it, and to take it away again:", "",
	}
	for _, name := range names {
		head = append(head, "  kubectl --context "+name+" apply --filename rbac.yaml",
			"  kubectl --context "+name+" delete clusterroles,clusterrolebindings,roles,rolebindings --all-namespaces --selector "+rbac.PairLabel+"="+o.Pair.Name)
	}
	if len(wants.Lists) > 0 && o.Pair.Preflight.Secrets != "off" {
		head = append(head, "",
			"It lists Secrets. Kubernetes can't grant their names alone: who has this right can read all their contents. Set",
			"preflight.secrets: off and make the manifest anew to do without it; then neither Secrets nor Helm's releases are compared.")
	}
	for _, side := range o.Sides {
		head = append(head, o.accessEntry(side)...)
	}
	switch {
	case len(wants.Lists) == 0:
	case o.Offline:
		head = append(head, "",
			"NOT COMPLETE: it was made by --offline, without asking the clusters. Missing are the kinds that are not Kubernetes' own: those of",
			"CustomResourceDefinitions and of aggregated API servers. The preflight says of each that it was not checked, and that blocks.")
	case len(missing) > 0:
		head = append(head, "", "NOT COMPLETE: these groups did not answer, so their kinds are missing. Mend them and make the manifest anew.", "")
		for _, what := range missing {
			head = append(head, "  "+strings.Join(strings.Fields(what), " "))
		}
	}
	return head
}

// writes says what is changed in the clusters.
func writes(w rbac.Wants) string {
	var what []string
	if w.Floors {
		what = append(what, "the floors of autoscalers")
	}
	if s := w.Singletons; len(s.CronJobs)+len(s.Deployments)+len(s.StatefulSets) > 0 {
		what = append(what, "the switches of singletons")
	}
	if len(what) == 0 {
		return "It only reads."
	}
	return "It writes " + strings.Join(what, " and ") + ", and reads."
}

// accessEntry says how an identity of AWS becomes the subject of the manifest.
func (o ClusterRightsOptions) accessEntry(side shift.Side) []string {
	cluster := clusterOf(o.Pair, side).EKS
	i := slices.IndexFunc(o.Subjects, func(s rbac.Subject) bool { return s.Kind == "Group" })
	if cluster == nil || i < 0 {
		return nil
	}
	region := ""
	if r := cmp.Or(cluster.Region, o.Config.AWS.Region); r != "" {
		region = " --region " + r
	}
	principal := cmp.Or(cluster.RoleARN, "ARN-OF-THE-DAEMONS-ROLE")
	return []string{
		"",
		fmt.Sprintf("%s is the EKS cluster %s. An access entry puts the daemon's identity there into the group; if the identity has an entry", side, cluster.Name),
		"already, write update-access-entry. No access policy is needed beside it.", "",
		fmt.Sprintf("  aws eks create-access-entry%s --cluster-name %s --kubernetes-groups %s \\", region, cluster.Name, o.Subjects[i].Name),
		"    --principal-arn " + principal,
	}
}
