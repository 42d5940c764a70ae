package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
)

// onItsWay is a pair at its second step, with gates of every judgement.
func onItsWay() v1alpha1.TrafficSwitch {
	t := *stands("Shifting", 25, 3)
	t.Status.Step, t.Status.Reason = "2/4", "Holding"
	t.Status.Message = "25% is held for 10m, of which 4m12s are over; then green rises to 50% if all gates pass"
	t.Status.Gates = []v1alpha1.Gate{
		{Gate: "workloads", Judgement: "pass", Message: "all 12 workloads of green are ready"},
		{Gate: "probes", Judgement: "pass", Message: "checkout: 5 of 5"},
		{Gate: "errors", Judgement: "wait", Message: "8,410 requests of green seen; at the present rate it takes 3m more until a doubled error ratio would have been found, which is long enough to break any line"},
		{Gate: "latency", Judgement: "unknown", Message: "Prometheus doesn't answer"},
	}
	ready := 133
	t.Status.Readiness = &v1alpha1.Readiness{
		Message: "blue could carry 133% of the present load; it would take up to 1m0s", BlueCapacityPercent: &ready, WantedPercent: 90, Takes: "1m0s",
		Tails: []v1alpha1.Tail{{Entrance: "dns", Side: "green", Kind: "dns", For: "1m0s"}},
	}
	t.Status.Notes = []string{"clients with a cookie of the load balancer stay where they are"}
	return t
}

func TestScreen(t *testing.T) {
	began := storyTime().Add(-20 * time.Minute)
	climb := []sample{{began, 0}, {began.Add(5 * time.Minute), 5}, {began.Add(10 * time.Minute), 25}}
	back := *sentBack(stands("RollingBack", 25, 3))
	back.Status.Rollback.At = metav1.NewTime(storyTime())
	asking := *stands("Shifting", 10, 3)
	asking.Status.Question = &v1alpha1.Question{ID: "q", Reason: "Drift", Message: "somebody set green to 40% on entrance dns; answer it with: clusterswitch resume shop --adopt or --restore"}
	nobody := v1alpha1.TrafficSwitch{}
	nobody.Name = "shop"
	blind := nobody
	blind.Status = v1alpha1.TrafficSwitchStatus{Reason: "EntranceUnknown", Message: "there is no journal, and entrance web can't be read: access denied", UpdatedAt: metav1.NewTime(storyTime())}
	old := onItsWay()
	old.Status.UpdatedAt = metav1.NewTime(storyTime().Add(-10 * time.Minute))
	var all strings.Builder
	for _, c := range []struct {
		name string
		s    screen
	}{
		{"a shift on its way, 100 wide", screen{pair: onItsWay(), past: climb, width: 100, height: 40}},
		{"the same on a small terminal", screen{pair: onItsWay(), past: climb, width: 44, height: 16}},
		{"a rollback", screen{pair: back, past: append(slices.Clip(climb), sample{storyTime().Add(-time.Minute), 100}, sample{storyTime(), 0}), width: 80, height: 24}},
		{"a question", screen{pair: asking, past: climb[:1], width: 80, height: 24}},
		{"no daemon yet", screen{pair: nobody, past: climb[:1], width: 80, height: 24}},
		{"a daemon that can't begin", screen{pair: blind, past: climb[:1], width: 80, height: 24}},
		{"a daemon that is silent, read before the cluster went away", screen{pair: old, past: climb, width: 80, height: 12, trouble: "reading shop: connection refused"}},
	} {
		c.s.now = storyTime()
		fmt.Fprintf(&all, "=== %s\n", c.name)
		lines := c.s.lines()
		for _, line := range lines {
			all.WriteString(strings.TrimRight(line, " ") + "\n")
			if n := utf8.RuneCountInString(line); n > c.s.width {
				t.Errorf("%s: a line of %d characters: %s", c.name, n, line)
			}
		}
		if len(lines) > c.s.height {
			t.Errorf("%s: %d lines on %d", c.name, len(lines), c.s.height)
		}
	}
	golden(t, "testdata/screen.txt", all.String())
}

func TestColoursChangeNothingElse(t *testing.T) {
	s := screen{pair: onItsWay(), past: []sample{{storyTime().Add(-time.Hour), 25}}, now: storyTime(), width: 100, height: 40}
	plain := strings.Join(s.lines(), "\n")
	s.colours = true
	painted := strings.Join(s.lines(), "\n")
	if painted == plain || strings.Contains(plain, "\x1b") {
		t.Error("colours were asked for and not given, or the other way round")
	}
	if got := regexp.MustCompile("\x1b\\[[0-9]*m").ReplaceAllString(painted, ""); got != plain {
		t.Errorf("without its colours it is\n%s\nnot\n%s", got, plain)
	}
}

func TestWatch(t *testing.T) {
	steps := []*v1alpha1.TrafficSwitch{stands("Shifting", 10, 1), stands("Shifting", 10, 1), stands("Shifting", 50, 1), nil, stands("Completed", 100, 1)}
	play := func(t *testing.T, size func() (int, int)) string {
		var out bytes.Buffer
		synctest.Test(t, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			n := 0
			w := watching{
				out: &out, every: watchLook, size: size, now: func() time.Time { return storyTime().Add(time.Duration(n) * time.Minute) },
				look: func(context.Context) (*v1alpha1.TrafficSwitch, error) {
					if n == len(steps) {
						stop()
						return nil, ctx.Err()
					}
					n++
					if steps[n-1] == nil {
						return nil, errors.New("connection refused")
					}
					return steps[n-1], nil
				},
			}
			if err := w.until(ctx); err != nil {
				t.Error(err)
			}
		})
		return out.String()
	}
	t.Run("without a terminal each change is a line", func(t *testing.T) {
		want := `10:04:00  Shifting 10%  Holding: 10m
10:06:00  Shifting 50%  Holding: 10m
10:07:00  not read anew: connection refused
10:08:00  Completed 100%  Holding: 10m
`
		if got := play(t, nil); got != want {
			t.Errorf("it writes\n%s\nnot\n%s", got, want)
		}
	})
	t.Run("a terminal gets its own back", func(t *testing.T) {
		got := play(t, func() (int, int) { return 80, 24 })
		if !strings.HasPrefix(got, "\x1b[?1049h") || !strings.HasSuffix(got, "\x1b[?1049l") || strings.Count(got, "\x1b[H") != len(steps) {
			t.Errorf("it writes %q", got)
		}
	})
	t.Run("a pair that isn't there ends it", func(t *testing.T) {
		w := watching{
			out: &bytes.Buffer{}, every: watchLook, now: storyTime,
			look: func(context.Context) (*v1alpha1.TrafficSwitch, error) { return nil, noPairError{errors.New("no pair")} },
		}
		if err := w.until(t.Context()); err == nil {
			t.Error("it ends without an error")
		}
	})
}
