package app

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
)

func TestArgoCDKnowsAClusterByItsConfiguredNames(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cluster    config.Cluster
		configured string
		want       []string
	}{
		"a cluster of EKS": {config.Cluster{EKS: &config.EKS{Name: "shop-v137"}}, "", []string{"shop-v137"}},
		"a context":        {config.Cluster{Kubeconfig: &config.Kubeconfig{Path: "/k", Context: "green"}}, "", []string{"green"}},
		"no context":       {config.Cluster{Kubeconfig: &config.Kubeconfig{Path: "/k"}}, "", []string{}},
		"a Secret":         {config.Cluster{KubeconfigSecret: &config.KubeconfigSecret{Name: "s", Context: "green"}}, "", []string{"green"}},
		"one that is told": {config.Cluster{EKS: &config.EKS{Name: "shop-v137"}}, "next", []string{"next", "shop-v137"}},
	} {
		p := config.Pair{Blue: c.cluster, Green: c.cluster}
		p.Preflight.ArgoCD.BlueDestination, p.Preflight.ArgoCD.GreenDestination = c.configured, c.configured
		if diff := cmp.Diff(facts.ArgoSettings{Blue: c.want, Green: c.want}, settingsOf(p).Argo); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestTheManagementClusterIsAskedForApplicationsInAFullLook(t *testing.T) {
	t.Parallel()
	i := newInspector(ways{management: func() (*rest.Config, error) { return nil, errors.New("no way there") }}, newAWS(adapters{}))
	gone := config.Cluster{Kubeconfig: &config.Kubeconfig{Path: t.TempDir() + "/gone"}}
	asked := func(management bool, scope facts.Scope) bool {
		p := config.Pair{Name: "shop", Blue: gone, Green: gone}
		p.Preflight.ArgoCD.Management, p.Preflight.Timeout = management, time.Second
		report := i.look(t.Context(), p, wish{scope: scope})
		return slices.ContainsFunc(report.Findings, func(x finding.Finding) bool {
			return x.ID == "ArgoNotChecked/Cluster/management/argocd" && x.Severity == finding.Warn
		})
	}
	if !asked(true, facts.Full) {
		t.Error("a full look says nothing of the management cluster that can't be reached")
	}
	if asked(true, facts.Brief) || asked(false, facts.Full) {
		t.Error("it is asked in a brief look, or although nobody wants it")
	}
}
