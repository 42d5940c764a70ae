package config

import "fmt"

// notifications checks who is told; pairs are the names that there are.
func (c *checker) notifications(pairs unique) {
	names := unique{}
	for i, n := range c.config.Notifications {
		path := fmt.Sprintf("notifications[%d]", i)
		c.label(path+".name", n.Name)
		c.unique(names, path+".name", n.Name, "is the name of another notification", "choose a name of its own")
		switch {
		case n.URL != "" && n.URLFile != "":
			c.faultf(path+".urlFile", "stands beside url; remove one of the two")
		case n.URL != "":
			c.url(path+".url", n.URL)
		case n.URLFile == "":
			c.faultf(path, "says not where to send; set url, or urlFile where the URL is a secret")
		}
		if n.SecretFile != "" && n.Format == "slack" {
			c.faultf(path+".secretFile", "has no effect with slack, which takes no signature; remove it")
		}
		for j, pair := range n.Pairs {
			if _, known := pairs[pair]; !known {
				c.faultf(fmt.Sprintf("%s.pairs[%d]", path, j), "there is no pair %q; use a name of pairs[].name", pair)
			}
		}
	}
}
