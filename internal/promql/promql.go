// Package promql reads PromQL with Prometheus' own parser, and says which series
// an expression chooses. It alone knows that parser.
package promql

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// maxLength bounds an expression, in bytes, so that one that nests without end
// uses up neither the stack nor the time: the parser takes longer by its square.
const maxLength = 16 << 10

// Label is a label with the value that it must have.
type Label struct{ Name, Value string }

// Selector is one choice of series within an expression.
type Selector struct {
	// Metric is the name of the metric. Empty: the expression chooses metrics by a
	// pattern or by other labels alone.
	Metric string
	// Equal are the labels that must have one value, sorted by their names. Other
	// matchers are left out: a series that the expression chooses has these labels,
	// but not every series with these labels is chosen.
	Equal []Label
	// Fallible says that the expression does without: it is a side of an "or".
	Fallible bool
}

// Parse gives the selectors of an expression in their order. The error's text is
// Prometheus' own, with line and column.
func Parse(expression string) ([]Selector, error) {
	root, err := parse(expression)
	if err != nil {
		return nil, err
	}
	var found []Selector
	parser.Inspect(root, func(n parser.Node, path []parser.Node) error {
		if v, is := n.(*parser.VectorSelector); is {
			found = append(found, selectorOf(v, path))
		}
		return nil
	})
	return found, nil
}

func parse(expression string) (parser.Expr, error) {
	if len(expression) > maxLength {
		return nil, fmt.Errorf("it is longer than %d KiB", maxLength>>10)
	}
	p := parser.NewParser(parser.Options{
		EnableExperimentalFunctions: true, ExperimentalDurationExpr: true,
		EnableExtendedRangeSelectors: true, EnableBinopFillModifiers: true,
	})
	root, err := p.ParseExpr(expression)
	if err != nil {
		return nil, errors.New(oneLine(err.Error()))
	}
	return root, nil
}

// Narrow writes an expression whose every selector is narrowed by the labels. The
// error is Parse's.
func Narrow(expression string, narrowed ...Label) (string, error) {
	root, err := parse(expression)
	if err != nil || len(narrowed) == 0 {
		return expression, err
	}
	parser.Inspect(root, func(n parser.Node, _ []parser.Node) error {
		if v, is := n.(*parser.VectorSelector); is {
			for _, l := range narrowed {
				v.LabelMatchers = append(v.LabelMatchers, labels.MustNewMatcher(labels.MatchEqual, l.Name, l.Value))
			}
		}
		return nil
	})
	return root.String(), nil
}

// Number tells whether an expression gives numbers of a moment, as an instant
// query does, and not text or a range of moments. The error is Parse's.
func Number(expression string) (bool, error) {
	root, err := parse(expression)
	if err != nil {
		return false, err
	}
	return root.Type() == parser.ValueTypeVector || root.Type() == parser.ValueTypeScalar, nil
}

func selectorOf(v *parser.VectorSelector, path []parser.Node) Selector {
	var s Selector
	for _, m := range v.LabelMatchers {
		switch {
		case m.Type != labels.MatchEqual:
		case m.Name == model.MetricNameLabel:
			s.Metric = m.Value
		default:
			s.Equal = append(s.Equal, Label{m.Name, m.Value})
		}
	}
	slices.SortFunc(s.Equal, func(a, b Label) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value)) })
	s.Fallible = slices.ContainsFunc(path, func(n parser.Node) bool {
		b, is := n.(*parser.BinaryExpr)
		return is && b.Op == parser.LOR
	})
	return s
}

// Query writes the selector for a server, narrowed by more labels.
func (s Selector) Query(narrowed ...Label) string {
	all := append([]Label{{model.MetricNameLabel, s.Metric}}, s.Equal...)
	return braced(append(all, narrowed...))
}

// AnyOf writes a selector of all series of the named metrics, narrowed by labels.
func AnyOf(metrics []string, narrowed ...Label) string {
	quoted := make([]string, len(metrics))
	for i, m := range metrics {
		quoted[i] = regexp.QuoteMeta(m)
	}
	all := model.MetricNameLabel + "=~" + strconv.Quote(strings.Join(quoted, "|"))
	if len(narrowed) == 0 {
		return "{" + all + "}"
	}
	return "{" + all + "," + braced(narrowed)[1:]
}

func braced(equal []Label) string {
	if len(equal) == 0 {
		return ""
	}
	parts := make([]string, len(equal))
	for i, l := range equal {
		name := l.Name
		if !model.LegacyValidation.IsValidLabelName(name) {
			name = strconv.Quote(name)
		}
		parts[i] = name + "=" + strconv.Quote(l.Value)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
