package promql

import (
	"slices"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// Reach tells how far before its moment an expression looks back at most, by ranges,
// subqueries and offsets; a bare selector looks at the moment itself. Not known:
// it names a fixed moment by @, or computes a duration. The error is Parse's.
func Reach(expression string) (back time.Duration, known bool, err error) {
	root, err := parse(expression)
	if err != nil {
		return 0, false, err
	}
	known = true
	parser.Inspect(root, func(n parser.Node, path []parser.Node) error {
		if v, is := n.(*parser.VectorSelector); is {
			own := v.OriginalOffset
			known = known && v.OriginalOffsetExpr == nil && v.Timestamp == nil && v.StartOrEnd == 0
			for _, outer := range path {
				switch o := outer.(type) {
				case *parser.MatrixSelector:
					own += o.Range
					known = known && o.RangeExpr == nil
				case *parser.SubqueryExpr:
					own += o.Range + o.OriginalOffset
					known = known && o.RangeExpr == nil && o.OriginalOffsetExpr == nil && o.Timestamp == nil && o.StartOrEnd == 0
				}
			}
			back = max(back, own)
		}
		return nil
	})
	return back, known, nil
}

// Keeps tells whether the series that an expression gives can still have a label,
// which a sum may leave out. The error is Parse's.
func Keeps(expression, label string) (bool, error) {
	root, err := parse(expression)
	if err != nil {
		return false, err
	}
	return keeps(root, label), nil
}

func keeps(e parser.Expr, label string) bool {
	switch e := e.(type) {
	case *parser.AggregateExpr:
		if slices.Contains(e.Grouping, label) == e.Without {
			return false
		}
		return keeps(e.Expr, label)
	case *parser.ParenExpr:
		return keeps(e.Expr, label)
	case *parser.BinaryExpr:
		return keeps(e.LHS, label) || keeps(e.RHS, label)
	}
	return true
}
