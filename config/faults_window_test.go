package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/config"
)

func TestFaultsOfWindows(t *testing.T) {
	window := func(text, path, message string) breach {
		return breach{"serve: green", "serve: green\n    windows: [{" + text + "}] #!", "pairs[0].windows[0]." + path, message}
	}
	freeze := func(text, path, message string) breach {
		return breach{"serve: green", "serve: green\n    freezes: [{" + text + "}] #!", "pairs[0].freezes[0]." + path, message}
	}
	breakEach(t, map[string]breach{
		"a window without an end":      window("from: \"09:00\"", "to", "is missing"),
		"a window that never opens":    window("from: \"09:00\", to: \"09:00\"", "to", "09:00 is when it opens, so that it never does; for the whole day use"),
		"a time in words":              window("from: noon, to: \"17:00\"", "from", `"noon" is not a time of the day; write it as 09:30, from 00:00 to 23:59`),
		"a time of one digit":          window("from: \"9:00\", to: \"17:00\"", "from", `"9:00" is not a time of the day`),
		"a time with seconds":          window("from: \"09:00\", to: \"17:00:00\"", "to", `"17:00:00" is not a time of the day; write it as 17:30, from 00:00 to 24:00`),
		"a start at the end of a day":  window("from: \"24:00\", to: \"01:00\"", "from", `"24:00" is not a time of the day`),
		"an hour that no day has":      window("from: \"09:00\", to: \"24:01\"", "to", `"24:01" is not a time of the day`),
		"a time as a number":           window("from: 9, to: \"17:00\"", "from", "9 is not text; put it in quotes"),
		"a day nobody knows":           window("days: [Mon, Monday], from: \"09:00\", to: \"17:00\"", "days[1]", "Monday is not known here; use Mon, Tue, Wed, Thu, Fri, Sat or Sun"),
		"a day twice":                  window("days: [Mon, Mon], from: \"09:00\", to: \"17:00\"", "days[1]", "is listed twice"),
		"a window in no zone":          window("from: \"09:00\", to: \"17:00\", timezone: Europe/Berln", "timezone", `"Europe/Berln" is not a time zone; use a name of the IANA database`),
		"a window where the daemon is": window("from: \"09:00\", to: \"17:00\", timezone: Local", "timezone", `"Local" is not a time zone`),
		"a window in an empty zone":    window("from: \"09:00\", to: \"17:00\", timezone: \"\"", "timezone", `"" is not a time zone`),
		"a freeze without an end":      freeze("from: 2026-12-20", "to", "is missing"),
		"a freeze from no day":         freeze("from: \"20.12.2026\", to: 2027-01-02", "from", `"20.12.2026" is not a day; write it as 2027-01-31`),
		"a freeze to no day":           freeze("from: 2026-12-20, to: 2027-02-30", "to", `"2027-02-30" is not a day`),
		"a freeze the wrong way round": freeze("from: 2026-12-20, to: 2026-01-02", "to", "2026-01-02 lies before the first day, 2026-12-20; turn them round"),
		"a freeze without a stop":      freeze("from: 2026-12-20, to: 2072-01-02", "to", "is more than a year after 2026-12-20; correct it, or set paused: true"),
		"a freeze in no zone":          freeze("from: 2026-12-20, to: 2027-01-02, timezone: CEST", "timezone", `"CEST" is not a time zone`),
	})
}

func TestWindowsAndFreezesAreReadAsWritten(t *testing.T) {
	doc := strings.Replace(small, "serve: green", `serve: green
    windows:
      - {days: [Mon, Tue], from: 09:00, to: 17:30, timezone: Europe/Berlin}
      - {from: "22:00", to: 02:00}
      - {from: "00:00", to: 24:00}
    freezes:
      - {from: 2026-12-20, to: "2027-01-02", timezone: Asia/Tokyo, why: the holidays}
      - {from: 2026-06-01, to: 2026-06-01}`, 1)
	c, err := config.Parse("c.yaml", []byte(doc), nil)
	if err != nil {
		t.Fatal(err)
	}
	windows := []config.Window{
		{Days: []string{"Mon", "Tue"}, From: "09:00", To: "17:30", Timezone: "Europe/Berlin"},
		{From: "22:00", To: "02:00", Timezone: "UTC"},
		{From: "00:00", To: "24:00", Timezone: "UTC"},
	}
	freezes := []config.Freeze{
		{From: "2026-12-20", To: "2027-01-02", Timezone: "Asia/Tokyo", Why: "the holidays"},
		{From: "2026-06-01", To: "2026-06-01", Timezone: "UTC"},
	}
	if diff := cmp.Diff(windows, c.Pairs[0].Windows); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(freezes, c.Pairs[0].Freezes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
