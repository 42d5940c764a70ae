package config

import (
	"fmt"
	"regexp"
	"strings"
)

// pair checks everything of a pair but its traffic.
func (c *checker) pair(path string, p *Pair) {
	c.cluster(path+".blue", p.Blue)
	c.cluster(path+".green", p.Green)
	c.sameCluster(path+".green", p.Blue, p.Green)
	c.preflight(path+".preflight", p.Preflight)
	c.workloads(path+".workloads", p.Workloads)
	c.probes(path, p)
	c.steps(path+".steps", p.Steps)
	c.singletons(path+".singletons", p)
	c.gates(path, p)
	c.observedShare(path+".observedShare", p)
	c.windows(path+".windows", p.Windows)
	c.freezes(path+".freezes", p.Freezes)
	c.capacity(path+".standby.capacity", p)
	c.retire(path+".retire", p.Retire)
}

func (c *checker) workloads(path string, w Workloads) {
	seen := unique{}
	for i, namespace := range w.Namespaces {
		at := fmt.Sprintf("%s.namespaces[%d]", path, i)
		c.label(at, namespace)
		c.unique(seen, at, namespace, "is listed twice", "keep one")
	}
	// Names of workloads are DNS subdomains: labels joined by dots.
	pattern := regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?/(\*|[a-z0-9]([-.a-z0-9]*[a-z0-9])?)$`)
	for i, ignored := range w.Ignore {
		c.matches(fmt.Sprintf("%s.ignore[%d]", path, i), ignored, pattern, "a workload", "namespace/name, or namespace/* for a whole namespace")
	}
}

// exactlyOne notes a fault unless exactly one of the kinds is given. A kind that is given but could not be read counts.
func (c *checker) exactlyOne(path string, given map[string]bool, kinds string) {
	count := 0
	for kind, ok := range given {
		if ok || c.faulty[path+"."+kind] {
			count++
		}
	}
	switch {
	case count == 0:
		c.faultf(path, "has no kind; give it one of %s", kinds)
	case count > 1:
		c.faultf(path, "has %d kinds; give it exactly one of %s", count, kinds)
	}
}

// headers checks headers that are sent with a request.
func (c *checker) headers(path string, headers map[string]string) {
	token := regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
	for name, value := range headers {
		at := join(path, name)
		switch {
		case strings.EqualFold(name, "Host"):
			c.faultf(at, "cannot be sent as a header; use the key host instead")
		case !token.MatchString(name):
			c.faultf(at, "is not a header name; use letters, digits and -")
		case strings.ContainsAny(value, "\r\n\x00"):
			c.faultf(at, "holds a line break; keep the value on one line")
		}
	}
}

// steps checks that shares rise strictly up to 100.
func (c *checker) steps(path string, steps []Step) {
	before := 0
	for i, step := range steps {
		at := fmt.Sprintf("%s[%d].share", path, i)
		if c.faulty[at] || step.Share == 0 {
			continue
		}
		if step.Share <= before {
			c.faultf(at, "%d is not more than the %d of the step before; let the shares rise from step to step", step.Share, before)
		}
		before = max(before, step.Share)
	}
	last := len(steps) - 1
	if last >= 0 && steps[last].Share != 100 {
		c.faultf(fmt.Sprintf("%s[%d].share", path, last), "%d leaves traffic on blue for ever; let the last step be 100", steps[last].Share)
	}
}
