package retire

import (
	"fmt"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// The codes of what remains, and of what could not be read.
const (
	ClusterUnreadable finding.Code = finding.ClusterUnreadable
	NotChecked        finding.Code = finding.NotChecked
	TrafficNotRead    finding.Code = "TrafficNotRead"
	VolumesGo         finding.Code = "VolumesGo"
	ClaimsGo          finding.Code = "ClaimsGo"
	BalancersStay     finding.Code = "BalancersStay"
	GreenComesByBlue  finding.Code = "GreenComesByBlue"
	HeldLeftBehind    finding.Code = "HeldLeftBehind"
	FloorsHeld        finding.Code = "FloorsHeld"
)

func remainsCheck() Check {
	return Check{
		Name: "remains", Answers: "Could everything be read, and what goes or stays with the cluster?", run: remains,
		Codes: []finding.Doc{
			{Code: ClusterUnreadable, Meaning: "A cluster can't be read at all, so nothing of it was checked.", Do: "Mend the access to the cluster."},
			{Code: NotChecked, Meaning: "Something of a cluster can't be read, so it was not checked.", Do: "Give the right to read it."},
			{Code: TrafficNotRead, Meaning: "Something of the entrances can't be read at AWS.", Do: "Let AWS be read."},
			{Code: VolumesGo, Meaning: "Volumes of blue are deleted with their claims.", Do: "Make sure that green has the data."},
			{Code: ClaimsGo, Meaning: "StatefulSets of blue keep data in volumes.", Do: "Make sure that green has the data."},
			{Code: BalancersStay, Meaning: "Load balancers of blue outlive the cluster where it is deleted before their Services and Ingresses.", Do: "Delete these first."},
			{Code: GreenComesByBlue, Meaning: "Users of green come by a load balancer that belongs to an object of blue.", Do: "Give them a load balancer that is owned outside of both clusters."},
			{Code: HeldLeftBehind, Meaning: "An object still has an annotation by which clusterswitch holds it or has handed it over.", Do: "On blue nothing; on green look at the pair's status."},
			{Code: FloorsHeld, Meaning: "By the journal a pair still holds floors of autoscalers.", Do: "Look at the pair's status."},
		},
	}
}

func remains(f *Facts) outcome {
	var o outcome
	o.coverage(&f.Blue, shift.Blue)
	for i := range f.Greens {
		o.coverage(&f.Greens[i], shift.Green)
	}
	if f.Traffic.Fault != "" {
		o.add(unknown(TrafficNotRead, finding.Object{Kind: "Traffic"}, "", "AWS was not asked: "+f.Traffic.Fault, "Let AWS be read."))
	}
	for _, g := range f.Traffic.Gaps {
		x := unknown(TrafficNotRead, finding.Object{Kind: "Traffic"}, g.What, fmt.Sprintf("%s can't be read: %s", g.What, g.Why), "Let AWS be read; `clusterswitch policy` prints what it takes.")
		if g.Optional { // what follows from it is a finding of the check of silence
			x.Severity, x.Unknown = finding.Warn, false
		}
		o.add(x)
	}
	o.goes(f)
	o.shared(f)
	o.held(&f.Blue, shift.Blue)
	for i := range f.Greens {
		o.held(&f.Greens[i], shift.Green)
	}
	for _, p := range f.Pairs {
		if p.Fault == "" && p.State.FloorsHeld {
			o.add(of(FloorsHeld, finding.Note, pairObject(p.Name), "", fmt.Sprintf("pair %s still holds floors of autoscalers", p.Name), "See `clusterswitch status`: they are given back once both clusters can be written."))
		}
	}
	return o
}

// coverage turns what could not be read into findings.
func (o *outcome) coverage(c *facts.Cluster, side shift.Side) {
	about := finding.Object{Kind: "Cluster", Name: string(side)}
	if side == shift.Green {
		about.Name = string(side) + " " + c.Name
	}
	if c.Fault != "" {
		x := unknown(ClusterUnreadable, about, "", fmt.Sprintf("%s (%s) can't be read: %s", side, c.Name, c.Fault), "Mend the access to the cluster; nothing of it was checked.")
		x.Side = side
		o.add(x)
		return
	}
	for _, g := range c.Gaps {
		x := unknown(NotChecked, about, g.What, fmt.Sprintf("%s of %s can't be read: %s", g.What, side, g.Why), "Give the right to read it; `clusterswitch rbac` prints what it takes.")
		x.Side = side
		if g.Optional {
			x.Severity, x.Unknown = finding.Warn, false
		}
		o.add(x)
	}
	if len(c.Gaps) == 0 {
		o.show(fmt.Sprintf("%s (%s, Kubernetes %s) was read: %d kinds of objects.", side, c.Name, c.Versions.Server, len(c.Objects)))
	}
}

// goes says what is lost with the cluster, and what is not.
func (o *outcome) goes(f *Facts) {
	about := finding.Object{Kind: "Cluster", Name: string(shift.Blue)}
	if all := f.Blue.Retiring.Volumes; len(all) > 0 {
		names := make([]string, len(all))
		for i, v := range all {
			if names[i] = v.Name; v.Claim.Name != "" {
				names[i] += " (" + v.Claim.String() + ")"
			}
		}
		o.add(of(VolumesGo, finding.Note, about, "", fmt.Sprintf("%d volumes of blue have the reclaim policy Delete: who deletes their claims or namespaces deletes the disks, and who deletes the cluster alone leaves them behind: %s", len(all), listed(names)),
			"Make sure that green has the data, and take a last snapshot."))
	}
	if all := f.Blue.Retiring.Claims; len(all) > 0 {
		names := make([]string, len(all))
		for i, s := range all {
			names[i] = s.Name.String()
		}
		o.add(of(ClaimsGo, finding.Note, about, "", fmt.Sprintf("%d StatefulSets of blue keep data in volumes: %s", len(all), listed(names)), "Make sure that green has the data."))
	}
	var owners []string
	for _, open := range openObjects(&f.Blue.Network) {
		if len(open.addresses) > 0 {
			owners = append(owners, open.about.String())
		}
	}
	if len(owners) > 0 {
		o.add(of(BalancersStay, finding.Note, about, "", fmt.Sprintf("load balancers of %d objects of blue outlive the cluster where it is deleted before them: %s", len(owners), listed(owners)),
			"Delete these objects while their controllers run, and look that the load balancers are gone."))
	}
}

// shared looks for load balancers that belong to objects of blue and carry users
// of green: they go with these objects.
func (o *outcome) shared(f *Facts) {
	own := ownBalancers(f)
	for _, open := range openObjects(&f.Blue.Network) {
		for _, at := range open.addresses {
			arn := balancerAt(&f.Traffic, at)
			if arn == "" || own[arn] {
				continue
			}
			o.add(of(GreenComesByBlue, finding.Block, open.about, at, fmt.Sprintf("load balancer %s belongs to %s of blue, and users of green come by it, too", at, open.about),
				"Move green's users to a load balancer that is owned outside of both clusters; this one goes with blue's object."))
		}
	}
}

func (o *outcome) held(c *facts.Cluster, side shift.Side) {
	for _, h := range c.Retiring.Held {
		about := finding.Of(h.GroupKind, h.Name)
		x := of(HeldLeftBehind, finding.Note, about, h.Annotation, fmt.Sprintf("%s of %s has the annotation %s", about, side, h.Annotation), "On blue it goes with the cluster; on green see `clusterswitch status`.")
		x.Side = side
		o.add(x)
	}
}
