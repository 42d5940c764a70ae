package edge

import (
	"net"
	"net/http"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// match returns the first rule whose conditions the request meets.
func match(rules []routing.Rule, r *http.Request) (routing.Rule, bool) {
	host := strings.ToLower(r.Host)
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	for _, rule := range rules {
		if meets(rule.Hosts, host, true) && meets(rule.Paths, r.URL.Path, false) {
			return rule, true
		}
	}
	return routing.Rule{}, false
}

// meets tells whether any pattern fits; no pattern asks for nothing. ALB
// compares hosts without and paths with case.
func meets(patterns []string, value string, fold bool) bool {
	for _, pattern := range patterns {
		if fold {
			pattern = strings.ToLower(pattern)
		}
		if wildcard(pattern, value) {
			return true
		}
	}
	return len(patterns) == 0
}

// wildcard compares the whole value with a pattern in which * stands for any
// run of characters and ? for just one. On a mismatch it lets the last * take
// one character more, so the work is bounded by the product of the lengths.
func wildcard(pattern, value string) bool {
	p, v := 0, 0
	star, taken := -1, 0
	for v < len(value) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, taken = p, v
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == value[v]):
			p++
			v++
		case star >= 0:
			taken++
			p, v = star+1, taken
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
