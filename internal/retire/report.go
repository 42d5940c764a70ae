package retire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
)

// Schema is the version of a report's JSON. Under the same number fields are only
// ever added.
const Schema = 1

// Verdict says whether the cluster may be deleted.
type Verdict string

// The verdicts. Unknown is not safe.
const (
	Safe    Verdict = "safe"
	NotSafe Verdict = "not safe"
	Unknown Verdict = "unknown"
)

// Report is what was found of one cluster. docs/retire.md tells of its JSON.
type Report struct {
	// Schema is 1. Under the same number fields are only ever added.
	Schema int `json:"schemaVersion"`
	// Cluster is the blue cluster that is to be deleted.
	Cluster string `json:"cluster"`
	// Verdict is safe, not safe or unknown. Only safe lets the cluster be deleted.
	Verdict Verdict `json:"verdict"`
	// By is who asked, as user@host; absent: the daemon.
	By string `json:"by,omitempty"`
	// At is when the gathering began, in RFC 3339.
	At time.Time `json:"at"`
	// Took is how long gathering and checking lasted, in nanoseconds.
	Took time.Duration `json:"tookNanoseconds"`
	// SilentFor is how long nothing may have reached the cluster.
	SilentFor string `json:"silentFor"`
	// Pairs are the names of the pairs that name the cluster as blue.
	Pairs []string `json:"pairs"`
	// Findings are what speaks against deleting it, and what is to be known: the worst first.
	Findings []Finding `json:"findings"`
	// Evidence is what was looked at and is in order, with numbers and times.
	Evidence []Evidence `json:"evidence"`
	// NotChecked is what no check can see.
	NotChecked []string `json:"notChecked"`
}

// judged orders the findings and gives the verdict: one known obstacle is worse
// than all that is unknown.
func (r Report) judged() Report {
	sortFindings(r.Findings)
	r.Verdict = Safe
	for _, x := range r.Findings {
		switch {
		case x.Severity != finding.Block:
		case !x.Unknown:
			r.Verdict = NotSafe
			return r
		default:
			r.Verdict = Unknown
		}
	}
	return r
}

// Counts counts the findings: obstacles, what is unknown, warnings, notes.
func (r Report) Counts() (against, unknown, warns, notes int) {
	for _, x := range r.Findings {
		switch {
		case x.Unknown:
			unknown++
		case x.Severity == finding.Block:
			against++
		case x.Severity == finding.Warn:
			warns++
		default:
			notes++
		}
	}
	return against, unknown, warns, notes
}

// Answer is the verdict as tickets ask for it: Safe to retire: yes.
func (r Report) Answer() string {
	switch r.Verdict {
	case Safe:
		return "Safe to retire: yes"
	case NotSafe:
		return "Safe to retire: no"
	case Unknown:
	}
	return "Safe to retire: no, not known"
}

// Summary says in a few words what was found, and the first that speaks against
// deleting the cluster.
func (r Report) Summary() string {
	against, unknown, warns, notes := r.Counts()
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{against, "against it"}, {unknown, "not known"}, {warns, "to be looked at"}, {notes, "for the record"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	said := strings.Join(parts, ", ")
	if said == "" {
		said = "nothing was found"
	}
	if r.Verdict != Safe && len(r.Findings) > 0 {
		said += "; first: " + r.Findings[0].Message
	}
	return said
}

// JSON writes the report for machines.
func (r Report) JSON() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r); err != nil {
		return nil, fmt.Errorf("writing the report: %w", err)
	}
	return b.Bytes(), nil
}

// Section is findings that people read together.
type Section struct {
	Title    string
	Findings []Finding
}

// Sections gives the findings as people read them; those without any are left out.
func (r Report) Sections() []Section {
	all := []Section{{Title: "Against deleting it"}, {Title: "Not known, so it doesn't count as safe"}, {Title: "To be looked at"}, {Title: "For the record"}}
	for _, x := range r.Findings {
		at := 3
		switch {
		case x.Unknown:
			at = 1
		case x.Severity == finding.Block:
			at = 0
		case x.Severity == finding.Warn:
			at = 2
		}
		all[at].Findings = append(all[at].Findings, x)
	}
	return slices.DeleteFunc(all, func(s Section) bool { return len(s.Findings) == 0 })
}

// Markdown writes the report for the ticket that deletes the cluster.
func (r Report) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Retiring %s\n\n**%s.** %s.\n\n", inline(r.Cluster), r.Answer(), strings.TrimSuffix(upper(inline(r.Summary())), "."))
	by := r.By
	if by == "" {
		by = "the daemon"
	}
	fmt.Fprintf(&b, "| | |\n|---|---|\n| Looked at | %s, in %s |\n| By | %s |\n| Pairs | %s |\n| Silent for | %s |\n",
		finding.Moment(r.At), r.Took.Round(time.Millisecond), inline(by), inline(strings.Join(r.Pairs, ", ")), r.SilentFor)
	for _, s := range r.Sections() {
		fmt.Fprintf(&b, "\n## %s (%d)\n\n", s.Title, len(s.Findings))
		for _, x := range s.Findings {
			fmt.Fprintf(&b, "- **%s**: %s. %s  \n  `%s`\n", inline(x.Object.String()), strings.TrimSuffix(upper(inline(x.Message)), "."), inline(x.Do), strings.ReplaceAll(x.ID, "`", "'"))
		}
	}
	b.WriteString("\n## What was looked at and is in order\n")
	for _, c := range Checks() {
		fmt.Fprintf(&b, "\n%s\n\n", c.Answers)
		none := true
		for _, e := range r.Evidence {
			if e.Check == c.Name {
				fmt.Fprintf(&b, "- %s\n", inline(e.Said))
				none = false
			}
		}
		if none {
			b.WriteString("- Nothing to show; see the findings.\n")
		}
	}
	b.WriteString("\n## What was not checked\n\n")
	for _, what := range r.NotChecked {
		fmt.Fprintf(&b, "- %s\n", inline(what))
	}
	return b.String()
}

// inline keeps what clusters say from being read as Markdown or HTML.
func inline(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return strings.NewReplacer("<", "&lt;", ">", "&gt;", "|", "\\|", "*", "\\*", "[", "\\[", "]", "\\]").Replace(s)
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
