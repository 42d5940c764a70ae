package gather

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

const (
	deprecatedMetric = "apiserver_requested_deprecated_apis"
	// longestLine bounds one line of /metrics, in bytes.
	longestLine = 64 << 10
	// mostDeprecated bounds what is kept. Kubernetes has some 50 deprecated
	// versions, and a CRD may mark its own.
	mostDeprecated = 1000
)

// deprecatedCalls asks blue's API server which deprecated versions its clients
// call. Green's own are of no matter: nobody is served there yet.
func deprecatedCalls(Options) topic {
	return topic{also: func(ctx context.Context, r *reader, c *facts.Cluster) {
		if c.Side != shift.Blue {
			return
		}
		body, err := r.rest.Get().AbsPath("/metrics").SetHeader("Accept", "text/plain").Stream(ctx)
		if err == nil {
			c.APIs.Deprecated, err = deprecatedIn(body)
			err = errors.Join(err, body.Close())
		}
		if err != nil {
			c.Note(facts.Gap{What: "/metrics", Why: why(err), Optional: true})
		}
	}}
}

// deprecatedIn reads metrics in Prometheus' text format line by line: large
// clusters answer some 50 MB. It keeps those of deprecated versions alone, each once, in a fixed order.
func deprecatedIn(metrics io.Reader) ([]facts.DeprecatedAPI, error) {
	var found []facts.DeprecatedAPI
	lines := bufio.NewScanner(metrics)
	lines.Buffer(make([]byte, 0, 8<<10), longestLine)
	for lines.Scan() {
		rest, ok := bytes.CutPrefix(lines.Bytes(), []byte(deprecatedMetric+"{"))
		if !ok {
			continue
		}
		labels, value, err := sample(string(rest))
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", deprecatedMetric, err)
		}
		if value == 0 {
			continue
		}
		api := facts.DeprecatedAPI{
			Group: labels["group"], Version: labels["version"], Resource: labels["resource"],
			Subresource: labels["subresource"], Removed: labels["removed_release"],
		}
		if len(found) < mostDeprecated && !slices.Contains(found, api) {
			found = append(found, api)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading the metrics: %w", err)
	}
	slices.SortFunc(found, func(a, b facts.DeprecatedAPI) int {
		return slices.Compare([]string{a.Group, a.Resource, a.Version, a.Subresource, a.Removed}, []string{b.Group, b.Resource, b.Version, b.Subresource, b.Removed})
	})
	return found, nil
}

// sample reads what follows the opening brace: name="value" pairs, the closing
// brace, and a number.
func sample(s string) (labels map[string]string, value float64, err error) {
	labels = map[string]string{}
	for !strings.HasPrefix(s, "}") {
		name, rest, ok := strings.Cut(strings.TrimLeft(s, ", "), "=")
		if !ok {
			return nil, 0, fmt.Errorf("labels end in %q", s)
		}
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return nil, 0, fmt.Errorf("the label %s has no value in quotes", name)
		}
		// Prometheus escapes a part of what Go does.
		if labels[name], err = strconv.Unquote(quoted); err != nil {
			return nil, 0, fmt.Errorf("the value of the label %s: %w", name, err)
		}
		s = strings.TrimLeft(rest[len(quoted):], ", ")
	}
	fields := strings.Fields(s[1:])
	if len(fields) == 0 {
		return nil, 0, errors.New("a sample has no value")
	}
	value, err = strconv.ParseFloat(fields[0], 64)
	if err != nil {
		return nil, 0, fmt.Errorf("the value of a sample: %w", err)
	}
	return labels, value, nil
}
