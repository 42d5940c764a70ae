package promql

import (
	"errors"

	"github.com/prometheus/prometheus/promql/parser"
)

// Matcher refuses what is not exactly one matcher of labels with a quoted value, as
// Alertmanager takes it: severity="page", cluster=~"shop-.*".
func Matcher(text string) error {
	root, err := parse("x{" + text + "}")
	one, is := root.(*parser.VectorSelector)
	if err != nil || !is || len(one.LabelMatchers) != 2 {
		return errors.New(`it is no matcher; write a label, one of = != =~ !~, and a value in quotes, such as severity="page"`)
	}
	return nil
}
