package promql

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"
)

// Counters refuses an expression that doesn't give cumulative counters themselves,
// or sums of them, so that no differences can be taken of its values: rates, other
// functions, quotients, comparisons, moments of the past. The error says what to
// write instead; one of the parser is Parse's.
func Counters(expression string) error {
	root, err := parse(expression)
	if err != nil {
		return err
	}
	if root.Type() != parser.ValueTypeVector {
		return noCounter("a " + string(root.Type()))
	}
	selectors := 0
	parser.Inspect(root, func(n parser.Node, _ []parser.Node) error {
		if _, is := n.(*parser.VectorSelector); is {
			selectors++
		}
		if err == nil {
			err = uncounted(n)
		}
		return nil
	})
	if err == nil && selectors == 0 {
		err = noCounter("nothing that is stored")
	}
	return err
}

// uncounted says why no counter comes from a part of an expression; nil: one may.
func uncounted(n parser.Node) error {
	switch n := n.(type) {
	case *parser.Call:
		return uncountedCall(n)
	case *parser.VectorSelector:
		if n.OriginalOffset != 0 || n.OriginalOffsetExpr != nil || n.Timestamp != nil || n.StartOrEnd != 0 {
			return errors.New("it asks for another moment by offset or @, but the daemon asks for each moment itself")
		}
		for part := range strings.SplitSeq(selectorOf(n, nil).Metric, ":") {
			if name := strings.TrimRight(part, "0123456789smhdw"); name == "rate" || name == "irate" || name == "increase" {
				return noCounter("recorded rates (" + selectorOf(n, nil).Metric + ")")
			}
		}
	case *parser.AggregateExpr:
		if !slices.Contains([]parser.ItemType{parser.SUM, parser.MAX, parser.MIN}, n.Op) {
			return noCounter(n.Op.String() + "()")
		}
	case *parser.BinaryExpr:
		if !slices.Contains([]parser.ItemType{parser.ADD, parser.SUB, parser.MUL, parser.LOR, parser.LAND, parser.LUNLESS}, n.Op) {
			return noCounter("the result of " + n.Op.String())
		}
	case *parser.UnaryExpr:
		return noCounter("less than nothing")
	case *parser.SubqueryExpr, *parser.MatrixSelector:
		return noCounter("a range of moments")
	}
	return nil
}

func uncountedCall(call *parser.Call) error {
	switch name := call.Func.Name; {
	case slices.Contains([]string{"label_replace", "label_join", "histogram_count"}, name):
		return nil
	case name == "vector":
		return errors.New("it gives vector() where there is no counter, which looks as if a counter were set back; leave it out, and set errorsMayBeAbsent where none means none")
	default:
		return noCounter(name + "()")
	}
}

func noCounter(what string) error {
	return fmt.Errorf("it gives %s and no counters; write the counters themselves, such as sum by (pod) (http_requests_total): the daemon takes the differences", what)
}
