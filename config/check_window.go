package config

import (
	"fmt"
	"time"
)

// longestFreeze is how long a freeze may last. A longer one is a year that was mistyped, or a stop without an end.
const longestFreeze = 366 * 24 * time.Hour

func (c *checker) windows(path string, windows []Window) {
	for i, w := range windows {
		at := fmt.Sprintf("%s[%d]", path, i)
		seen := unique{}
		for j, day := range w.Days {
			c.unique(seen, fmt.Sprintf("%s.days[%d]", at, j), day, "is listed twice", "keep one")
		}
		from, opens := c.clock(at+".from", w.From, false)
		to, closes := c.clock(at+".to", w.To, true)
		if opens && closes && from == to {
			c.faultf(at+".to", "%s is when it opens, so that it never does; for the whole day use from: \"00:00\" and to: \"24:00\"", w.To)
		}
		c.timezone(at+".timezone", w.Timezone)
	}
}

// clock reads a time of the day, and notes a fault where it is none. 24:00 is the end of a day, and never its start.
func (c *checker) clock(path, text string, end bool) (time.Duration, bool) {
	if c.faulty[path] {
		return 0, false
	}
	if end && text == "24:00" {
		return 24 * time.Hour, true
	}
	at, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		want := "09:30, from 00:00 to 23:59"
		if end {
			want = "17:30, from 00:00 to 24:00"
		}
		c.faultf(path, "%q is not a time of the day; write it as %s", text, want)
		return 0, false
	}
	return time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute, true
}

// timezone checks a name of the IANA database. Local would hang on where the daemon runs.
func (c *checker) timezone(path, name string) {
	if c.faulty[path] {
		return
	}
	if _, err := time.LoadLocation(name); err != nil || name == "Local" || name == "" {
		c.faultf(path, "%q is not a time zone; use a name of the IANA database, such as Europe/Berlin or UTC", name)
	}
}

func (c *checker) freezes(path string, freezes []Freeze) {
	for i, f := range freezes {
		at := fmt.Sprintf("%s[%d]", path, i)
		from, begins := c.day(at+".from", f.From)
		to, ends := c.day(at+".to", f.To)
		switch {
		case !begins || !ends:
		case to.Before(from):
			c.faultf(at+".to", "%s lies before the first day, %s; turn them round", f.To, f.From)
		case to.Sub(from) > longestFreeze:
			c.faultf(at+".to", "%s is more than a year after %s; correct it, or set paused: true for a stop without an end", f.To, f.From)
		}
		c.timezone(at+".timezone", f.Timezone)
	}
}

func (c *checker) day(path, text string) (time.Time, bool) {
	if c.faulty[path] {
		return time.Time{}, false
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		c.faultf(path, "%q is not a day; write it as 2027-01-31", text)
	}
	return day, err == nil
}
