package rbac

import (
	"slices"
	"strings"
)

// Needs are the rights for what is wanted: no right is among them twice, and none
// in a namespace that holds in the whole cluster.
func (w Wants) Needs() []Need {
	everywhere := map[right]bool{}
	for _, use := range Uses() {
		for _, n := range use.needs(w) {
			for _, r := range n.rights() {
				everywhere[r] = everywhere[r] || n.Namespace == ""
			}
		}
	}
	granted := map[right]bool{}
	var needs []Need
	for _, use := range Uses() {
		first := len(needs)
		for _, n := range use.needs(w) {
			needs = append(needs, n.without(func(r right) bool {
				had := granted[r] || n.Namespace != "" && everywhere[r.in("")]
				granted[r] = true
				return had
			})...)
		}
		for i := first; i < len(needs); i++ {
			if i == first || needs[i].Namespace != needs[i-1].Namespace {
				needs[i].For = use.For
			}
		}
	}
	return needs
}

// right is the smallest part of a need. A path is a resource here: no resource
// begins with a slash.
type right struct{ namespace, group, resource, names, verb string }

func (r right) in(namespace string) right {
	r.namespace = namespace
	return r
}

func (n Need) right(resource, verb string) right {
	return right{n.Namespace, n.Group, resource, strings.Join(n.Names, " "), verb}
}

func (n Need) rights() []right {
	var rights []right
	for _, resource := range slices.Concat(n.Resources, n.URLs) {
		for _, verb := range n.Verbs {
			rights = append(rights, n.right(resource, verb))
		}
	}
	return rights
}

// without gives what is left of a need: one for each set of verbs that is left.
func (n Need) without(had func(right) bool) []Need {
	var left []Need
	add := func(resource string, url bool) {
		verbs := slices.DeleteFunc(slices.Clone(n.Verbs), func(verb string) bool { return had(n.right(resource, verb)) })
		if len(verbs) == 0 {
			return
		}
		i := slices.IndexFunc(left, func(l Need) bool { return slices.Equal(l.Verbs, verbs) })
		if i < 0 {
			i = len(left)
			left = append(left, Need{Namespace: n.Namespace, Group: n.Group, Names: n.Names, Verbs: verbs})
		}
		if url {
			left[i].URLs = append(left[i].URLs, resource)
		} else {
			left[i].Resources = append(left[i].Resources, resource)
		}
	}
	for _, resource := range n.Resources {
		add(resource, false)
	}
	for _, url := range n.URLs {
		add(url, true)
	}
	return left
}
