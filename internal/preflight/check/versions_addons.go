package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// addonSides is one add-on in both clusters.
type addonSides struct {
	id          string
	title       string
	blue, green []facts.Addon
}

func appsKind(kind string) facts.GroupKind { return facts.GroupKind{Group: "apps", Kind: kind} }

// addons holds the add-ons of both clusters side by side, one finding for each
// that differs. It needs all lists in which one could be.
func addons(f *facts.Facts) []finding.Finding {
	for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet"} {
		if !read(&f.Blue, appsKind(kind)) || !read(&f.Green, appsKind(kind)) {
			return nil
		}
	}
	byID := map[string]addonSides{}
	for _, a := range f.Blue.Versions.Addons {
		s := byID[a.ID]
		s.id, s.title, s.blue = a.ID, a.Title, append(s.blue, a)
		byID[a.ID] = s
	}
	for _, a := range f.Green.Versions.Addons {
		s := byID[a.ID]
		s.id, s.title, s.green = a.ID, a.Title, append(s.green, a)
		byID[a.ID] = s
	}
	var found []finding.Finding
	var alike []string
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		a := byID[id]
		x := compareAddon(f, a)
		if x != nil {
			found = append(found, *x)
		} else if len(on(a.blue)) > 0 && len(on(a.green)) > 0 {
			alike = append(alike, strings.TrimPrefix(a.title, "the ")+" "+versionsOf(a.green))
		}
		if x := addonSkew(f, a); x != nil {
			found = append(found, *x)
		}
	}
	if len(alike) > 0 {
		x := finding.New(AddonsAlike, finding.Note, clusterObject(shift.Green), "")
		x.Side, x.Message, x.Do = shift.Green, "the same in blue and green: "+strings.Join(alike, ", "), "Nothing."
		found = append(found, x)
	}
	return found
}

// on leaves out what is scaled to zero.
func on(addons []facts.Addon) []facts.Addon {
	return slices.DeleteFunc(slices.Clone(addons), func(a facts.Addon) bool { return a.Off })
}

// versionsOf lists the versions of an add-on in one cluster, each once.
func versionsOf(addons []facts.Addon) string { return and(tags(addons)) }

func tags(addons []facts.Addon) []string {
	list := make([]string, 0, len(addons))
	for _, a := range addons {
		if a.Version == "" {
			list = append(list, a.Image)
		} else {
			list = append(list, a.Version)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// compareAddon gives what differs; nil: nothing.
func compareAddon(f *facts.Facts, a addonSides) *finding.Finding {
	blue, green := on(a.blue), on(a.green)
	object := finding.Object{Kind: "Addon", Name: a.id}
	tell := func(code finding.Code, s finding.Severity, message, do string) *finding.Finding {
		x := finding.New(code, s, object, "")
		x.Side, x.Message, x.Do = shift.Green, message, do
		return &x
	}
	switch {
	case len(blue) == 0 && len(green) == 0:
		return nil
	case len(blue) == 0:
		return tell(AddonNewer, finding.Note, fmt.Sprintf("green has %s %s, which does not run in blue", a.title, versionsOf(green)), "Nothing, if that is meant.")
	case len(a.green) == 0:
		by := replacement(f, a.id)
		if by == "" {
			return tell(AddonMissing, finding.Block, fmt.Sprintf("blue has %s %s (%s), green has none", a.title, versionsOf(blue), blue[0].Object.Name),
				"Install it in green, or waive this finding if nothing needs it there.")
		}
		return tell(AddonReplaced, finding.Warn, fmt.Sprintf("blue has %s %s, green has %s instead", a.title, versionsOf(blue), by),
			"Check that nothing relies on what only the old one does: annotations, classes, policies.")
	case len(green) == 0:
		return tell(AddonOff, finding.Warn, fmt.Sprintf("%s %s runs in blue and is scaled to zero in green (%s)", a.title, versionsOf(blue), a.green[0].Object.Name),
			"Scale it up, unless it has to wait until blue's is stopped.")
	case slices.Equal(tags(blue), tags(green)):
		return nil
	}
	message := fmt.Sprintf("%s is %s in green and %s in blue", a.title, versionsOf(green), versionsOf(blue))
	order, ok := compareTags(tags(blue), tags(green))
	switch {
	case !ok:
		return tell(AddonDiffers, finding.Warn, message+"; which is newer can't be told", "Check that both are meant.")
	case order < 0:
		return tell(AddonOlder, finding.Warn, message+", so green's is older", "Upgrade it in green to at least blue's version.")
	case order > 0:
		return tell(AddonNewer, finding.Note, message+", so green's is newer", "Read its release notes.")
	}
	return tell(AddonDiffers, finding.Note, message+", of the same release", "Nothing, if both builds are meant.")
}

// compareTags says whether green's versions are older (-1) or newer (1): the
// oldest of each side decides, then the newest. ok is false where one of them
// can't be read.
func compareTags(blue, green []string) (order int, ok bool) {
	b, okBlue := parseAll(blue)
	g, okGreen := parseAll(green)
	if !okBlue || !okGreen {
		return 0, false
	}
	if order := slices.MinFunc(g, version.compare).compare(slices.MinFunc(b, version.compare)); order != 0 {
		return order, true
	}
	return slices.MaxFunc(g, version.compare).compare(slices.MaxFunc(b, version.compare)), true
}

func parseAll(tags []string) ([]version, bool) {
	list := make([]version, 0, len(tags))
	for _, tag := range tags {
		v, ok := parseVersion(tag)
		if !ok {
			return nil, false
		}
		list = append(list, v)
	}
	return list, true
}

// replacement names what in green does the work of an add-on that only blue
// has; empty: nothing that is known to.
func replacement(f *facts.Facts, id string) string {
	networks := []string{"vpc-cni", "cilium", "calico"}
	doors := []string{"ingress-nginx", "nginx-ingress", "traefik", "contour", "kong", "haproxy-ingress", "envoy-gateway", "nginx-gateway", "istio", "aws-load-balancer-controller"}
	by := map[string][]string{
		"cluster-autoscaler":       {"karpenter"},
		"node-termination-handler": {"karpenter"},
		"kube-proxy":               {"cilium", "calico"},
		"vpc-cni":                  networks,
		"cilium":                   networks,
		"calico":                   networks,
		"pod-identity-webhook":     {"pod-identity-agent"},
	}
	for _, door := range doors {
		if door != "istio" && door != "aws-load-balancer-controller" {
			by[door] = doors
		}
	}
	for _, other := range by[id] {
		for _, a := range on(f.Green.Versions.Addons) {
			if a.ID == other && other != id {
				return strings.TrimPrefix(a.Title, "the ") + " " + a.Version
			}
		}
	}
	if autoMode(f.Green.Versions.Nodes) && slices.Contains(byAutoMode(), id) {
		return "EKS Auto Mode"
	}
	return ""
}

// byAutoMode are the add-ons whose work EKS Auto Mode does out of sight:
// https://docs.aws.amazon.com/eks/latest/userguide/automode.html
func byAutoMode() []string {
	return []string{
		"coredns", "kube-proxy", "vpc-cni", "ebs-csi", "pod-identity-agent", "karpenter", "cluster-autoscaler",
		"node-termination-handler", "aws-load-balancer-controller",
	}
}

// autoMode: all nodes are of EKS Auto Mode. Beside others the add-ons are needed.
func autoMode(nodes map[facts.Node]int) bool {
	for n := range nodes {
		if !n.Auto {
			return false
		}
	}
	return len(nodes) > 0
}

// addonSkew holds the parts that are made for one version of Kubernetes against
// green's API server.
func addonSkew(f *facts.Facts, a addonSides) *finding.Finding {
	server, ok := parseVersion(f.Green.Versions.Server)
	if !ok || a.id != "kube-proxy" && a.id != "cluster-autoscaler" {
		return nil
	}
	object := finding.Object{Kind: "Addon", Name: a.id}
	var bad, unknown []string
	for _, tag := range tags(on(a.green)) {
		switch v, ok := parseVersion(tag); {
		case !ok:
			unknown = append(unknown, tag)
		case a.id == "kube-proxy" && !v.suits(server), a.id == "cluster-autoscaler" && v.compareMinor(server) != 0:
			bad = append(bad, tag)
		}
	}
	var x finding.Finding
	switch {
	case len(bad) > 0 && a.id == "kube-proxy":
		x = finding.New(AddonSkew, finding.Block, object, "")
		x.Message = fmt.Sprintf("green's kube-proxy is %s; its API server %s supports %d.%d to %s",
			and(bad), f.Green.Versions.Server, server.major, server.oldestFor(), server.short())
		x.Do = "Install the kube-proxy that is made for green's Kubernetes version."
	case len(bad) > 0:
		x = finding.New(AddonSkew, finding.Warn, object, "")
		x.Message = fmt.Sprintf("green's cluster autoscaler is %s and its API server %s; they are tested together with the same minor alone",
			and(bad), f.Green.Versions.Server)
		x.Do = "Install the autoscaler of green's minor: it decides by the scheduler's rules of its own version."
	case len(unknown) > 0 && a.id == "kube-proxy":
		x = finding.New(VersionUnknown, finding.Block, object, "")
		x.Message = fmt.Sprintf("the version of green's kube-proxy can't be told from %s", and(unknown))
		x.Do = "Check by hand that it suits green's API server, then waive this finding."
	default:
		return nil
	}
	x.Side = shift.Green
	return &x
}
