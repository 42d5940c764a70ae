package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Named tells whether anything is to be handed over.
func (s Singletons) Named() bool {
	return len(s.CronJobs)+len(s.Deployments)+len(s.StatefulSets) > 0
}

// singletons checks what is handed over, and when.
func (c *checker) singletons(path string, p *Pair) {
	s := p.Singletons
	seen := unique{}
	for _, list := range []struct {
		key, kind string
		names     []string
		wildcard  bool
	}{
		{"cronJobs", "a CronJob", s.CronJobs, true},
		{"deployments", "a Deployment", s.Deployments, false},
		{"statefulSets", "a StatefulSet", s.StatefulSets, false},
	} {
		for i, name := range list.names {
			at := fmt.Sprintf("%s.%s[%d]", path, list.key, i)
			c.singleton(at, name, list.kind, list.wildcard)
			c.unique(seen, at, list.key+" "+name, "is listed twice", "keep one")
			namespace, _, _ := strings.Cut(name, "/")
			if whole := namespace + "/*"; list.wildcard && name != whole && slices.Contains(list.names, whole) && !c.faulty[at] {
				c.faultf(at, "is one of %s, which is listed too; keep one of the two", whole)
			}
		}
	}
	c.singletonsAt(path+".at", s, p.Steps)
}

// singleton checks one name. Namespaces are DNS labels; names of what is handed over are DNS subdomains.
func (c *checker) singleton(path, name, kind string, wildcard bool) {
	pattern := `^[a-z0-9]([-a-z0-9]*[a-z0-9])?/[a-z0-9]([-.a-z0-9]*[a-z0-9])?$`
	want := "namespace/name"
	switch {
	case wildcard:
		pattern = `^[a-z0-9]([-a-z0-9]*[a-z0-9])?/(\*|[a-z0-9]([-.a-z0-9]*[a-z0-9])?)$`
		want = "namespace/name, or namespace/* for a whole namespace"
	case strings.HasSuffix(name, "/*"):
		c.faultf(path, "%q names a whole namespace, which only cronJobs may; list each by its name", name)
		return
	}
	c.matches(path, name, regexp.MustCompile(pattern), kind, want)
}

// singletonsAt checks that the hand-over is at a step: between two nothing waits for it.
func (c *checker) singletonsAt(path string, s Singletons, steps []Step) {
	if !s.Named() || s.At == 100 || len(steps) == 0 || c.faulty[path] { // the last step is 100, or a fault
		return
	}
	shares := make([]string, len(steps))
	for i, step := range steps {
		if step.Share == s.At || step.Share == 0 { // one that could not be read is a fault of its own
			return
		}
		shares[i] = fmt.Sprint(step.Share)
	}
	c.faultf(path, "%d is the share of no step; use one of %s", s.At, strings.Join(shares, ", "))
}
