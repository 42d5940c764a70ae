package edge

import (
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

func TestWildcardsAreThoseOfALB(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab*?]{0,8}`).Draw(t, "pattern")
		value := rapid.StringMatching(`[ab]{0,8}`).Draw(t, "value")
		// The plain meaning, by a machine that is known to be right.
		plain := regexp.MustCompile("^" + strings.NewReplacer("*", ".*", "?", ".").Replace(pattern) + "$")
		if got, want := wildcard(pattern, value), plain.MatchString(value); got != want {
			t.Fatalf("wildcard(%q, %q) = %v", pattern, value, got)
		}
	})
}

func TestAWeightOfZeroIsNeverPicked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOf(rapid.Int64Range(0, 3)).Draw(t, "weights")
		d := &dice{rand: rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))}
		var sum int64
		for _, weight := range weights {
			sum += weight
		}
		switch got := d.pick(weights); {
		case sum == 0 && got != -1:
			t.Fatalf("picked %d of %v", got, weights)
		case sum > 0 && (got < 0 || weights[got] == 0):
			t.Fatalf("picked %d of %v", got, weights)
		}
	})
}

func TestACookieIsInForceUntilItExpires(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	forward := []routing.WeightedGroup{{TargetGroupARN: "arn:blue"}, {TargetGroupARN: "arn:green", Weight: 0}}
	request := func(cookie *http.Cookie) *http.Request {
		r := &http.Request{Header: http.Header{}}
		if cookie != nil {
			r.AddCookie(cookie)
		}
		return r
	}
	green := newSticky("arn:green", time.Minute, now)
	tests := map[string]struct {
		cookie *http.Cookie
		at     time.Time
		want   int
	}{
		"no cookie":                     {nil, now, -1},
		"just set":                      {green, now, 1},
		"at its last moment":            {green, now.Add(time.Minute - time.Millisecond), 1},
		"expired":                       {green, now.Add(time.Minute), -1},
		"of a group that left the rule": {newSticky("arn:gone", time.Minute, now), now, -1},
		"not ours":                      {&http.Cookie{Name: stickyCookie, Value: "?"}, now, -1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := stuckGroup(request(test.cookie), forward, test.at); got != test.want {
				t.Errorf("got group %d, want %d", got, test.want)
			}
		})
	}
}

func TestHealthFollowsRowsOfChecks(t *testing.T) {
	check := routing.HealthCheck{Healthy: 3, Unhealthy: 2}
	const passed = ""
	tests := map[string]struct {
		known   routing.State
		results []string
		want    []routing.State // after each result
	}{
		"a new target needs one pass": {
			routing.Initial,
			[]string{passed},
			[]routing.State{routing.Healthy},
		},
		"a new target that fails": {
			routing.Unused,
			[]string{reasonFailed, reasonFailed},
			[]routing.State{routing.Initial, routing.Unhealthy},
		},
		"one failure alone changes nothing": {
			routing.Healthy,
			[]string{reasonTimeout, passed, reasonTimeout, passed},
			[]routing.State{routing.Healthy, routing.Healthy, routing.Healthy, routing.Healthy},
		},
		"the way back takes its passes in a row": {
			routing.Unhealthy,
			[]string{passed, passed, reasonMismatch, passed, passed, passed},
			[]routing.State{routing.Unhealthy, routing.Unhealthy, routing.Unhealthy, routing.Unhealthy, routing.Unhealthy, routing.Healthy},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			now := firstHealth(test.known)
			var got []routing.State
			for _, result := range test.results {
				now = now.after(result, check)
				got = append(got, now.state)
				if (now.state == routing.Healthy) != (now.reason == "") {
					t.Errorf("%s for the reason %q", now.state, now.reason)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("states (-want +got):\n%s", diff)
			}
		})
	}
}
