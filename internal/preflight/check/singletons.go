package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// The codes of singletons.
const (
	RunsTwice                 finding.Code = "RunsTwice"
	SingletonTwice            finding.Code = "SingletonTwice"
	ControllerTwice           finding.Code = "ControllerTwice"
	ControllersShareDomain    finding.Code = "ControllersShareDomain"
	ControllerIdentityUnknown finding.Code = "ControllerIdentityUnknown"
	BackupsTwice              finding.Code = "BackupsTwice"
)

func singletonsCheck() Check {
	return Check{
		Name: "singletons", Answers: "Does anything run in both clusters that may run once only?", Brief: true, Run: singletons,
		Codes: []finding.Doc{
			{Code: RunsTwice, Meaning: "A CronJob is active in both clusters, so its work is done twice.", Do: "Suspend it in green until the hand-over, or annotate it with `clusterswitch.io/runs-twice: allowed` if it may run twice."},
			{Code: SingletonTwice, Meaning: "A workload that is annotated with `clusterswitch.io/singleton: \"true\"` runs in both clusters.", Do: "Scale it to 0 in green until the hand-over."},
			{Code: ControllerTwice, Meaning: "A controller that acts outside of its cluster runs in both with the same identity, so each takes the other's things for its own.", Do: "Give green's an identity of its own, or scale it to 0 until the hand-over."},
			{Code: ControllersShareDomain, Meaning: "external-dns runs in both clusters for the same domain, with different owners.", Do: "Make sure that green's writes no record that blue's owns: other domains, or `--policy=upsert-only`."},
			{Code: ControllerIdentityUnknown, Meaning: "The identity of a controller that acts outside of its cluster stands where the preflight doesn't read it.", Do: "Compare it by hand, or write it into the arguments."},
			{Code: BackupsTwice, Meaning: "A schedule of backups is active in both clusters.", Do: "Pause green's until the hand-over, or give it a place of its own for its backups."},
		},
	}
}

// singletons looks for what must not run in two clusters at a time. Consumers of
// queues can't be told from other workloads: people annotate them.
func singletons(f *facts.Facts) []finding.Finding {
	if f.Blue.Fault != "" || f.Green.Fault != "" {
		return nil // which is a finding of coverage
	}
	return slices.Concat(jobsTwice(f), singletonsTwice(f), controllersTwice(f), backupsTwice(f))
}

func jobsTwice(f *facts.Facts) []finding.Finding {
	green := map[facts.Name]facts.CronJob{}
	for _, j := range f.Green.Network.Jobs {
		green[j.Name] = j
	}
	var found []finding.Finding
	for _, b := range f.Blue.Network.Jobs {
		g, there := green[b.Name]
		if !there || b.Suspended || g.Suspended || b.Allowed || g.Allowed || b.Handed || g.Handed || b.Local && g.Local {
			continue
		}
		x := finding.New(RunsTwice, finding.Block, finding.Of(facts.GroupKind{Group: "batch", Kind: "CronJob"}, b.Name), "")
		x.Side = shift.Green
		x.Message = fmt.Sprintf("CronJob %s is active in both clusters (blue at %q, green at %q), so its work is done twice", b.Name, b.Schedule, g.Schedule)
		x.Do = "Set suspend: true in green until the hand-over, and in blue at the hand-over; if it may run twice, annotate it with `clusterswitch.io/runs-twice: allowed`."
		found = append(found, x)
	}
	return found
}

// singletonsTwice looks for annotated workloads; the annotation of one side is enough.
func singletonsTwice(f *facts.Facts) []finding.Finding {
	var found []finding.Finding
	seen := map[facts.Object]bool{}
	for _, side := range []shift.Side{shift.Blue, shift.Green} {
		for _, s := range f.Side(side).Network.Singletons {
			if seen[s.Object] {
				continue
			}
			seen[s.Object] = true
			if x, twice := singletonTwice(f, s.Object); twice {
				found = append(found, x)
			}
		}
	}
	return found
}

// single tells whether one of the sides marks a workload as one of which one may
// run.
func single(f *facts.Facts, o facts.Object) bool {
	is := func(s facts.Singleton) bool { return s.Object == o }
	return slices.ContainsFunc(f.Blue.Network.Singletons, is) || slices.ContainsFunc(f.Green.Network.Singletons, is)
}

func singletonTwice(f *facts.Facts, o facts.Object) (finding.Finding, bool) {
	var runs []string
	for _, side := range []shift.Side{shift.Blue, shift.Green} {
		c := f.Side(side)
		i := slices.IndexFunc(c.Network.Singletons, func(s facts.Singleton) bool { return s.Object == o })
		there, known := c.Has(o.GroupKind, o.Name)
		switch {
		case i >= 0 && c.Network.Singletons[i].Handed:
			return finding.Finding{}, false
		case i >= 0 && c.Network.Singletons[i].Replicas > 0:
			runs = append(runs, fmt.Sprintf("%d replicas in %s", c.Network.Singletons[i].Replicas, side))
		case i < 0 && there && known:
			runs = append(runs, fmt.Sprintf("in %s it isn't annotated, so that its replicas weren't looked at", side))
		}
	}
	if len(runs) < 2 {
		return finding.Finding{}, false
	}
	x := finding.New(SingletonTwice, finding.Block, finding.Of(o.GroupKind, o.Name), "")
	x.Side = shift.Green
	x.Message = fmt.Sprintf("%s is a singleton and runs in both clusters: %s", x.Object, strings.Join(runs, ", "))
	x.Do = "Set replicas: 0 in green until the hand-over, and annotate it in both clusters."
	return x, true
}

func backupsTwice(f *facts.Facts) []finding.Finding {
	var found []finding.Finding
	for _, b := range f.Blue.Network.Schedules {
		if b.Paused || !slices.ContainsFunc(f.Green.Network.Schedules, func(g facts.Schedule) bool { return g.Object == b.Object && !g.Paused }) {
			continue
		}
		x := finding.New(BackupsTwice, finding.Warn, finding.Of(b.GroupKind, b.Name), "")
		x.Side = shift.Green
		x.Message = fmt.Sprintf("%s is active in both clusters, so that both write backups, perhaps to the same place", x.Object)
		x.Do = "Pause green's until the hand-over, or give it a place of its own for its backups."
		found = append(found, x)
	}
	return found
}
