package check

import (
	"testing"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// What the singletons check asks for, scaled to 0 in green until the hand-over,
// no other check may complain of.
func TestASingletonWaitsInGreenAtNothing(t *testing.T) {
	mailer := facts.Object{GroupKind: appsKind("Deployment"), Name: facts.Name{Namespace: "shop", Name: "mailer"}}
	for name, c := range map[string]struct {
		marked bool
		wanted int
		few    bool // it is called too little
	}{
		"marked and scaled to nothing":   {true, 0, false},
		"scaled to nothing, not marked":  {false, 0, true},
		"marked, and wanted but not run": {true, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := &facts.Facts{Scope: facts.Full, Settings: facts.Settings{ReplicasAtLeast: 100}}
			f.Blue.Settled.Workloads = map[facts.Object]facts.Workload{mailer: {Wanted: 1, Ready: 1}}
			f.Green.Settled.Workloads = map[facts.Object]facts.Workload{mailer: {Wanted: c.wanted}}
			if c.marked {
				f.Blue.Network.Singletons = []facts.Singleton{{Object: mailer, Replicas: 1}}
			}
			if got := workloads(f); (len(got) > 0) != c.few {
				t.Errorf("of its ready replicas: %v", got)
			}
			if c.wanted > 0 {
				return
			}
			p := &comparison{f: f, blue: &f.Blue, green: &f.Green}
			f.Blue.Objects = map[facts.GroupKind]map[facts.Name]struct{}{facts.KindScaler(): {}}
			f.Green.Objects = f.Blue.Objects
			if severity, _ := judgeReplicas(p, mailer, facts.Aspect{Value: "1"}, facts.Aspect{Value: "0"}); (severity != "") != c.few {
				t.Errorf("of the number of its replicas: %q", severity)
			}
		})
	}
}
