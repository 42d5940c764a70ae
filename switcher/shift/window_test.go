package shift

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func zone(tb rapid.TB, name string) *time.Location {
	tb.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		tb.Fatal(err)
	}
	return z
}

func TestWindowsAndFreezes(t *testing.T) {
	berlin, york := zone(t, "Europe/Berlin"), zone(t, "America/New_York")
	work := Window{Days: []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}, From: 9 * time.Hour, To: 17 * time.Hour, Zone: berlin}
	night := Window{Days: []time.Weekday{time.Friday}, From: 22 * time.Hour, To: 2 * time.Hour, Zone: berlin}
	early := Window{From: 2*time.Hour + 30*time.Minute, To: 4 * time.Hour, Zone: york}
	utc := func(text string) time.Time {
		at, err := time.Parse("2006-01-02 15:04:05", text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	holidays := Freeze{From: time.Date(2026, 12, 20, 0, 0, 0, 0, berlin), To: time.Date(2027, 1, 4, 0, 0, 0, 0, berlin), Why: "holidays"}
	for name, test := range map[string]struct {
		gates Gates
		at    string // UTC
		opens string // empty: it is open
	}{
		"nothing is said, so it is always open":         {Gates{}, "2026-11-01 03:00:00", ""},
		"a working day, in winter":                      {Gates{Windows: []Window{work}}, "2026-11-02 08:00:00", ""},
		"a second before it opens":                      {Gates{Windows: []Window{work}}, "2026-11-02 07:59:59", "Mon 2026-11-02 09:00 CET"},
		"in summer it opens an hour earlier by UTC":     {Gates{Windows: []Window{work}}, "2026-07-06 07:00:00", ""},
		"its end isn't within":                          {Gates{Windows: []Window{work}}, "2026-11-02 16:00:00", "Tue 2026-11-03 09:00 CET"},
		"on Friday evening it opens on Monday":          {Gates{Windows: []Window{work}}, "2026-11-06 16:00:00", "Mon 2026-11-09 09:00 CET"},
		"over the weekend in which clocks are set back": {Gates{Windows: []Window{work}}, "2026-10-23 15:00:00", "Mon 2026-10-26 09:00 CET"},
		"past midnight it is still Friday's":            {Gates{Windows: []Window{night}}, "2026-11-07 00:59:59", ""},
		"but not on Friday before it opens":             {Gates{Windows: []Window{night}}, "2026-11-06 00:30:00", "Fri 2026-11-06 22:00 CET"},
		"two windows, the nearer one counts":            {Gates{Windows: []Window{work, night}}, "2026-11-06 16:00:00", "Fri 2026-11-06 22:00 CET"},
		"from midnight to midnight":                     {Gates{Windows: []Window{{Days: []time.Weekday{time.Sunday}, To: 24 * time.Hour}}}, "2026-11-01 23:59:59", ""},
		"from noon to noon of the next day":             {Gates{Windows: []Window{{From: 12 * time.Hour, To: 12 * time.Hour}}}, "2026-11-01 11:59:59", ""},
		"the hour is skipped when clocks go forward":    {Gates{Windows: []Window{early}}, "2027-03-14 06:59:59", "Sun 2027-03-14 03:00 EDT"},
		"and comes twice when they go back":             {Gates{Windows: []Window{{From: time.Hour, To: 2 * time.Hour, Zone: york}}}, "2026-11-01 06:30:00", ""},
		"a window that is all in the skipped hour":      {Gates{Windows: []Window{{From: 2 * time.Hour, To: 3 * time.Hour, Zone: york}}}, "2027-03-14 06:59:59", "Mon 2027-03-15 02:00 EDT"},
		"frozen": {Gates{Freezes: []Freeze{holidays}}, "2026-12-24 18:00:00", "Mon 2027-01-04 00:00 CET"},
		"frozen, and then outside of the windows":          {Gates{Freezes: []Freeze{holidays}, Windows: []Window{work}}, "2026-12-24 12:00:00", "Mon 2027-01-04 09:00 CET"},
		"the last moment before a freeze":                  {Gates{Freezes: []Freeze{holidays}}, "2026-12-19 22:59:59", ""},
		"one freeze ends in another":                       {Gates{Freezes: []Freeze{holidays, {From: utc("2027-01-03 00:00:00"), To: utc("2027-01-05 06:00:00")}}}, "2026-12-24 12:00:00", "Tue 2027-01-05 06:00 UTC"},
		"a freeze ends within a window":                    {Gates{Freezes: []Freeze{{From: utc("2026-11-02 00:00:00"), To: utc("2026-11-02 10:00:00")}}, Windows: []Window{work}}, "2026-11-02 07:00:00", "Mon 2026-11-02 10:00 UTC"},
		"the date line: the nearer opening is a day ahead": {Gates{Windows: []Window{{From: 9 * time.Hour, To: 10 * time.Hour, Zone: zone(t, "Pacific/Kiritimati")}, {From: 23 * time.Hour, To: 24 * time.Hour, Zone: zone(t, "Pacific/Pago_Pago")}}}, "2026-11-01 12:00:00", "Mon 2026-11-02 09:00 +14"},
		"none ever opens":                                  {Gates{Windows: []Window{work}, Freezes: []Freeze{{From: utc("2026-01-01 00:00:00"), To: utc("2030-01-01 00:00:00")}}}, "2026-11-02 10:00:00", "never"},
	} {
		t.Run(name, func(t *testing.T) {
			at := utc(test.at)
			got := ""
			if !test.gates.OpenAt(at) {
				got = "never"
				if opens, found := test.gates.NextOpening(at); found {
					got = opens.Format("Mon 2006-01-02 15:04 MST")
				}
			}
			if got != test.opens {
				t.Errorf("opens %q, want %q", got, test.opens)
			}
		})
	}
}

// TestTheNextOpeningIsTheFirst looks minute by minute instead.
func TestTheNextOpeningIsTheFirst(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"}
	rapid.Check(t, func(rt *rapid.T) {
		var g Gates
		for range rapid.IntRange(0, 3).Draw(rt, "windows") {
			g.Windows = append(g.Windows, Window{
				Days: rapid.SliceOfNDistinct(rapid.Map(rapid.IntRange(0, 6), func(d int) time.Weekday { return time.Weekday(d) }), 0, 3, rapid.ID[time.Weekday]).Draw(rt, "days"),
				From: time.Duration(rapid.IntRange(0, 47).Draw(rt, "from")) * 30 * time.Minute,
				To:   time.Duration(rapid.IntRange(0, 48).Draw(rt, "to")) * 30 * time.Minute,
				Zone: zone(rt, rapid.SampledFrom(zones).Draw(rt, "zone")),
			})
		}
		// Around the days on which clocks are set.
		day := rapid.SampledFrom([]time.Time{
			time.Date(2027, 3, 13, 0, 0, 0, 0, time.UTC), time.Date(2027, 3, 27, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 3, 0, 0, 0, 0, time.UTC),
			time.Date(2026, 10, 24, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC), time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC),
		}).Draw(rt, "day")
		at := day.Add(time.Duration(rapid.IntRange(0, 48*60).Draw(rt, "minute")) * time.Minute)
		for range rapid.IntRange(0, 2).Draw(rt, "freezes") {
			from := day.Add(time.Duration(rapid.IntRange(0, 72).Draw(rt, "frozen")) * time.Hour)
			g.Freezes = append(g.Freezes, Freeze{From: from, To: from.Add(time.Duration(rapid.IntRange(1, 72).Draw(rt, "for")) * time.Hour)})
		}
		if g.OpenAt(at) {
			return
		}
		first := at
		for !g.OpenAt(first) && first.Sub(at) < 20*24*time.Hour {
			first = first.Add(time.Minute)
		}
		if got, found := g.NextOpening(at); !found || !got.Equal(first) {
			rt.Fatalf("from %s the first opening is %s, not %s (%t): %+v", at, first, got.UTC(), found, g)
		}
	})
}
