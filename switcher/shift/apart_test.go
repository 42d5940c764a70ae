package shift

import (
	"strings"
	"testing"
)

func apart(all ...Weights) EntranceReading {
	return EntranceReading{Name: "dns", Weights: all[0], Apart: all, Where: "api stands apart"}
}

func TestAnEntranceIsWhereAllOfItsRecordsAre(t *testing.T) {
	w := func(green int) Weights { return Weights{Blue: 100 - green, Green: green} }
	for name, test := range map[string]struct {
		reading         EntranceReading
		at, atMost      bool // 25 %
		most, low, less Share
	}{
		"all together":              {EntranceReading{Weights: w(25)}, true, true, 25, 25, 25},
		"in other numbers":          {apart(w(25), Weights{Blue: 3, Green: 1}), true, true, 25, 25, 25},
		"one of them has less":      {apart(w(25), w(10)), false, true, 25, 10, 10},
		"one of them has more":      {apart(w(50), w(25)), false, false, 50, 25, 25},
		"one of them has a trickle": {apart(w(25), Weights{Blue: 254, Green: 1}), false, true, 25, 1, 0},
		"one of them has no weight": {apart(w(25), Weights{}), false, false, 50, 25, 25},
	} {
		t.Run(name, func(t *testing.T) {
			r := test.reading
			if r.StandsAt(25) != test.at || r.atMost(25) != test.atMost {
				t.Errorf("at: %t, at most: %t", r.StandsAt(25), r.atMost(25))
			}
			if r.Share() != test.most || r.lowest() != test.low || r.least() != test.less {
				t.Errorf("most %s, lowest %s, least %s", r.Share(), r.lowest(), r.least())
			}
		})
	}
}

// A rise of many records may need several batches; until all have landed, what
// is read is neither drift nor done.
func TestAHalfLandedRiseIsFinishedNotQuestioned(t *testing.T) {
	w := newWorld()
	w.ask = Request{Serve: Green, Attempt: 1}
	w.fate = func(c Change) fate { return fate{half: c.Entrance.Route53 != nil && c.Wanted == 25} }
	var reasons []string
	for range 20 {
		d := w.tick(w.plan.Interval)
		reasons = append(reasons, string(d.Reason))
		if w.group("dns").rest != nil { // from now on writes are whole
			w.fate = nil
		}
		if d.Reason == Holding {
			break
		}
	}
	if !w.group("dns").reading(w.now).StandsAt(25) || strings.Contains(strings.Join(reasons, " "), string(Drift)) {
		t.Errorf("the records stand at %s after %q", w.group("dns").reading(w.now), reasons)
	}
}

func TestARecordEditedApartIsNamed(t *testing.T) {
	w := held(t)
	w.group("dns").rest = &Weights{Blue: 90, Green: 10}
	d := w.tick(w.plan.Interval)
	if d.Reason != Drift || !strings.Contains(d.Message, "blue 75, green 25 and blue 90, green 10") {
		t.Fatalf("got %s: %s", d.Reason, d.Message)
	}
	w.answer(Adopt)
	for range 3 { // adopted, lowered, read back
		w.tick(w.plan.Interval)
	}
	if !w.group("dns").reading(w.now).StandsAt(10) || w.mind.Share != 10 {
		t.Errorf("adopted from where green has the least: %s, intended %s", w.group("dns").reading(w.now), w.mind.Share)
	}
}
