package finding

import (
	"maps"
	"slices"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// Coverage is the name of the check that says what could not be read.
const Coverage = "coverage"

// The codes of what could not be checked.
const (
	ClusterUnreadable Code = "ClusterUnreadable"
	NotChecked        Code = "NotChecked"
)

// With gives a full report after a later brief look: the findings of the checks
// that ran briefly take the place of their former ones, all others stay. What
// the full look could not read stays unread, as the brief one doesn't try it
// all. A brief look at a cluster that can't be read at all answers nothing else,
// so it adds that alone.
func (r Report) With(brief Report) Report {
	ran := map[string]Ran{}
	for _, c := range brief.Checks {
		ran[c.Check] = c
	}
	if slices.ContainsFunc(brief.Findings, func(f Finding) bool { return f.Code == ClusterUnreadable }) {
		ran = map[string]Ran{Coverage: ran[Coverage]}
	}
	taken := func(f Finding) bool { _, ok := ran[f.Check]; return ok }
	again := byID(slices.DeleteFunc(slices.Clone(brief.Findings), func(f Finding) bool { return !taken(f) }))
	replaced := func(f Finding) bool {
		_, same := again[f.ID] // two checks may share a code
		return same || taken(f) && f.Check != Coverage
	}
	merged := r
	merged.Scope, merged.At, merged.Took = facts.Full, brief.At, brief.Took
	merged.Findings = slices.AppendSeq(slices.DeleteFunc(slices.Clone(r.Findings), replaced), maps.Values(again))
	merged.Checks = slices.Clone(r.Checks)
	for i, c := range merged.Checks {
		if again, ok := ran[c.Check]; ok {
			merged.Checks[i] = again
		}
	}
	merged.Blue.refresh(brief.Blue)
	merged.Green.refresh(brief.Green)
	slices.SortFunc(merged.Findings, Finding.Compare)
	merged.Counts = merged.Tally()
	return merged
}

// refresh takes over what a brief look tells of the cluster; it doesn't count
// all of its objects.
func (c *Cluster) refresh(brief Cluster) {
	if brief.Version != "" {
		c.Version = brief.Version
	}
}

// BlocksBeyond tells whether something blocks that a brief look didn't find
// itself: another brief look couldn't tell that it was mended.
func (r Report) BlocksBeyond(brief Report) bool {
	found := byID(brief.Findings)
	return slices.ContainsFunc(r.Findings, func(f Finding) bool {
		_, again := found[f.ID]
		return f.Blocks() && !again
	})
}
