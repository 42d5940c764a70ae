package promql

import (
	"fmt"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"
)

// Matcher refuses what is not exactly one matcher of labels as Alertmanager takes
// it: a name, one of = != =~ !~, and a value in double quotes. Alertmanager takes
// values without quotes too; those are refused, because versions of it differ in
// what they make of them.
// https://prometheus.io/docs/alerting/latest/configuration/#matcher
func Matcher(text string) error {
	root, err := parse("x{" + text + "}")
	one, is := root.(*parser.VectorSelector)
	if err != nil || !is || len(one.LabelMatchers) != 2 || !strings.HasSuffix(strings.TrimSpace(text), `"`) {
		return fmt.Errorf(`%q is no matcher; write a label, one of = != =~ !~, and a value in double quotes, such as severity="page"`, text)
	}
	return nil
}
