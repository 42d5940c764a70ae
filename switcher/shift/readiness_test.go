package shift

import (
	"testing"
	"time"
)

func TestReadinessIsSaidInOneSentence(t *testing.T) {
	weak := SideCapacity{Known: true, Percent: 40, Weakest: "Deployment shop/web", Ready: 4, Need: 10, ByLoad: true}
	const capacity = "blue is ready for 40 % of the load (Deployment shop/web: 4 ready, 10 needed by the measured load)"
	tail := func(kind TailKind, side Side, lasts time.Duration) Tail {
		return Tail{Entrance: "web", Side: side, Kind: kind, For: lasts}
	}
	cases := map[string]struct {
		r      Readiness
		want   string
		enough bool
	}{
		"with nothing but capacity": {Readiness{Blue: weak, Wanted: 90}, capacity, false},
		"where little is wanted":    {Readiness{Blue: weak, Wanted: 40}, capacity, true},
		"with what resolvers take": {
			Readiness{Blue: weak, Wanted: 90, Takes: 2 * time.Minute, Tails: []Tail{tail(TailDNS, Green, 2*time.Minute)}},
			capacity + "; going back takes up to 2m0s", false,
		},
		"with the longest who would stay": {
			Readiness{Blue: weak, Wanted: 90, Takes: 2 * time.Minute, Tails: []Tail{tail(TailDNS, Green, 2*time.Minute), tail(TailConnection, Green, time.Hour), tail(TailCookie, Green, 30*time.Minute)}},
			capacity + "; going back takes up to 2m0s; at web clients with open connections would stay on green for up to 1h0m0s", false,
		},
		"with those whom nothing bounds": {
			Readiness{Blue: weak, Wanted: 90, Takes: 5 * time.Second, Tails: []Tail{tail(TailConnection, Green, Endless), tail(TailCookie, Green, time.Hour)}},
			capacity + "; going back takes up to 5s; at web clients with open connections would stay on green for as long as they keep them", false,
		},
		"without those on blue, whom the way back doesn't move, and without targets": {
			Readiness{Blue: weak, Wanted: 90, Takes: 5 * time.Second, Tails: []Tail{tail(TailCookie, Blue, time.Hour), tail(TailDeregistration, Green, time.Hour)}},
			capacity + "; going back takes up to 5s", false,
		},
		"where nothing is known": {
			Readiness{Blue: SideCapacity{Why: "it was not read yet"}, Wanted: 90}, "what blue can carry is unknown: it was not read yet", false,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := c.r.Sentence(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if c.r.Enough() != c.enough || !c.r.Measured() {
				t.Errorf("enough is %t, measured %t", c.r.Enough(), c.r.Measured())
			}
		})
	}
	if (Readiness{}).Measured() {
		t.Error("nothing counts as measured")
	}
}

func TestAGapOfASingletonIsCounted(t *testing.T) {
	now := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)
	last := &BatonGap{From: now.Add(-time.Hour), To: now.Add(-time.Hour + 20*time.Second)}
	for name, c := range map[string]struct {
		b    BatonState
		want float64
	}{
		"never":                  {BatonState{}, 0},
		"the last one":           {BatonState{Gap: last}, 20},
		"the one that is now":    {BatonState{OffSince: now.Add(-5 * time.Second), Gap: last}, 5},
		"one of another's clock": {BatonState{OffSince: now.Add(5 * time.Second)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.b.GapSeconds(now); got != c.want {
				t.Errorf("got %g, want %g", got, c.want)
			}
		})
	}
}
