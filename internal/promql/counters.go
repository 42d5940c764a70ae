package promql

import (
	"errors"
	"fmt"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"
)

// Counters refuses an expression that doesn't give cumulative counters themselves,
// or sums of them: one with a rate, an increase, any other function over a range or
// a quotient. What is left is what differences can be taken of.
func Counters(expression string) error {
	root, err := parse(expression)
	if err != nil {
		return err
	}
	if root.Type() != parser.ValueTypeVector {
		return fmt.Errorf("it is a %s and no counter; write one such as sum by (pod) (http_requests_total)", root.Type())
	}
	var wrong error
	selectors := 0
	parser.Inspect(root, func(n parser.Node, _ []parser.Node) error {
		switch n := n.(type) {
		case *parser.VectorSelector:
			selectors++
		case *parser.Call:
			wrong = errors.Join(wrong, callOnCounters(n))
		}
		return wrong
	})
	switch {
	case wrong != nil:
		return wrong
	case selectors == 0:
		return errors.New("it names no counter")
	}
	return nil
}

func callOnCounters(call *parser.Call) error {
	switch name := call.Func.Name; {
	case name == "label_replace" || name == "label_join":
		return nil
	case strings.HasSuffix(name, "rate") || name == "increase" || strings.HasSuffix(name, "delta") || strings.HasSuffix(name, "_over_time"):
		return fmt.Errorf("%s() takes the difference, which the daemon does itself; write the counter alone, such as sum by (pod) (http_requests_total)", name)
	default:
		return fmt.Errorf("%s() gives no counter; write the counter alone, such as sum by (pod) (http_requests_total)", name)
	}
}
