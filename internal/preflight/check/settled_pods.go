package check

import (
	"fmt"
	"slices"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
)

// pods judges what no workload's own status tells: pods of nobody or of custom
// controllers, and those that run but don't stay.
func pods(f *facts.Facts) []finding.Finding {
	var found []finding.Finding
	for _, o := range sorted(f.Settings, f.Green.Settled.Pods) {
		trouble, blue := f.Green.Settled.Pods[o], f.Blue.Settled.Pods[o]
		w, judged := f.Green.Settled.Workloads[o]
		if judged && w.NotReady != "" || o.Kind == "Job" || o.Kind == "CronJob" {
			continue // said of the workload itself
		}
		if now := reasons(trouble, false); now != "" {
			// A workload that calls itself ready has enough other pods.
			worse := !judged && !suffers(blue, func(t facts.Trouble) bool { return !t.Past })
			x := green(PodsNotReady, worse, o)
			x.Message = "in green: " + now + alsoBlue(blue, false)
			x.Do = "Mend what they complain of (kubectl describe pod)."
			found = append(found, x)
		}
		steady, lost := divide(trouble)
		if then := reasons(steady, true); then != "" {
			x := green(PodsUnsteady, suffers(steady, again) && !suffers(blue, again), o)
			x.Message = "in green within the last minutes: " + then + alsoBlue(blue, true)
			x.Do = "Find out why before users come (kubectl logs --previous), and look again when it stayed up for ten minutes."
			found = append(found, x)
		}
		if then := reasons(lost, true); then != "" {
			x := green(PodsLost, false, o)
			x.Message = "left over in green: " + then
			x.Do = "Look whether it happens again, and delete what is left."
			found = append(found, x)
		}
	}
	return found
}

// unsteady: the pod came back, and may go again.
func unsteady(t facts.Trouble) bool {
	return t.Past && (t.Reason == "OOMKilled" || t.Reason == "Restarting")
}

// again: once may happen anywhere, again and again may not.
func again(t facts.Trouble) bool { return t.Reason == "Restarting" }

func divide(trouble []facts.Trouble) (steady, lost []facts.Trouble) {
	for _, t := range trouble {
		if unsteady(t) {
			steady = append(steady, t)
		} else {
			lost = append(lost, t)
		}
	}
	return steady, lost
}

func suffers(trouble []facts.Trouble, so func(facts.Trouble) bool) bool {
	return slices.ContainsFunc(trouble, so)
}

// alsoBlue tells the same of blue, where it is so.
func alsoBlue(trouble []facts.Trouble, past bool) string {
	told := reasons(trouble, past)
	if told == "" {
		return ""
	}
	return "; in blue: " + told
}

func jobs(f *facts.Facts) []finding.Finding {
	var found []finding.Finding
	for _, o := range sorted(f.Settings, f.Green.Settled.Jobs) {
		g, b := f.Green.Settled.Jobs[o], f.Blue.Settled.Jobs[o]
		if g.Failed == "" {
			continue
		}
		x := green(JobFailed, b.Failed == "", o)
		what := "it failed in green: "
		if o.Kind == "CronJob" {
			what = "its newest Job that ended failed in green: "
		}
		x.Message = what + short(g.Failed)
		if b.Failed != "" {
			x.Message += "; in blue too: " + short(b.Failed)
		}
		x.Do = "Mend it and run it again, or delete the Job if it was tried for no more than a test."
		found = append(found, x)
	}
	for _, o := range sorted(f.Settings, f.Green.Settled.Pods) {
		j := f.Green.Settled.Jobs[o]
		now := reasons(f.Green.Settled.Pods[o], false)
		if now == "" || o.Kind != "Job" && o.Kind != "CronJob" || o.Kind == "Job" && (j.Complete || j.Suspended || j.Failed != "") {
			continue
		}
		blue := f.Blue.Settled.Pods[o]
		x := green(JobStuck, !suffers(blue, func(t facts.Trouble) bool { return !t.Past }), o)
		x.Message = "its pods don't run in green: " + now + alsoBlue(blue, false)
		x.Do = "Mend what they complain of (kubectl describe pod)."
		found = append(found, x)
	}
	return found
}

func autoscalers(f *facts.Facts) []finding.Finding {
	kind := facts.GroupKind{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}
	var found []finding.Finding
	for _, n := range sortedNames(f.Settings, kind, f.Green.Settled.Autoscalers) {
		g, o := f.Green.Settled.Autoscalers[n], facts.Object{GroupKind: kind, Name: n}
		b, both := f.Blue.Settled.Autoscalers[n]
		if g.Seen && g.Broken == "" || spared(f.Settings, g.Target) {
			continue
		}
		worse := !both || b.Seen && b.Broken == ""
		x := green(AutoscalerStuck, worse, o)
		why := short(g.Broken)
		if !g.Seen {
			why = "nobody wrote its status yet"
		}
		x.Message = fmt.Sprintf("it doesn't scale %s in green: %s", g.Target.Name.Name, why)
		if both && !worse {
			x.Message += "; nor does it in blue"
		}
		x.Do = "Mend its metrics (metrics-server, adapters, KEDA) or its target: green has to grow when users come."
		found = append(found, x)
	}
	return found
}
