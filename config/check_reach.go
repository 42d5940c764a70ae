package config

import (
	"fmt"

	"github.com/clusterswitch/clusterswitch/internal/reach"
)

// allowLinkLocal checks what of the link-local addresses is allowed.
func (c *checker) allowLinkLocal(path string, allowed []string) {
	seen := unique{}
	for i, text := range allowed {
		at := fmt.Sprintf("%s[%d]", path, i)
		prefix, err := reach.ParsePrefix(text)
		switch {
		case err != nil:
			c.faultf(at, "%q is neither an address nor a network; use one such as 169.254.20.10 or 169.254.20.0/24", text)
		case !reach.Within(prefix):
			c.faultf(at, "%q is more than link-local addresses, and all others are allowed anyway; remove it, or narrow it", text)
		}
		c.unique(seen, at, text, "is listed twice", "keep one")
	}
}

// reachable notes a fault for the host of a URL or an address that is refused as it stands. A name is judged whenever it was
// resolved.
func (c *checker) reachable(path, host string) bool {
	policy := reach.Policy{Allow: c.config.AllowLinkLocal}
	if policy.JudgeHost(host) == nil {
		return true
	}
	c.faultf(path, "leads to %s, a link-local address, where hosts give out credentials; use another, or list it in allowLinkLocal", host)
	return false
}

// debug checks where profiles are served.
func (c *checker) debug(path string, d Debug) {
	if d.Listen == "" && d.Pprof {
		c.faultf(path+".listen", "is empty, so that pprof is served nowhere; give it an address such as 127.0.0.1:6060")
	}
	if d.Listen != "" {
		c.listenAddress(path+".listen", d.Listen)
	}
}
