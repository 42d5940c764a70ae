package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

const instance = "instance"

func (w *ways) services() {
	for _, s := range w.net.Services {
		o := finding.Of(facts.GroupKind{Kind: "Service"}, s.Name)
		front := w.fronts[s.Name]
		switch {
		case w.served("Service", s.Name) || w.reach.leads(s.Addresses):
		case len(s.Addresses) > 0: // a way of its own, whatever else leads to its pods
			w.undeclared(o, w.reach.noPlaces, "has the load balancer "+strings.Join(s.Addresses, ", "), s.Internal || w.internal(s.Addresses))
		case front.ports != "" || front.pods != "" && s.Type == "LoadBalancer" || w.targeted(s):
		case s.Type == "LoadBalancer":
			w.undeclared(o, w.reach.noPlaces, "asks for a load balancer of its own, which it doesn't name yet", s.Internal)
		case front.pods != "":
			w.found = append(w.found, openPorts(o, s, front.pods))
		default:
			w.undeclared(o, w.reach.noGroups, "is open on the node ports "+portsOf(s), false)
		}
	}
}

// front is what is in front of a Service: what uses its node ports, and what goes
// to its pods directly. Empty: nothing does.
type front struct{ ports, pods string }

// index finds what is in front of Services once for all of them.
func (w *ways) index() {
	for _, s := range w.net.Services {
		for _, at := range s.Addresses {
			w.ofServices[placeOf(at)] = true
		}
	}
	add := func(n facts.Name, o finding.Object, byPorts bool) {
		had := w.fronts[n]
		if byPorts {
			had.ports = o.String()
		} else {
			had.pods = o.String()
		}
		w.fronts[n] = had
	}
	for _, b := range w.net.Bindings {
		typ := b.TargetType
		if typ == "" {
			typ = w.f.Traffic.Groups[b.GroupARN].TargetType
		}
		add(facts.Name{Namespace: b.Namespace, Name: b.Service}, finding.Of(b.GroupKind, b.Name), typ == "" || typ == instance)
	}
	for _, i := range w.net.Ingresses {
		byPorts := w.makesBalancer(i) && (i.TargetType == "" || i.TargetType == instance) // the controller's default
		for _, service := range i.Services {
			add(facts.Name{Namespace: i.Namespace, Name: service}, finding.Of(facts.GroupKind{Group: "networking.k8s.io", Kind: "Ingress"}, i.Name), byPorts)
		}
	}
	for _, r := range w.net.Routes {
		for _, service := range r.Services {
			add(service, finding.Of(r.GroupKind, r.Name), false)
		}
	}
}

// makesBalancer tells whether an Ingress is of the class for which a load balancer
// is made, by the aws-load-balancer-controller or by EKS Auto Mode.
func (w *ways) makesBalancer(i facts.Ingress) bool {
	return i.Class == "alb" || strings.HasSuffix(w.net.IngressClasses[i.Class], "/alb")
}

// targeted tells whether a declared target group of instances sends to one of the
// Service's node ports: the nodes are then registered by somebody else than a
// TargetGroupBinding, by an Auto Scaling group for instance.
func (w *ways) targeted(s facts.Service) bool {
	return slices.ContainsFunc(w.reach.groups, func(arn string) bool {
		g := w.f.Traffic.Groups[arn]
		return g.TargetType == instance && slices.ContainsFunc(s.NodePorts, func(p int) bool {
			return p == g.Port || slices.Contains(g.TargetPorts, p)
		})
	})
}

func openPorts(o finding.Object, s facts.Service, front string) finding.Finding {
	x := finding.New(NodePortOpen, finding.Warn, o, "")
	x.Side = shift.Blue
	x.Message = fmt.Sprintf("%s of blue is open on the node ports %s although %s goes to its pods directly: who comes by the node ports would stay on blue", o, portsOf(s), front)
	x.Do = "Make it ClusterIP, or name it in `preflight.entrances` if nobody comes by its node port."
	return x
}

func portsOf(s facts.Service) string {
	ports := make([]string, len(s.NodePorts))
	for i, p := range s.NodePorts {
		ports[i] = fmt.Sprint(p)
	}
	return strings.Join(ports, ", ")
}

// otherSides looks for bindings of the other side's target groups.
func otherSides(f *facts.Facts) []finding.Finding {
	var found []finding.Finding
	for _, side := range []shift.Side{shift.Blue, shift.Green} {
		other := shift.Green
		if side == shift.Green {
			other = shift.Blue
		}
		own, others := reachOf(&f.Traffic, side).groups, reachOf(&f.Traffic, other).groups
		for _, b := range f.Side(side).Network.Bindings {
			if !binds(b, others) || binds(b, own) {
				continue
			}
			x := finding.New(TargetGroupOfOtherSide, finding.Block, finding.Of(b.GroupKind, b.Name), string(side))
			x.Side = side
			x.Message = fmt.Sprintf("%s of %s registers %s's pods in %s's target group %s%s", x.Object, side, side, other, b.GroupARN, b.GroupName)
			x.Do = fmt.Sprintf("Give %s's binding the target group of %s; two clusters that bind one group take each other's targets out.", side, side)
			found = append(found, x)
		}
	}
	return found
}

// greenTargets looks for what registers green's pods, where bindings do it for
// blue's.
func greenTargets(f *facts.Facts) []finding.Finding {
	var found []finding.Finding
	green := reachOf(&f.Traffic, shift.Green)
	for _, e := range f.Traffic.Entrances {
		for _, b := range f.Blue.Network.Bindings {
			switch {
			case e.Balancer != nil && binds(b, []string{e.Balancer.BlueTargetGroupARN}):
				found = append(found, bound(f, e.Name, b, []string{e.Balancer.GreenTargetGroupARN})...)
			case e.Route53 != nil && len(green.noGroups) == 0 && binds(b, behind(&f.Traffic, e, shift.Blue)):
				if groups := behind(&f.Traffic, e, shift.Green); len(groups) > 0 {
					found = append(found, bound(f, e.Name, b, groups)...)
				}
			}
		}
	}
	return found
}

// behind are the target groups of the load balancers that a side's records lead to.
func behind(t *facts.Traffic, e facts.Entrance, side shift.Side) []string {
	var groups []string
	for _, r := range e.Records {
		for _, arn := range r.Balancers {
			if r.Side == side {
				groups = append(groups, t.Balancers[arn].Groups...)
			}
		}
	}
	return groups
}

// bound looks for green's counterpart of a binding of blue, which binds one of
// green's groups. Behind a record that leads to several groups it has the same
// name.
func bound(f *facts.Facts, entrance string, blue facts.Binding, groups []string) []finding.Finding {
	if f.Green.Fault != "" {
		return nil
	}
	if _, known := f.Green.Objects[blue.GroupKind]; !known && f.Green.Serves(blue.GroupKind) != nil {
		return nil // a gap tells that it can't be read
	}
	var candidates []facts.Binding
	for _, b := range f.Green.Network.Bindings {
		if binds(b, groups) {
			candidates = append(candidates, b)
		}
	}
	o := finding.Of(blue.GroupKind, blue.Name)
	same := func(b facts.Binding) bool {
		return b.Namespace == blue.Namespace && b.Service == blue.Service && b.Port == blue.Port
	}
	switch {
	case slices.ContainsFunc(candidates, same):
		return nil
	case len(groups) == 1 && len(candidates) > 0:
		x := finding.New(GreenTargetsOfOtherService, finding.Warn, o, entrance)
		x.Side = shift.Green
		x.Message = fmt.Sprintf("entrance %s leads to Service %s port %s in blue and to Service %s port %s in green", entrance,
			facts.Name{Namespace: blue.Namespace, Name: blue.Service}, blue.Port,
			facts.Name{Namespace: candidates[0].Namespace, Name: candidates[0].Service}, candidates[0].Port)
		x.Do = "Let both bindings name the same Service, or waive the finding if that is meant."
		return []finding.Finding{x}
	}
	x := finding.New(GreenTargetsNotBound, finding.Block, o, entrance)
	x.Side = shift.Green
	x.Message = fmt.Sprintf("%s of blue registers the pods of Service %s behind entrance %s, and green has no TargetGroupBinding that does it for green's target group %s",
		o, facts.Name{Namespace: blue.Namespace, Name: blue.Service}, entrance, listNames(groups))
	x.Do = "Create in green a TargetGroupBinding of green's target group for the same Service."
	return []finding.Finding{x}
}
