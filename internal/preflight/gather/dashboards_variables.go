package gather

import (
	"cmp"
	"regexp"
	"strings"
)

// variable stands for a variable of Grafana where a name may be. A metric whose
// name has it in it is one that nobody knows beforehand.
const variable = "clusterswitch_variable"

// variablePattern finds $name, ${name:format} and [[name:format]].
// https://grafana.com/docs/grafana/latest/dashboards/variables/variable-syntax/
func variablePattern() *regexp.Regexp {
	return regexp.MustCompile(`\$(\w+)|\$\{(\w+)(?:\.[^:}]*)?(?::[^}]*)?\}|\[\[(\w+)(?::[^\]]*)?\]\]`)
}

func (e expression) compare(o expression) int {
	return cmp.Or(cmp.Compare(e.where, o.where), cmp.Compare(e.text, o.text))
}

// replaceVariables replaces the variables of an expression by what parses: Grafana's own
// by a value of their kind, others by what their place asks for, and by stand
// where that doesn't tell.
func replaceVariables(expr, stand string) string {
	var out strings.Builder
	var at exprScan
	from := 0
	for _, m := range variablePattern().FindAllStringSubmatchIndex(expr, -1) {
		between := expr[from:m[0]]
		out.WriteString(between)
		at.read(between)
		name := ""
		for group := 2; group < len(m); group += 2 {
			if m[group] >= 0 {
				name = expr[m[group]:m[group+1]]
			}
		}
		out.WriteString(at.value(name, expr[:m[0]], expr[m[1]:], stand))
		from = m[1]
	}
	out.WriteString(expr[from:])
	return out.String()
}

// exprScan knows what is open at a place of an expression.
type exprScan struct {
	quote             byte // 0: none
	brackets, braces  int
	escaped           bool
	grouping, pending bool // inside of, or right before, the list of by, without, on and the like
	word              []byte
}

func (s *exprScan) read(part string) {
	for i := range len(part) {
		c := part[i]
		switch {
		case s.escaped:
			s.escaped = false
		case s.quote != 0 && c == '\\' && s.quote != '`':
			s.escaped = true
		case s.quote != 0:
			if c == s.quote {
				s.quote = 0
			}
		default:
			s.plain(c)
		}
	}
}

// plain reads one byte outside of quotes.
func (s *exprScan) plain(c byte) {
	if isWord(c) {
		s.word = append(s.word, c)
		return
	}
	if len(s.word) > 0 {
		switch strings.ToLower(string(s.word)) {
		case "by", "without", "on", "ignoring", "group_left", "group_right":
			s.pending = true
		default:
			s.pending = false
		}
		s.word = s.word[:0]
	}
	switch c {
	case '"', '\'', '`':
		s.quote = c
	case '[':
		s.brackets++
	case ']':
		s.brackets = max(0, s.brackets-1)
	case '{':
		s.braces++
	case '}':
		s.braces = max(0, s.braces-1)
	case '(':
		s.grouping, s.pending = s.pending, false
	case ')':
		s.grouping = false
	}
}

// value is what a variable between before and after is replaced by.
func (s *exprScan) value(name, before, after, stand string) string {
	switch name {
	case "__interval", "__rate_interval":
		return "5m"
	case "__range":
		return "1h"
	case "__interval_ms", "__range_ms", "__range_s", "__from", "__to":
		return "3600"
	}
	next := strings.TrimLeft(after, " \t\n\r")
	left := strings.TrimRight(before, " \t\n\r")
	touches := joined(before, after)
	switch {
	case s.quote != 0:
		return variable
	case s.brackets > 0 || strings.HasSuffix(strings.ToLower(left), "offset"):
		if beginsWith(after, "smhdwy") {
			return "5"
		}
		return "5m"
	case s.braces > 0 && !touches && !beginsWith(next, "=!"):
		return variable + `="` + variable + `"` // a whole filter
	case s.braces > 0, touches, s.grouping, beginsWith(next, "{["):
		return variable
	case aggregates(next):
		return "sum"
	case strings.HasSuffix(left, "(") && beginsWith(next, ","):
		return "1"
	}
	return stand
}

// aggregates tells whether what follows makes a name one of an aggregation.
func aggregates(next string) bool {
	return beginsWith(next, "(") || strings.HasPrefix(next, "by ") || strings.HasPrefix(next, "by(") || strings.HasPrefix(next, "without")
}

// joined tells whether a name goes on before or after a variable.
func joined(before, after string) bool {
	return after != "" && isWord(after[0]) || before != "" && isWord(before[len(before)-1])
}

func beginsWith(text, bytes string) bool { return text != "" && strings.IndexByte(bytes, text[0]) >= 0 }

func isWord(c byte) bool {
	return c == '_' || c == ':' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
