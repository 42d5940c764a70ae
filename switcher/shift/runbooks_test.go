package shift

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// runbookParts are what a person looks for at night, in this order.
func runbookParts() []string {
	return []string{"**Users:** ", "**Look", "**Likely causes", "**Over when** ", "**Roll back"}
}

// runbooksOf gives the sections of docs/runbooks-reasons.md by the reason that they
// are for, and the reasons in their order.
func runbooksOf(document string) (sections map[string]string, reasons []string) {
	sections = map[string]string{}
	for _, chapter := range strings.Split(document, "\n## ")[1:] {
		for _, section := range strings.Split(chapter, "\n### ")[1:] {
			reason, text, _ := strings.Cut(section, "\n")
			sections[reason] = strings.TrimSpace(text)
			reasons = append(reasons, reason)
		}
	}
	return sections, reasons
}

// runbookFault says what a section lacks. Where a person has something to do it has
// all parts, with commands to look by; else it is a line or two.
func runbookFault(r ReasonDoc, section string) string {
	quiet := strings.HasPrefix(r.Do, "Nothing.")
	if quiet && len(strings.Split(section, "\n\n")) == 1 {
		return ""
	}
	rest := section
	for _, part := range runbookParts() {
		i := strings.Index(rest, part)
		if i < 0 {
			return fmt.Sprintf("it lacks %q, or has it in another place", part)
		}
		rest = rest[i+len(part):]
	}
	look, _, _ := strings.Cut(section[strings.Index(section, "**Look"):], "**Likely causes")
	switch {
	case !regexp.MustCompile(`(?m)^ {4}\S`).MatchString(look):
		return "it has no command to look by"
	case !regexp.MustCompile(`(?m)^1\. `).MatchString(section):
		return "it lists no causes with what to do for each"
	}
	return ""
}

// A reason that a person meets at night leads to a runbook, and no runbook is for a
// reason that the daemon doesn't give any more.
func TestEveryReasonHasItsRunbook(t *testing.T) {
	document, err := os.ReadFile("../../docs/runbooks-reasons.md")
	if err != nil {
		t.Fatal(err)
	}
	sections, found := runbooksOf(string(document))
	var want []string
	for _, r := range Reasons() {
		want = append(want, string(r.Reason))
		if section, ok := sections[string(r.Reason)]; ok {
			if fault := runbookFault(r, section); fault != "" {
				t.Errorf("the runbook of %s: %s", r.Reason, fault)
			}
		}
	}
	slices.Sort(want)
	slices.Sort(found)
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("reasons (-) and sections of docs/runbooks-reasons.md (+) differ:\n%s", diff)
	}
}

func TestFaultsOfARunbook(t *testing.T) {
	whole := "**Users:** nothing.\n\n**Look:**\n\n    clusterswitch status shop\n\n**Likely causes:**\n\n1. A thing: mend it.\n\n**Over when** it is.\n\n**Roll back** never."
	act, quiet := ReasonDoc{Do: "Mend it."}, ReasonDoc{Do: "Nothing."}
	for name, c := range map[string]struct {
		reason  ReasonDoc
		section string
		want    string
	}{
		"a whole one":                        {act, whole, ""},
		"a line where nothing is to be done": {quiet, "Nothing is to be done.", ""},
		"a line where something is":          {act, "Mend it.", `it lacks "**Users:** ", or has it in another place`},
		"one that may last needs the whole":  {ReasonDoc{Do: "Nothing, unless it lasts."}, "Wait.", `it lacks "**Users:** ", or has it in another place`},
		"none of when to roll back":          {act, strings.Replace(whole, "**Roll back** never.", "", 1), `it lacks "**Roll back", or has it in another place`},
		"the parts in another order":         {act, "**Roll back** never.\n\n" + strings.Replace(whole, "**Roll back** never.", "", 1), `it lacks "**Roll back", or has it in another place`},
		"looking without a command":          {act, strings.Replace(whole, "    clusterswitch status shop", "Look around.", 1), "it has no command to look by"},
		"a command, but elsewhere":           {act, strings.Replace(whole, "    clusterswitch status shop", "Look around.", 1) + "\n\n    clusterswitch status shop", "it has no command to look by"},
		"causes that are no list":            {act, strings.Replace(whole, "1. A thing", "A thing", 1), "it lists no causes with what to do for each"},
		"a whole one where nothing is to do": {quiet, whole, ""},
		"half of one where nothing is to do": {quiet, "**Users:** nothing.\n\n**Look:** away.", `it lacks "**Likely causes", or has it in another place`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := runbookFault(c.reason, c.section); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
