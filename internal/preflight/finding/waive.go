package finding

import (
	"fmt"
	"slices"
	"time"
)

// The codes of waivers themselves.
const (
	WaiverExpired Code = "WaiverExpired"
	WaiverUnused  Code = "WaiverUnused"
)

// Waivers is the name under which the findings about waivers themselves stand,
// in the place of a check's.
const Waivers = "waivers"

// ofWaiver tells whether the finding is about a waiver itself.
func ofWaiver(f Finding) bool { return f.Code == WaiverExpired || f.Code == WaiverUnused }

// Waive puts the waivers on the findings they name, says of each waiver that
// expired or that names no finding, and sorts. What waivers did to the findings
// before is forgotten. It is pure: the same input gives the same findings.
func Waive(findings []Finding, waivers []Waiver, now time.Time) []Finding {
	kept := slices.DeleteFunc(slices.Clone(findings), ofWaiver)
	for i := range kept {
		kept[i].Waived = nil
	}
	for _, w := range waivers {
		expired := !now.Before(w.Until)
		used := false
		for i := range kept {
			if kept[i].ID == w.ID {
				kept[i].Waived, used = &Waived{Reason: w.Reason, Until: w.Until, Expired: expired}, true
			}
		}
		switch {
		case used && expired:
			f := New(WaiverExpired, Warn, Object{Kind: "Waiver", Name: w.ID}, "")
			f.Check = Waivers
			f.Message = fmt.Sprintf("the waiver of %s expired on %s, so the finding counts again", w.ID, w.Until.UTC().Format(time.DateOnly))
			f.Do = "Mend what the finding names, or give the waiver a later date after a look."
			kept = append(kept, f)
		case !used:
			f := New(WaiverUnused, Note, Object{Kind: "Waiver", Name: w.ID}, "")
			f.Check = Waivers
			f.Message = fmt.Sprintf("no finding has the id %s that a waiver names", w.ID)
			f.Do = "Remove the waiver if the finding was mended, or correct its id."
			kept = append(kept, f)
		}
	}
	slices.SortFunc(kept, Finding.Compare)
	return kept
}

// WaiverCodes explains the codes of waivers themselves.
func WaiverCodes() []Doc {
	return []Doc{
		{Code: WaiverExpired, Meaning: "The day came on which a waiver no longer counts; the finding that it names has its force again.", Do: "Mend what the finding names, or give the waiver a later date after a look."},
		{Code: WaiverUnused, Meaning: "A waiver names no finding of this report.", Do: "Remove the waiver if the finding was mended, or correct its id."},
	}
}
