package check

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// argoTarget says which side a destination leads to; empty: neither, both by the
// same name, or a name that nobody explained.
func argoTarget(f *facts.Facts, home *facts.Cluster, d facts.Destination) shift.Side {
	blue, green := leadsTo(f, home, d, &f.Blue, f.Settings.Argo.Blue), leadsTo(f, home, d, &f.Green, f.Settings.Argo.Green)
	switch {
	case green && !blue:
		return shift.Green
	case blue && !green:
		return shift.Blue
	}
	return ""
}

// leadsTo tells whether the destination is the cluster. Argo CD knows its own
// cluster as in-cluster, and clusters of EKS also by their ARN.
func leadsTo(f *facts.Facts, home *facts.Cluster, d facts.Destination, c *facts.Cluster, names []string) bool {
	if inCluster(d) {
		return home == c || home == &f.Management && sameServer(home.Address, c.Address)
	}
	if sameServer(d.Server, c.Address) {
		return true
	}
	return slices.ContainsFunc(names, func(name string) bool {
		return slices.ContainsFunc([]string{d.Server, d.Cluster}, func(told string) bool {
			return told != "" && (arnName(told) == arnName(name) || sameServer(told, name))
		})
	})
}

func inCluster(d facts.Destination) bool {
	u, err := url.Parse(d.Server)
	own := err == nil && slices.Contains([]string{"kubernetes.default.svc", "kubernetes.default", "kubernetes.default.svc.cluster.local"}, u.Hostname())
	return own || d.Server == "" && d.Cluster == "in-cluster"
}

// arnName gives the name at the end of the ARN of an EKS cluster.
func arnName(s string) string {
	if _, name, ok := strings.Cut(s, ":cluster/"); ok && strings.HasPrefix(s, "arn:") {
		return name
	}
	return s
}

// sameServer compares two URLs of API servers by host and port.
func sameServer(a, b string) bool {
	x, y := hostPort(a), hostPort(b)
	return x != "" && x == y
}

// hostPort gives host:port in lower case; empty: it is no URL of a server.
func hostPort(server string) string {
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" {
		return ""
	}
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "http":
		port = "80"
	default:
		port = "443"
	}
	return strings.ToLower(net.JoinHostPort(strings.TrimSuffix(u.Hostname(), "."), port))
}

// twins finds the Application that does for one side what another does for the
// other. Names and paths often hold the cluster's name.
type twins struct {
	tokens map[shift.Side][]string
}

func newTwins(f *facts.Facts) twins {
	t := twins{tokens: map[shift.Side][]string{}}
	for side, names := range map[shift.Side][]string{shift.Blue: f.Settings.Argo.Blue, shift.Green: f.Settings.Argo.Green} {
		own := []string{string(side)}
		for _, name := range names {
			own = append(own, arnName(name))
		}
		// A longer one may hold a shorter one.
		slices.SortFunc(own, func(a, b string) int { return len(b) - len(a) })
		t.tokens[side] = own
	}
	return t
}

// neutral takes the side's own names out.
func (t twins) neutral(side shift.Side, s string) string {
	for _, token := range t.tokens[side] {
		s = strings.ReplaceAll(s, token, "\x00")
	}
	return s
}

// of finds the twin among Applications of the other side; nil: there is none.
func (t twins) of(d deployed, among []deployed) *deployed {
	for _, alike := range []func(a, b deployed) bool{
		func(a, b deployed) bool { return a.Name == b.Name && a.home != b.home },
		func(a, b deployed) bool {
			return a.place == b.place && a.Namespace == b.Namespace && t.neutral(a.to, a.Name.Name) == t.neutral(b.to, b.Name.Name)
		},
		func(a, b deployed) bool {
			return len(a.Sources) > 0 && t.neutral(a.to, a.Destination.Namespace) == t.neutral(b.to, b.Destination.Namespace) &&
				slices.Equal(t.sources(a), t.sources(b))
		},
	} {
		if i := slices.IndexFunc(among, func(o deployed) bool { return alike(d, o) }); i >= 0 {
			return &among[i]
		}
	}
	return nil
}

// sources leaves out the revision: green may be tried with another one.
func (t twins) sources(d deployed) []facts.ArgoSource {
	kept := make([]facts.ArgoSource, 0, len(d.Sources))
	for _, s := range d.Sources {
		kept = append(kept, facts.ArgoSource{Repo: s.Repo, Path: t.neutral(d.to, s.Path), Chart: s.Chart})
	}
	return kept
}

// argoSets judges ApplicationSets that report an error.
func argoSets(f *facts.Facts, green []deployed) []finding.Finding {
	var found []finding.Finding
	seen := map[string]bool{}
	for _, place := range []struct {
		name string
		home *facts.Cluster
	}{{"", &f.Green}, {placeManagement, &f.Management}, {string(shift.Blue), &f.Blue}} {
		for _, s := range place.home.Argo.Sets {
			made := slices.ContainsFunc(green, func(d deployed) bool {
				return d.home == place.home && d.Set == s.Name.Name && d.Namespace == s.Namespace
			})
			again := s.UID != "" && seen[s.UID]
			seen[s.UID] = true
			if again || place.home == &f.Blue && !made {
				continue
			}
			severity, alike := finding.Warn, place.home == &f.Green && setFails(&f.Blue, s.Name)
			if (made || place.home == &f.Green) && !alike {
				severity = finding.Block
			}
			x := finding.New(ArgoSetError, severity, finding.Of(facts.GroupKind{Group: "argoproj.io", Kind: "ApplicationSet"}, s.Name), place.name)
			x.Side, x.Message = shift.Green, "it reports an error: "+short(s.Message)
			if alike {
				x.Message += "; so does blue's"
			}
			x.Do = "Mend what the error names: until then Applications may be missing or old."
			found = append(found, x)
		}
	}
	return found
}

func setFails(c *facts.Cluster, n facts.Name) bool {
	return slices.ContainsFunc(c.Argo.Sets, func(s facts.ApplicationSet) bool { return s.Name == n })
}

// argoUnknown warns when nothing leads to green though Applications lead to
// clusters that nobody explained.
func argoUnknown(f *facts.Facts, all []deployed, green int) []finding.Finding {
	var told []string
	for _, d := range all {
		if d.to != "" || d.home == &f.Management && inCluster(d.Destination) {
			continue
		}
		for _, s := range []string{d.Destination.Cluster, d.Destination.Server} {
			if s != "" {
				told = append(told, s)
				break
			}
		}
	}
	if green > 0 || len(told) == 0 {
		return nil
	}
	slices.Sort(told)
	told = slices.Compact(told)
	const most = 5
	listed := and(told)
	if len(told) > most {
		listed = strings.Join(told[:most], ", ") + fmt.Sprintf(" and %d others", len(told)-most)
	}
	x := finding.New(ArgoDestinationUnknown, finding.Warn, finding.Object{Kind: "Cluster", Name: string(shift.Green)}, "")
	x.Side = shift.Green
	x.Message = fmt.Sprintf("Applications of Argo CD deploy to %s; none of these is known to be green", listed)
	x.Do = "If one of them is green, set preflight.argocd.greenDestination to it."
	return []finding.Finding{x}
}
