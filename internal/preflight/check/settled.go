package check

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// The codes of workloads.
const (
	WorkloadNotReady        finding.Code = "WorkloadNotReady"
	TooFewReplicas          finding.Code = "TooFewReplicas"
	PodsNotReady            finding.Code = "PodsNotReady"
	PodsUnsteady            finding.Code = "PodsUnsteady"
	PodsLost                finding.Code = "PodsLost"
	JobFailed               finding.Code = "JobFailed"
	JobStuck                finding.Code = "JobStuck"
	AutoscalerStuck         finding.Code = "AutoscalerStuck"
	ClaimNotBound           finding.Code = "ClaimNotBound"
	ServiceWithoutEndpoints finding.Code = "ServiceWithoutEndpoints"
	NamespaceTerminating    finding.Code = "NamespaceTerminating"
	APIServiceUnavailable   finding.Code = "APIServiceUnavailable"
)

func settledCheck() Check {
	return Check{
		Name: "workloads", Answers: "Do green's workloads run as blue's do?", Brief: true, Run: settled,
		Codes: []finding.Doc{
			{Code: WorkloadNotReady, Meaning: "A workload of green is not ready.", Do: "Mend what its pods complain of."},
			{Code: TooFewReplicas, Meaning: "A workload has fewer ready replicas in green than the pair's replicas.atLeast asks for.", Do: "Scale it up in green before users come."},
			{Code: PodsNotReady, Meaning: "Pods of green don't run, or are not ready.", Do: "Mend what they complain of."},
			{Code: PodsUnsteady, Meaning: "Pods of green run, but their containers ended within the last minutes. It blocks where they end again and again.", Do: "Find out why before users come."},
			{Code: PodsLost, Meaning: "Pods of green were evicted, failed or don't go away.", Do: "Look whether it happens again, and remove what is left."},
			{Code: JobFailed, Meaning: "A Job of green failed.", Do: "Mend and run it again."},
			{Code: JobStuck, Meaning: "A Job of green can't run its pods.", Do: "Mend what its pods complain of."},
			{Code: AutoscalerStuck, Meaning: "A HorizontalPodAutoscaler of green doesn't scale.", Do: "Mend its metrics or its target."},
			{Code: ClaimNotBound, Meaning: "A PersistentVolumeClaim of green has no volume.", Do: "Mend its StorageClass or its driver."},
			{Code: ServiceWithoutEndpoints, Meaning: "A Service has ready endpoints in blue and none in green.", Do: "Mend the workload behind it."},
			{Code: NamespaceTerminating, Meaning: "A namespace of green is being deleted.", Do: "Let it end, and make it anew."},
			{Code: APIServiceUnavailable, Meaning: "A part of green's API is served by something that doesn't answer.", Do: "Mend what serves it."},
		},
	}
}

// settled judges green. What is no better in blue warns instead of blocking:
// sending users to green makes nothing worse.
func settled(f *facts.Facts) []finding.Finding {
	if f.Green.Fault != "" {
		return nil
	}
	found := workloads(f)
	found = append(found, pods(f)...)
	found = append(found, jobs(f)...)
	found = append(found, autoscalers(f)...)
	found = append(found, claims(f)...)
	found = append(found, endpoints(f)...)
	found = append(found, terminating(f)...)
	return append(found, unavailable(f)...)
}

// spared tells whether the pair's configuration leaves the object out.
func spared(s facts.Settings, o facts.Object) bool {
	if len(s.Namespaces) > 0 && !slices.Contains(s.Namespaces, o.Namespace) {
		return true
	}
	if slices.ContainsFunc(s.IgnoreWorkloads, func(pattern string) bool {
		ok, err := path.Match(pattern, o.Name.String())
		return ok && err == nil
	}) {
		return true
	}
	return slices.ContainsFunc(s.Ignore, func(i facts.Ignore) bool { return i.Takes(o.GroupKind, o.Name) })
}

// sorted gives the objects that count, in the order of a report.
func sorted[V any](s facts.Settings, m map[facts.Object]V) []facts.Object {
	kept := slices.DeleteFunc(slices.Collect(maps.Keys(m)), func(o facts.Object) bool { return spared(s, o) })
	slices.SortFunc(kept, func(a, b facts.Object) int {
		if order := strings.Compare(a.GroupKind.String(), b.GroupKind.String()); order != 0 {
			return order
		}
		return a.Name.Compare(b.Name)
	})
	return kept
}

// sortedNames does so for objects of one kind.
func sortedNames[V any](s facts.Settings, k facts.GroupKind, m map[facts.Name]V) []facts.Name {
	kept := slices.DeleteFunc(slices.Collect(maps.Keys(m)), func(n facts.Name) bool { return spared(s, facts.Object{GroupKind: k, Name: n}) })
	slices.SortFunc(kept, facts.Name.Compare)
	return kept
}

// green begins a finding about an object of green.
func green(code finding.Code, worse bool, o facts.Object) finding.Finding {
	severity := finding.Block
	if !worse {
		severity = finding.Warn
	}
	x := finding.New(code, severity, finding.Of(o.GroupKind, o.Name), "")
	x.Side = shift.Green
	return x
}

func workloads(f *facts.Facts) []finding.Finding {
	var found []finding.Finding
	for _, o := range sorted(f.Settings, f.Green.Settled.Workloads) {
		g := f.Green.Settled.Workloads[o]
		b, both := f.Blue.Settled.Workloads[o]
		switch need := percentOf(f.Settings.ReplicasAtLeast, b.Ready); {
		case g.NotReady != "":
			found = append(found, notReady(f, o, g, b, both))
		case both && g.Ready < need && !(g.Wanted == 0 && single(f, o)) && !grows(f, o, need):
			x := green(TooFewReplicas, true, o)
			x.Message = fmt.Sprintf("green has %s of it, blue has %d%s; at least %d are needed", count(g.Ready, "ready replica", "ready replicas"), b.Ready, grown(f, o), need)
			x.Do = "Scale it up in green before users come: " + lever(f, o, need) + "."
			found = append(found, x)
		}
	}
	return found
}

// percentOf rounds up: a part of a replica is a replica.
func percentOf(percent, n int) int { return (percent*n + 99) / 100 }

func notReady(f *facts.Facts, o facts.Object, g, b facts.Workload, both bool) finding.Finding {
	// Neither of them is ready, and green has no less.
	alike := both && b.NotReady != "" && g.Ready >= b.Ready
	x := green(WorkloadNotReady, !alike, o)
	x.Message = "it is not ready in green: " + g.NotReady + because(f.Green.Settled.Pods[o])
	switch {
	case alike:
		x.Message += "; nor is it in blue: " + b.NotReady
	case both:
		x.Message += fmt.Sprintf("; blue has %d of %d ready", b.Ready, b.Wanted)
	}
	x.Do = "Mend what its pods complain of (kubectl describe), or leave it out by workloads.ignore if no user needs it."
	return x
}

// because tells the reasons of pods, and what Kubernetes says of the first.
func because(trouble []facts.Trouble) string {
	told := reasons(trouble, false)
	if told == "" {
		return ""
	}
	return " (" + told + ")"
}

// reasons gives "2 pods ImagePullBackOff, 1 pod Unschedulable: 0/3 nodes are
// available", the most frequent first.
func reasons(trouble []facts.Trouble, past bool) string {
	kept := slices.DeleteFunc(slices.Clone(trouble), func(t facts.Trouble) bool { return t.Past != past })
	slices.SortFunc(kept, func(a, b facts.Trouble) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		return strings.Compare(a.Reason, b.Reason)
	})
	words := make([]string, 0, len(kept))
	for _, t := range kept {
		word := count(t.Count, "pod", "pods") + " " + t.Reason
		if t.Message != "" {
			word += ": " + strings.TrimSuffix(short(t.Message), ".")
		}
		words = append(words, word)
	}
	return strings.Join(words, "; ")
}

// short keeps a message of Kubernetes on one line of bearable length.
func short(message string) string {
	const most = 200
	message = strings.Join(strings.Fields(message), " ")
	if runes := []rune(message); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return message
}

// autoscalerOf finds what scales the workload.
func autoscalerOf(c *facts.Cluster, o facts.Object) (facts.Autoscaler, bool) {
	for _, a := range c.Settled.Autoscalers {
		if a.Target == o {
			return a, true
		}
	}
	return facts.Autoscaler{}, false
}

// grows tells whether the shift itself raises green's number with its share.
func grows(f *facts.Facts, o facts.Object, need int) bool {
	a, ok := autoscalerOf(&f.Green, o)
	return ok && f.Settings.Pinned && a.Max >= need
}

// grown says that blue's number comes from its load.
func grown(f *facts.Facts, o facts.Object) string {
	if a, ok := autoscalerOf(&f.Blue, o); ok {
		return fmt.Sprintf(", scaled by its load between %d and %d", a.Min, a.Max)
	}
	return ""
}

// lever says what sets green's number.
func lever(f *facts.Facts, o facts.Object, need int) string {
	switch a, ok := autoscalerOf(&f.Green, o); {
	case f.Green.Settled.Workloads[o].Wanted == 0 && o.Kind != "DaemonSet":
		// The gate on replicas holds the shift for it all the same.
		return "raise its replicas, or annotate it with clusterswitch.io/singleton: \"true\" in both clusters if it must not run in two at a time"
	case ok && a.Max < need:
		return fmt.Sprintf("its HorizontalPodAutoscaler allows %d at most, so raise maxReplicas and minReplicas", a.Max)
	case ok:
		return "raise minReplicas of its HorizontalPodAutoscaler for the time of the shift, as green has no load yet"
	case o.Kind == "DaemonSet":
		return "it has one for each node, so add nodes, or leave it out by workloads.ignore where nodes differ in size"
	}
	return "raise its replicas"
}
