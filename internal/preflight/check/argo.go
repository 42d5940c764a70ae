package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// The codes of Argo CD.
const (
	ArgoOutOfSync          finding.Code = "ArgoOutOfSync"
	ArgoUnhealthy          finding.Code = "ArgoUnhealthy"
	ArgoError              finding.Code = "ArgoError"
	ArgoOperation          finding.Code = "ArgoOperation"
	ArgoDeleting           finding.Code = "ArgoDeleting"
	ArgoMissing            finding.Code = "ArgoMissing"
	ArgoSetError           finding.Code = "ArgoSetError"
	ArgoDestinationUnknown finding.Code = "ArgoDestinationUnknown"
	ArgoNotChecked         finding.Code = "ArgoNotChecked"
)

func argoCheck() Check {
	return Check{
		Name: "argocd", Answers: "Did Argo CD bring green to where it should be?", Run: argo,
		Codes: []finding.Doc{
			{Code: ArgoOutOfSync, Meaning: "An Application for green is not synced, or nobody compared it lately.", Do: "Sync it."},
			{Code: ArgoUnhealthy, Meaning: "An Application for green is not healthy.", Do: "Mend what it deploys."},
			{Code: ArgoError, Meaning: "An Application for green reports an error.", Do: "Mend what the error names."},
			{Code: ArgoOperation, Meaning: "An operation of an Application for green runs, or the last one failed.", Do: "Wait for its end, or sync again."},
			{Code: ArgoDeleting, Meaning: "An Application for green is being deleted.", Do: "Find out who deleted it; what it deployed may go with it."},
			{Code: ArgoMissing, Meaning: "An Application deploys to blue, and none like it to green.", Do: "Make one for green."},
			{Code: ArgoSetError, Meaning: "An ApplicationSet reports an error, so Applications for green may be missing or old.", Do: "Mend what the error names."},
			{Code: ArgoDestinationUnknown, Meaning: "Applications name clusters, and none of the names is known to be green.", Do: "Set preflight.argocd.greenDestination."},
			{Code: ArgoNotChecked, Meaning: "The Applications of the management cluster can't be read.", Do: "Give the right to list them, or set preflight.argocd.management to false."},
		},
	}
}

// deployed is one Application with the cluster that it is kept in.
type deployed struct {
	facts.Application
	home *facts.Cluster
	// place names the home in ids: blue, green, management.
	place string
	// to is where it deploys to; empty: to neither, or nobody knows.
	to shift.Side
}

func argo(f *facts.Facts) []finding.Finding {
	found := argoUnread(f)
	all := argoApplications(f)
	var blue, green []deployed
	for _, d := range all {
		switch d.to {
		case shift.Blue:
			blue = append(blue, d)
		case shift.Green:
			green = append(green, d)
		}
	}
	t := newTwins(f)
	for _, d := range green {
		found = append(found, judgeApplication(d, t.of(d, blue))...)
	}
	for _, d := range blue {
		if t.of(d, green) != nil || f.Green.Fault != "" || !argoKnown(f) {
			continue
		}
		x := argoFinding(ArgoMissing, finding.Warn, d)
		x.Message = fmt.Sprintf("it deploys to blue (from %s), and no Application like it deploys to green", d.place)
		x.Do = "Make one for green, unless what it deploys is not needed there or comes another way."
		found = append(found, x)
	}
	found = append(found, argoSets(f, green)...)
	return append(found, argoUnknown(f, all, len(green))...)
}

// argoKnown: every place that may hold an Application for green was read.
func argoKnown(f *facts.Facts) bool {
	kind := facts.GroupKind{Group: "argoproj.io", Kind: "Application"}
	return f.Management.Fault == "" && len(f.Management.Gaps) == 0 && (!f.Green.Argo.Served || read(&f.Green, kind))
}

// argoUnread says what of the management cluster could not be read; of blue and
// green coverage says it.
func argoUnread(f *facts.Facts) []finding.Finding {
	gaps := slices.Clone(f.Management.Gaps)
	if f.Management.Fault != "" {
		// Most management clusters have no Argo CD; whether this one has is unknown.
		gaps = append(gaps, facts.Gap{What: "argocd", Why: f.Management.Fault, Optional: true})
	}
	var found []finding.Finding
	for _, g := range gaps {
		severity := finding.Block
		if g.Optional {
			severity = finding.Warn
		}
		x := finding.New(ArgoNotChecked, severity, finding.Object{Kind: "Cluster", Name: placeManagement}, g.What)
		x.Message = fmt.Sprintf("%s of the management cluster can't be read: %s", g.What, g.Why)
		x.Do = "Give the daemon the right to list applications and applicationsets of argoproj.io there, or set preflight.argocd.management to false if no Argo CD there deploys to green."
		found = append(found, x)
	}
	return found
}

const placeManagement = "management"

// argoApplications gathers the Applications of all three places, each once: the
// management cluster may be one of the pair.
func argoApplications(f *facts.Facts) []deployed {
	var all []deployed
	seen := map[string]bool{}
	for _, place := range []struct {
		name string
		home *facts.Cluster
	}{{string(shift.Green), &f.Green}, {string(shift.Blue), &f.Blue}, {placeManagement, &f.Management}} {
		for _, a := range place.home.Argo.Applications {
			if a.UID != "" && seen[a.UID] {
				continue
			}
			seen[a.UID] = true
			all = append(all, deployed{Application: a, home: place.home, place: place.name, to: argoTarget(f, place.home, a.Destination)})
		}
	}
	slices.SortFunc(all, func(a, b deployed) int {
		if order := a.Name.Compare(b.Name); order != 0 {
			return order
		}
		return strings.Compare(a.place, b.place)
	})
	return all
}

func argoFinding(code finding.Code, s finding.Severity, d deployed) finding.Finding {
	detail := d.place
	if detail == string(shift.Green) {
		detail = ""
	}
	x := finding.New(code, s, finding.Of(facts.GroupKind{Group: "argoproj.io", Kind: "Application"}, d.Name), detail)
	x.Side = shift.Green
	return x
}

// judgeApplication judges one that deploys to green. What is no better with its
// twin for blue warns instead of blocking.
func judgeApplication(d deployed, twin *deployed) []finding.Finding {
	var found []finding.Finding
	say := func(code finding.Code, worst finding.Severity, alike bool, message, do string) {
		x := argoFinding(code, worst, d)
		if alike && worst == finding.Block {
			x.Severity = finding.Warn
			message += "; so is " + twin.Name.String() + ", which deploys to blue"
		}
		x.Message, x.Do = message, do
		found = append(found, x)
	}
	same := func(of func(deployed) string) bool { return twin != nil && of(*twin) == of(d) }
	if d.Sync != "Synced" || d.Stale {
		say(ArgoOutOfSync, finding.Block, same(syncOf), syncMessage(d), "Sync it, and see in Argo CD what differs.")
	} else if len(d.Errors) > 0 {
		say(ArgoError, finding.Block, same(errorsOf), "it reports an error: "+errorsOf(d), "Mend what the error names.")
	}
	switch d.Health {
	case "Healthy":
	case "Suspended":
		say(ArgoUnhealthy, finding.Warn, false, "something that it deploys is suspended"+detailOf(d.HealthMessage), "Resume it, unless it has to wait for the users.")
	default:
		say(ArgoUnhealthy, finding.Block, same(healthOf), "its health is "+healthOf(d)+detailOf(d.HealthMessage), "Mend what it deploys: Argo CD shows which part is not healthy.")
	}
	switch d.Operation {
	case "Running", "Terminating":
		say(ArgoOperation, finding.Block, false, "an operation is under way ("+d.Operation+")"+detailOf(d.OperationMessage), "Wait for its end.")
	case "Failed", "Error":
		say(ArgoOperation, finding.Warn, false, "its last operation ended as "+d.Operation+detailOf(d.OperationMessage), "Sync it again, and mend what fails.")
	}
	if d.Deleting {
		say(ArgoDeleting, finding.Block, false, "it is being deleted, and what it deployed may go with it", "Find out who deleted it, and make it anew.")
	}
	return found
}

func detailOf(message string) string {
	if message == "" {
		return ""
	}
	return ": " + short(message)
}

func syncOf(d deployed) string { return fmt.Sprint(d.Sync, d.Stale) }

func healthOf(d deployed) string {
	if d.Health == "" {
		return "not told yet"
	}
	return d.Health
}

func syncMessage(d deployed) string {
	message := "it is " + d.Sync
	switch {
	case d.Sync == "":
		message = "Argo CD has not compared it yet"
	case d.Sync == "Unknown":
		message = "Argo CD can't tell whether it is in sync"
	case d.Stale:
		message += ", but for another source than the one that it names now"
	}
	return message + detailOf(errorsOf(d))
}

func errorsOf(d deployed) string {
	told := make([]string, 0, len(d.Errors))
	for _, e := range d.Errors {
		told = append(told, e.Type+": "+short(e.Message))
	}
	return strings.Join(told, "; ")
}
