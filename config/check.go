package config

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// checker finds the faults that a single key's kind and range do not show. It works on a Config that may be partly
// filled: a value that already has a fault gets no second one.
type checker struct {
	*decoder
	config *Config
}

func (c *checker) check() {
	if c.config.Listen != "" {
		c.listenAddress("listen", c.config.Listen)
	}
	c.allowLinkLocal("allowLinkLocal", c.config.AllowLinkLocal)
	c.debug("debug", c.config.Debug)
	c.region("aws.region", c.config.AWS.Region)
	if u := c.config.AWS.EndpointURL; u != "" {
		c.url("aws.endpointURL", u)
	}
	budget := c.config.AWS.Budget
	c.budget("aws.budget.route53", budget.Route53.Burst, budget.Route53.Reserve)
	c.budget("aws.budget.elb", budget.ELB.Burst, budget.ELB.Reserve)
	c.journal("journal", c.config.Journal)
	c.leaderElection("leaderElection", c.config.LeaderElection)

	pairs := unique{}
	entrances := unique{}
	for i := range c.config.Pairs {
		p, path := &c.config.Pairs[i], fmt.Sprintf("pairs[%d]", i)
		c.label(path+".name", p.Name)
		c.unique(pairs, path+".name", p.Name, "is the name of another pair", "choose a name of its own")
		c.pair(path, p)
		c.traffic(path+".traffic", p, entrances)
	}
	c.notifications(pairs)
}

// unique remembers where a value was first used.
type unique map[string]string

// unique notes a fault when value was used before.
func (c *checker) unique(seen unique, path, value, trouble, remedy string) {
	if value == "" || c.faulty[path] {
		return
	}
	if first, again := seen[value]; again {
		c.faultf(path, "%s %s (%s, line %d); %s", value, trouble, first, c.at(first).line, remedy)
		return
	}
	seen[value] = path
}

// matches notes a fault when value is not of the pattern. An absent or already faulty value is left alone.
func (c *checker) matches(path, value string, pattern *regexp.Regexp, noun, want string) {
	if c.faulty[path] || pattern.MatchString(value) {
		return
	}
	c.faultf(path, "%q is not %s; use %s", value, noun, want)
}

// label checks a DNS label of RFC 1123, the form of Kubernetes namespaces and most names.
func (c *checker) label(path, value string) {
	c.matches(path, value, labelPattern(), "a DNS label", "1 to 63 of a-z, 0-9 and -, with a letter or digit at both ends")
}

func labelPattern() *regexp.Regexp {
	return regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
}

// listenAddress checks an address to listen on: the host may be empty for all, and the port 0 for any.
func (c *checker) listenAddress(path, value string) {
	if _, _, ok := splitAddress(value); !ok {
		c.faultf(path, "%q is not an address to listen on; use :port or host:port with a port up to 65535", value)
	}
}

// dialAddress checks an address to connect to.
func (c *checker) dialAddress(path, value string) {
	host, port, ok := splitAddress(value)
	if !ok || host == "" || port == 0 {
		c.faultf(path, "%q is not an address; use host:port with a port from 1 to 65535", value)
		return
	}
	c.reachable(path, host)
}

func splitAddress(value string) (host string, port int, ok bool) {
	host, digits, err := net.SplitHostPort(value)
	if err != nil {
		return "", 0, false
	}
	port, err = strconv.Atoi(digits)
	return host, port, err == nil && port >= 0 && port <= 65535
}

// url checks an absolute http or https URL and returns it. The value is never shown when it carries a password.
func (c *checker) url(path, value string) (*url.URL, bool) {
	if c.faulty[path] {
		return nil, false
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "":
		c.faultf(path, "is not an absolute URL; use http://host/path or https://host/path")
	case u.User != nil:
		c.faultf(path, "holds a user name or password; remove it, and send credentials in headers")
	case u.Fragment != "":
		c.faultf(path, "has a fragment (#%s), which is never sent; remove it", u.Fragment)
	default:
		return u, c.reachable(path, u.Hostname())
	}
	return nil, false
}

func (c *checker) budget(path string, burst, reserve int) {
	if burst > 0 && reserve >= burst {
		c.faultf(path+".reserve", "%d leaves nothing of the burst of %d to any other call; use less than that", reserve, burst)
	}
}

func (c *checker) kubeconfig(path string, k *Kubeconfig) {
	if k != nil && k.Path == "" {
		c.faultf(path+".path", "is empty; set it to the path of a kubeconfig file")
	}
}

// httpPath checks a path that is appended to a host.
func (c *checker) httpPath(path, value string) {
	u, err := url.Parse(value)
	if err != nil || !strings.HasPrefix(value, "/") || strings.HasPrefix(value, "//") || u.Fragment != "" {
		c.faultf(path, "%q is not a path; begin it with one slash, such as /healthz", value)
	}
}
