package awsapi

import (
	"testing"
	"time"
)

func TestAClockIsComparedWithAnswers(t *testing.T) {
	t.Parallel()
	sent := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct{ date, took, want time.Duration }{
		"one that is right":                           {date: 0, took: time.Second},
		"one whose answer was slow":                   {date: 9 * time.Second, took: 9500 * time.Millisecond},
		"one within the second that a Date can't say": {date: -time.Second, took: time.Second},
		"one that is ahead":                           {date: -8 * time.Second, took: time.Second, want: 7 * time.Second},
		"one that is behind":                          {date: 10 * time.Minute, took: time.Second, want: time.Second - 10*time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := offBy(sent.Add(test.date), sent, sent.Add(test.took)); got != test.want {
				t.Errorf("it is off by %s, want %s", got, test.want)
			}
		})
	}
}
