package config

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/promql"
)

// retire checks what is asked of blue before it may be deleted.
func (c *checker) retire(path string, r Retire) {
	seen := unique{}
	for i := range r.Queries {
		q, at := &r.Queries[i], fmt.Sprintf("%s.queries[%d]", path, i)
		c.label(at+".name", q.Name)
		c.unique(seen, at+".name", q.Name, "is the name of another query", "choose a name of its own")
		if !c.faulty[at+".server"] {
			c.prometheus(at+".server", &q.Server)
		}
		if len(q.Server.Match) > 0 {
			c.faultf(at+".server.match", "has no effect on a query; write the labels into the query")
		}
		if _, err := promql.Parse(q.Query); err != nil && !c.faulty[at+".query"] {
			c.faultf(at+".query", "is not PromQL: %v", err)
		}
	}
	names := unique{}
	for i, name := range r.Names {
		at := fmt.Sprintf("%s.names[%d]", path, i)
		switch {
		case len(strings.TrimSpace(name)) < shortestRetireName:
			c.faultf(at, "%q is too short: it would be found everywhere; use a word of at least %d letters", name, shortestRetireName)
		case strings.ContainsAny(name, " \t\r\n"):
			c.faultf(at, "%q is more than one word; list each word by itself", name)
		default:
			c.unique(names, at, strings.ToLower(name), "is listed twice", "keep one")
		}
	}
	pattern := regexp.MustCompile(`^[A-Z*][A-Za-z0-9*]*/([-a-z0-9*]*)/[^/ ]+$`)
	ignored := unique{}
	for i, object := range r.Ignore {
		at := fmt.Sprintf("%s.ignore[%d]", path, i)
		c.matches(at, object, pattern, "an object", "kind/namespace/name, such as ConfigMap/shop/former, with * for any letters; Kind//name has no namespace")
		c.unique(ignored, at, object, "is listed twice", "keep one")
	}
}

// shortestRetireName is the least length of a word by which green may refer to blue.
const shortestRetireName = 4
