package app

import (
	"strings"
	"testing"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/rbac"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// The comment at the top of a manifest has the command by which EKS takes the
// daemon for the manifest's subject.
func TestAccessEntriesOfTheManifest(t *testing.T) {
	t.Parallel()
	group, user := rbac.Subject{Kind: "Group", Name: "switchers"}, rbac.Subject{Kind: "User", Name: "alice"}
	for name, test := range map[string]struct {
		cluster  config.Cluster
		subjects []rbac.Subject
		want     string // empty: no command
	}{
		"the daemon's own identity, in the usual region": {
			cluster: config.Cluster{EKS: &config.EKS{Name: "shop-v137"}}, subjects: []rbac.Subject{group},
			want: "#   aws eks create-access-entry --region eu-west-1 --cluster-name shop-v137 --kubernetes-groups switchers \\\n#     --principal-arn ARN-OF-THE-DAEMONS-ROLE\n",
		},
		"a role, and a region of its own": {
			cluster: config.Cluster{EKS: &config.EKS{Name: "shop-v137", Region: "us-east-1", RoleARN: "arn:aws:iam::1:role/x"}}, subjects: []rbac.Subject{user, group},
			want: "#   aws eks create-access-entry --region us-east-1 --cluster-name shop-v137 --kubernetes-groups switchers \\\n#     --principal-arn arn:aws:iam::1:role/x\n",
		},
		"a user needs no group":       {cluster: config.Cluster{EKS: &config.EKS{Name: "shop-v137"}}, subjects: []rbac.Subject{user}},
		"a kubeconfig needs no entry": {cluster: config.Cluster{Kubeconfig: &config.Kubeconfig{Path: "x"}}, subjects: []rbac.Subject{group}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, missing, err := ClusterRights(t.Context(), ClusterRightsOptions{
				Config: &config.Config{AWS: config.AWS{Region: "eu-west-1"}}, Pair: config.Pair{Name: "shop", Green: test.cluster},
				Sides: []shift.Side{shift.Green}, Subjects: test.subjects, Offline: true,
			})
			if err != nil || len(missing) > 0 {
				t.Fatalf("missing %v, error %v", missing, err)
			}
			text := m.String()
			if has := strings.Contains(text, "create-access-entry"); has != (test.want != "") || !strings.Contains(text, test.want) {
				t.Errorf("it lacks %q, or says too much:\n%s", test.want, text[:strings.Index(text, "apiVersion")])
			}
		})
	}
}

// Blue's own metrics are read, and green's are not; probes go through both.
func TestEachSideGrantsWhatIsAskedOfIt(t *testing.T) {
	t.Parallel()
	pair := config.Pair{Name: "shop", Probes: []config.Probe{{Name: "web", Service: &config.ServiceProbe{Namespace: "shop", Name: "web", Port: 80}}}}
	for name, test := range map[string]struct {
		sides           []shift.Side
		metrics, probes bool
	}{
		"blue":  {[]shift.Side{shift.Blue}, true, true},
		"green": {[]shift.Side{shift.Green}, false, true},
		"both":  {[]shift.Side{shift.Blue, shift.Green}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := rbac.Manifest{Pair: "shop", Needs: WantsOf(pair, test.sides, nil).Needs()}.String()
			if strings.Contains(text, "[/metrics]") != test.metrics || strings.Contains(text, "services/proxy") != test.probes {
				t.Errorf("it grants something else than metrics: %t, probes: %t:\n%s", test.metrics, test.probes, text)
			}
		})
	}
}
