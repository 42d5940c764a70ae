package retire

import (
	"fmt"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// The codes of what must not run on blue any more.
const (
	CronJobActive      finding.Code = "CronJobActive"
	SingletonRuns      finding.Code = "SingletonRuns"
	JobRuns            finding.Code = "JobRuns"
	ControllerActs     finding.Code = "ControllerActs"
	BackupsRun         finding.Code = "BackupsRun"
	SingletonNotHanded finding.Code = "SingletonNotHanded"
)

func singletonsCheck() Check {
	return Check{
		Name: "singletons", Answers: "Does nothing run on blue that works for users or acts outside of the cluster?", run: singletons,
		Codes: []finding.Doc{
			{Code: CronJobActive, Meaning: "A CronJob of blue isn't suspended.", Do: "Hand it over to green, or suspend it."},
			{Code: SingletonRuns, Meaning: "A workload that is annotated as a singleton has replicas on blue.", Do: "Hand it over to green, or scale it to 0."},
			{Code: JobRuns, Meaning: "A Job of blue is not over.", Do: "Wait for its end, or delete it."},
			{Code: ControllerActs, Meaning: "A controller that acts outside of its cluster runs on blue.", Do: "Scale it to 0."},
			{Code: BackupsRun, Meaning: "A schedule of backups is active on blue.", Do: "Pause it, after a last backup."},
			{Code: SingletonNotHanded, Meaning: "By the journal a singleton has not arrived on green.", Do: "Look at the pair's status."},
		},
	}
}

func singletons(f *Facts) outcome {
	var o outcome
	for _, p := range f.Pairs {
		for _, b := range p.State.Baton {
			if p.Fault == "" && (b.Stage != shift.BatonHeld || b.Side != shift.Green) {
				o.add(of(SingletonNotHanded, finding.Block, pairObject(p.Name), b.Key,
					fmt.Sprintf("%s of pair %s is %s by %s since %s", b.Key, p.Name, b.Stage, b.Side, moment(b.Since)), "See `clusterswitch status`; it belongs on green before blue is deleted."))
			}
		}
	}
	if f.Blue.Fault != "" {
		return o // which is a finding of its own
	}
	n := &f.Blue.Network
	suspended := o.cronJobs(n)
	for _, s := range n.Singletons {
		if s.Replicas > 0 {
			o.add(of(SingletonRuns, finding.Block, finding.Of(s.GroupKind, s.Name), "", fmt.Sprintf("%s is a singleton and has %d replicas on blue", finding.Of(s.GroupKind, s.Name), s.Replicas),
				"Hand it over to green, or scale it to 0."))
		}
	}
	for _, j := range f.Blue.Retiring.Jobs {
		about := finding.Of(facts.GroupKind{Group: "batch", Kind: "Job"}, j.Name)
		o.add(of(JobRuns, finding.Block, about, "", fmt.Sprintf("%s of blue is not over: %d of its pods are active", about, j.Active), "Wait for its end, or delete it."))
	}
	o.controllers(n)
	for _, s := range n.Schedules {
		if !s.Paused {
			o.add(of(BackupsRun, finding.Warn, finding.Of(s.GroupKind, s.Name), "", fmt.Sprintf("%s of blue writes backups", finding.Of(s.GroupKind, s.Name)),
				"Pause it after a last backup, and keep what it wrote for as long as you need it."))
		}
	}
	if len(o.findings) == 0 {
		o.show(fmt.Sprintf("No CronJob is active on blue (%d are there, all %d that count suspended), no singleton has replicas, no Job runs, and no controller acts outside.", len(n.Jobs), suspended))
	}
	return o
}

// cronJobs counts those that are suspended. One that people let run in both
// clusters, and one that works on its own cluster alone, goes with the cluster.
func (o *outcome) cronJobs(n *facts.Network) (suspended int) {
	for _, j := range n.Jobs {
		about := finding.Of(facts.GroupKind{Group: "batch", Kind: "CronJob"}, j.Name)
		switch {
		case j.Suspended:
			suspended++
		case j.Local:
		case j.Allowed:
			o.add(of(CronJobActive, finding.Note, about, "", fmt.Sprintf("%s of blue runs at %q; it may run in both clusters", about, j.Schedule), "Make sure that green has it."))
		default:
			o.add(of(CronJobActive, finding.Block, about, "", fmt.Sprintf("%s of blue is not suspended: it runs at %q", about, j.Schedule), "Hand it over to green (`singletons.cronJobs`), or suspend it."))
		}
	}
	return suspended
}

// controllers judges what acts outside of the cluster. That for load balancers has
// to run until its load balancers are gone.
func (o *outcome) controllers(n *facts.Network) {
	for _, c := range n.Controllers {
		about := finding.Of(c.GroupKind, c.Name)
		switch c.Program {
		case facts.LoadBalancers:
			o.add(of(ControllerActs, finding.Note, about, "", fmt.Sprintf("%s runs %s: it deletes the load balancers of the Services and Ingresses that are deleted while it runs", about, c.Program),
				"Delete these first, and the controller last; what it leaves behind costs money."))
		case facts.ExternalDNS:
			o.add(of(ControllerActs, finding.Block, about, "", fmt.Sprintf("%s runs %s on blue: when blue's objects are deleted it deletes records, also such that green uses by now", about, c.Program),
				"Scale it to 0 before anything of blue is deleted, and see that green's owns the records."))
		default:
			o.add(of(ControllerActs, finding.Warn, about, "", fmt.Sprintf("%s runs %s on blue, which makes and removes nodes", about, c.Program),
				"Scale it to 0 after its nodes are gone, so that none outlives the cluster."))
		}
	}
}
