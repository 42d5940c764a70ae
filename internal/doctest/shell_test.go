package doctest

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var errOpenQuote = errors.New("a quote isn't closed")

// words splits the first command of a line as a shell does. The rest begins with what
// ends it: a pipe, a redirection, a semicolon.
func words(text string) (args []string, rest string, err error) {
	var word strings.Builder
	inside, quote := false, byte(0)
	end := func() {
		if inside {
			args = append(args, word.String())
		}
		word.Reset()
		inside = false
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quote == '\'' && c != '\'', quote == '"' && c != '"' && c != '\\':
			word.WriteByte(c)
		case quote != 0 && c == quote:
			quote = 0
		case c == '\\' && i+1 < len(text):
			i++
			word.WriteByte(text[i])
			inside = true
		case quote == 0 && (c == '\'' || c == '"'):
			quote, inside = c, true
		case c == ' ' || c == '\n':
			end()
		case strings.IndexByte("|>;&", c) >= 0:
			end()
			return args, text[i:], nil
		default:
			word.WriteByte(c)
			inside = true
		}
	}
	if quote != 0 {
		return nil, "", errOpenQuote
	}
	end()
	return args, "", nil
}

// open tells whether a line goes on with the next one: by a backslash, or because a
// quote isn't closed.
func open(text string) bool {
	quote := byte(0)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quote != '\'':
			if i++; i == len(text) {
				return true
			}
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		}
	}
	return quote != 0
}

func TestWordsAreThoseOfAShell(t *testing.T) {
	for text, want := range map[string]struct {
		Args []string
		Rest string
	}{
		"clusterswitch status shop":           {[]string{"clusterswitch", "status", "shop"}, ""},
		`kubectl patch --patch '{"a": null}'`: {[]string{"kubectl", "patch", "--patch", `{"a": null}`}, ""},
		`aws --query "R[?N=='$NAME.']"`:       {[]string{"aws", "--query", "R[?N=='$NAME.']"}, ""},
		`echo "a \" b" c\ d ''`:               {[]string{"echo", `a " b`, "c d", ""}, ""},
		"clusterswitch policy > policy.json":  {[]string{"clusterswitch", "policy"}, "> policy.json"},
		"clusterswitch rbac a | kubectl x":    {[]string{"clusterswitch", "rbac", "a"}, "| kubectl x"},
		"kubectl get --selector a!=b,c!=d":    {[]string{"kubectl", "get", "--selector", "a!=b,c!=d"}, ""},
	} {
		args, rest, err := words(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want.Args, args); diff != "" || rest != want.Rest {
			t.Errorf("%s: rest %q, words (-want +got):\n%s", text, rest, diff)
		}
	}
	if _, _, err := words("jq -r '.items[]"); !errors.Is(err, errOpenQuote) {
		t.Errorf("an open quote gives %v", err)
	}
}

func TestCommandsAreFoundWhereverADocumentHasThem(t *testing.T) {
	document := strings.Join([]string{
		"Say `clusterswitch status PAIR` or `clusterswitch", "wait PAIR`; `clusterswitch` alone is none, nor is `serve: green`.", "",
		"    kubectl get pods   # who isn't there", "    kubectl get x | jq '.a", "      .b'", "    strange --flag", "",
		"    a picture ──► clusterswitch run", "", "1. First:", "", "       helm test x \\", "         --timeout 1m", "",
		"```sh", "curl x", "```", "", "```", "clusterswitch pause PAIR [flags]", "```", "",
		"```yaml", "- run: clusterswitch start shop", "- args: [wait, $(params.pair), --for, completed]", "```", "",
		"```go", "make(map)", "```", "| `clusterswitch a \\| jq .` | a table |",
	}, "\n")
	var got []string
	for _, line := range newFinder().commandLines(document, 4) {
		got = append(got, line.text)
	}
	want := []string{
		"kubectl get pods", "kubectl get x | jq '.a .b'", "strange --flag", "helm test x --timeout 1m", "curl x", "clusterswitch start shop",
		"clusterswitch wait shop --for completed", "clusterswitch status shop", "clusterswitch wait shop", "clusterswitch a | jq .",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
}
