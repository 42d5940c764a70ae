package finding

import (
	"reflect"
	"slices"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// Difference is how a report differs from a former one. Findings are the same
// one when their ids are.
type Difference struct {
	// At is when the former report was made, in RFC 3339.
	At time.Time `json:"at"`
	// New are the ids of findings that the former report hadn't.
	New []string `json:"new"`
	// Gone are findings of the former report that are no more.
	Gone []Finding `json:"gone"`
	// Changed are findings that both have, with another severity, sentence or waiver: as they were in the former report.
	Changed []Finding `json:"changed"`
}

// None tells whether nothing differs.
func (d Difference) None() bool { return len(d.New)+len(d.Gone)+len(d.Changed) == 0 }

// Since compares with a former report. Where this one is brief, only findings
// of its checks are compared: the others were not looked for.
func (r Report) Since(former Report) Difference {
	d := Difference{At: former.At, New: []string{}, Gone: []Finding{}, Changed: []Finding{}}
	was := byID(former.Findings)
	is := byID(r.Findings)
	for _, f := range r.Findings {
		before, had := was[f.ID]
		switch {
		case !had:
			d.New = append(d.New, f.ID)
		case f.Severity != before.Severity || f.Message != before.Message || !reflect.DeepEqual(f.Waived, before.Waived):
			d.Changed = append(d.Changed, before)
		}
	}
	for _, f := range former.Findings {
		if _, has := is[f.ID]; !has && r.looksFor(f) {
			d.Gone = append(d.Gone, f)
		}
	}
	return d
}

// looksFor tells whether the report could have a finding of another one.
func (r Report) looksFor(f Finding) bool {
	if r.Scope != facts.Brief {
		return true
	}
	ran := slices.ContainsFunc(r.Checks, func(c Ran) bool { return c.Check == f.Check })
	return ran && f.Check != Coverage
}

func byID(findings []Finding) map[string]Finding {
	by := make(map[string]Finding, len(findings))
	for _, f := range findings {
		by[f.ID] = f
	}
	return by
}
