package config

import (
	"fmt"
	"regexp"
)

func (c *checker) preflightEntrances(at string, entrances []PreflightEntrance) {
	seen := map[PreflightEntrance]string{}
	for i, e := range entrances {
		path := fmt.Sprintf("%s[%d]", at, i)
		if e.Namespace != "" {
			c.label(path+".namespace", e.Namespace)
		}
		if e.Name != "" {
			c.matches(path+".name", e.Name, regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$`), "the name of an object", "up to 253 of a-z, 0-9, - and .")
		}
		if first, again := seen[e]; again {
			c.faultf(path, "names the object of %s again; keep one", first)
		}
		seen[e] = path
	}
}
