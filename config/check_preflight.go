package config

import (
	"fmt"
	"path"
	"time"
)

func (c *checker) preflight(at string, p Preflight) {
	for i, ignore := range p.Ignore {
		c.preflightIgnore(fmt.Sprintf("%s.ignore[%d]", at, i), ignore)
	}
	c.preflightEntrances(at+".entrances", p.Entrances)
	c.preflightArgoCD(at+".argocd", p.ArgoCD)
	c.preflightMetrics(at+".metrics", p.Metrics)
	seen := unique{}
	for i, w := range p.Waivers {
		waiver := fmt.Sprintf("%s.waivers[%d]", at, i)
		c.unique(seen, waiver+".id", w.ID, "is waived twice", "keep one")
		if _, err := time.Parse(time.DateOnly, w.Until); w.Until != "" && err != nil {
			c.faultf(waiver+".until", "%q is not a day; write it as 2027-01-31", w.Until)
		}
	}
}

func (c *checker) preflightIgnore(at string, ignore PreflightIgnore) {
	if ignore == (PreflightIgnore{}) {
		c.faultf(at, "matches every object; give it one of group, kind, namespace or name")
	}
	for key, pattern := range map[string]string{"group": ignore.Group, "kind": ignore.Kind, "namespace": ignore.Namespace, "name": ignore.Name} {
		if _, err := path.Match(pattern, ""); err != nil {
			c.faultf(at+"."+key, "%q is not a pattern; use letters with * and ?", pattern)
		}
	}
}

// Ends gives the moment from which the waiver no longer counts.
func (w Waiver) Ends() time.Time {
	day, _ := time.Parse(time.DateOnly, w.Until) // Parse of this package has checked it
	return day
}
