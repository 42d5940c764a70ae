package chronicle

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// clip bounds a sentence.
func clip(s string) string { return clipTo(s, maxText) }

func clipTo(s string, end int) string {
	if len(s) <= end {
		return s
	}
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

func clipped(sentences []string) []string {
	var out []string
	for _, s := range atMost(sentences, maxList) {
		out = append(out, clip(s))
	}
	return out
}

// atMost gives the first n of a list.
func atMost[T any](list []T, n int) []T { return list[:min(n, len(list))] }

// instant is a time for a document; nil: there is none.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC())
}

// replicasOf reads "3/4"; nil: not known.
func replicasOf(s string) *Replicas {
	ready, wanted, ok := twoOf(s)
	if !ok {
		return nil
	}
	return &Replicas{Ready: ready, Wanted: wanted}
}

func twoOf(s string) (n, of int, ok bool) {
	left, right, found := strings.Cut(s, "/")
	n, errN := strconv.Atoi(left)
	of, errOf := strconv.Atoi(right)
	return n, of, found && errN == nil && errOf == nil
}

// spoken turns a CamelCase token into words: "GateWaits" into "Gate waits".
func spoken(token string) string {
	var b strings.Builder
	for i, r := range token {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte(' ')
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// lists turns absent lists into empty ones: a document has lists, not nulls.
func (d Detail) lists() Detail {
	d.Asked.RollbackBy = filled(d.Asked.RollbackBy)
	d.Steps, d.Entrances, d.Gates, d.Probes = filled(d.Steps), filled(d.Entrances), filled(d.Gates), filled(d.Probes)
	d.Clusters, d.Singletons, d.Notes = filled(d.Clusters), filled(d.Singletons), filled(d.Notes)
	d.Shares, d.Timeline, d.Actions = filled(d.Shares), filled(d.Timeline), filled(d.Actions)
	return d
}

func filled[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
