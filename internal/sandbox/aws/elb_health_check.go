package aws

import (
	"strconv"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// readHealthCheck checks how a new group g is to check its targets. Groups of
// network load balancers check by TCP unless they ask for HTTP.
func readHealthCheck(form *element, g *targetGroup) (healthCheck, error) {
	check := healthCheck{protocol: form.str("HealthCheckProtocol"), path: form.str("HealthCheckPath"), matcher: form.child("Matcher").str("HttpCode")}
	if check.protocol == "" {
		check.protocol = "HTTP"
		if g.forNetwork() {
			check.protocol = "TCP"
		}
	}
	timeout := 5
	if g.forNetwork() {
		timeout = 10
		if check.protocol == "HTTP" {
			timeout = 6
		}
	}
	for _, number := range []struct {
		name                string
		into                *int
		fallback, low, high int
	}{
		{"HealthCheckIntervalSeconds", &check.interval, 30, 5, 300},
		{"HealthCheckTimeoutSeconds", &check.timeout, timeout, 2, 120},
		{"HealthyThresholdCount", &check.healthy, 5, 2, 10},
		{"UnhealthyThresholdCount", &check.unhealthy, 2, 2, 10},
	} {
		var err error
		if *number.into, err = form.integer(number.name, number.fallback, number.low, number.high); err != nil {
			return check, err
		}
	}
	port := form.str("HealthCheckPort")
	switch {
	case port != "" && port != "traffic-port":
		return check, badRequest("InvalidConfigurationRequest", "The sandbox checks the traffic port only, not '%s'", port)
	case form.str("HealthCheckEnabled") == "false":
		return check, badRequest("InvalidConfigurationRequest", "Health check enabled must be true for target groups with target type 'ip'")
	case check.timeout >= check.interval:
		return check, badRequest("ValidationError", "Health check interval must be greater than the timeout.")
	case check.protocol == "TCP" && g.forNetwork():
		if check.path != "" || check.matcher != "" {
			return check, badRequest("InvalidConfigurationRequest", "A health check path and a matcher are not supported for health checks with the TCP protocol")
		}
		return check, nil
	}
	return check, check.readHTTP(g)
}

// readHTTP fills in and checks what a check by HTTP has beside its times.
func (h *healthCheck) readHTTP(g *targetGroup) error {
	if h.path == "" {
		h.path = "/"
	}
	if h.matcher == "" {
		h.matcher = "200"
		if g.forNetwork() {
			h.matcher = "200-399"
		}
	}
	switch {
	case h.protocol != "HTTP" && h.protocol != "HTTPS":
		return badRequest("ValidationError", "Health check protocol '%s' must be HTTP or HTTPS, or TCP for network load balancers", h.protocol)
	case !strings.HasPrefix(h.path, "/") || len(h.path) > 1024:
		return badRequest("ValidationError", "Health check path '%s' must begin with a '/' character and be at most 1024 characters", h.path)
	}
	highest := 499
	if g.forNetwork() {
		highest = 599
	}
	return h.readMatcher(highest)
}

// readMatcher takes one code or one range, from 200 to the highest; lists aren't
// known to the edge and are refused.
func (h *healthCheck) readMatcher(highest int) error {
	first, last, isRange := strings.Cut(h.matcher, "-")
	if !isRange {
		last = first
	}
	var fromErr, toErr error
	h.from, fromErr = strconv.Atoi(first)
	h.to, toErr = strconv.Atoi(last)
	if fromErr != nil || toErr != nil || h.from < 200 || h.to > highest || h.to < h.from {
		return badRequest("ValidationError", "Health check matcher HTTP code '%s' must be one code or one range within '200-%d'", h.matcher, highest)
	}
	return nil
}

// forEdge is the check as the edge carries it out.
func (h healthCheck) forEdge(interval time.Duration) routing.HealthCheck {
	out := routing.HealthCheck{
		Interval: time.Duration(h.interval) * time.Second, Timeout: time.Duration(h.timeout) * time.Second,
		Path: h.path, Healthy: h.healthy, Unhealthy: h.unhealthy, StatusFrom: h.from, StatusTo: h.to, TCP: h.protocol == "TCP",
	}
	if interval > 0 {
		out.Interval, out.Timeout = interval, min(out.Timeout, interval)
	}
	return out
}
