package measure

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

const (
	blueGroup  = "targetgroup/blue/1"
	greenGroup = "targetgroup/green/2"
)

func loadQuery() LoadQuery {
	return LoadQuery{
		Name: "web", Blue: Group{"app/web/a", blueGroup}, Green: Group{"app/web/a", greenGroup},
		Window: 5 * time.Minute, Period: time.Minute, Settle: 3 * time.Minute,
	}
}

// With the clock at 9:30:20 and 3 minutes to settle, the window is 9:22 to 9:27.
func TestMeasuringLoads(t *testing.T) {
	t.Parallel()
	measured := shift.LoadReading{From: minute(22), To: minute(27)}
	cases := map[string]struct {
		watch       fakeWatch
		query       func(*LoadQuery)
		blue, green float64 // requests in all of the window's seconds
		past        shift.LoadPast
		err         string
	}{
		"counts whole settled periods of both sides": {
			watch: fakeWatch{groups: map[string]points{blueGroup: {21: 999, 22: 300, 24: 600, 26: 600, 27: 999}, greenGroup: {22: 30, 25: 270}}},
			blue:  5, green: 1, past: shift.LoadPast{Windows: 5, Least: 999. / 300, Most: 1899. / 300},
		},
		"takes silence for no requests": {
			watch: fakeWatch{groups: map[string]points{blueGroup: {22: 300}, greenGroup: {}}}, blue: 1,
			past: shift.LoadPast{Windows: 5, Most: 1},
		},
		"finds that users were there for a whole window before": {
			watch: fakeWatch{groups: map[string]points{blueGroup: {17: 300, 18: 300, 19: 300, 20: 300, 21: 300, 22: 300, 23: 300, 24: 300, 25: 300, 26: 300}, greenGroup: {}}},
			blue:  5, past: shift.LoadPast{Windows: 5, Least: 5, Most: 5},
		},
		"finds that users came in the middle of it": {
			watch: fakeWatch{groups: map[string]points{blueGroup: {24: 300, 25: 300, 26: 300}, greenGroup: {}}},
			blue:  3, past: shift.LoadPast{Windows: 5, Least: 0, Most: 2},
		},
		"has one window before where a period is as long": {
			watch: fakeWatch{groups: map[string]points{blueGroup: {25: 60, 26: 120}, greenGroup: {}}}, query: func(q *LoadQuery) { q.Window = time.Minute },
			blue: 2, past: shift.LoadPast{Windows: 1, Least: 1, Most: 1},
		},
		"knows nothing of one side by a part of the truth": {
			watch: fakeWatch{groups: map[string]points{blueGroup: {22: 300}}, edit: func(o *cloudwatch.GetMetricDataOutput) {
				o.MetricDataResults[1].StatusCode = types.StatusCodePartialData
			}},
			err: "RequestCount is PartialData",
		},
		"knows nothing of a side that isn't answered": {
			watch: fakeWatch{groups: map[string]points{blueGroup: {22: 300}}, edit: func(o *cloudwatch.GetMetricDataOutput) {
				o.MetricDataResults = o.MetricDataResults[:1]
			}},
			err: "RequestCount is missing",
		},
		"takes what is no number for nothing": {
			watch: fakeWatch{groups: map[string]points{blueGroup: {22: math.NaN()}}}, err: "has the value NaN",
		},
		"says which right is missing": {
			watch: fakeWatch{err: &smithy.GenericAPIError{Code: "AccessDenied"}}, err: "grant cloudwatch:GetMetricData",
		},
		"asks for no group without a name": {
			query: func(q *LoadQuery) { q.Green.TargetGroup = "" }, err: "load web names no load balancer and target group of green",
		},
		"asks for no window below its period": {
			query: func(q *LoadQuery) { q.Window = time.Second }, err: "load web: window 1s is shorter than the period 1m0s",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := loadQuery()
			if c.query != nil {
				c.query(&q)
			}
			got := New(Options{API: &c.watch, Now: func() time.Time { return clock }}).Measure(t.Context(), Asked{Loads: []LoadQuery{q}}).Loads[0]
			want := shift.LoadReading{Err: got.Err}
			if c.err == "" {
				want = measured
				want.Blue, want.Green, want.Past = c.blue, c.green, c.past
				want.From = want.To.Add(-q.Window)
			}
			if !strings.Contains(got.Err, c.err) || (c.err == "") != (got.Err == "") {
				t.Errorf("Err %q doesn't tell %q", got.Err, c.err)
			}
			want.Name, want.At, want.FreshFor = "web", clock, q.Window+q.Settle+2*q.Period
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoadsAndGatesOfOnePeriodGoInOneCall(t *testing.T) {
	t.Parallel()
	watch := &fakeWatch{metrics: map[string]points{"RequestCount": {22: 300, 26: 300}}}
	got := New(Options{API: watch, Now: func() time.Time { return clock }}).Measure(t.Context(), Asked{
		Traffic: []Query{query()}, Since: minute(26), Loads: []LoadQuery{loadQuery()},
	})
	if got.Traffic[0].Requests != 300 || got.Loads[0].Blue != 2 {
		t.Errorf("a load looks back over its whole window, a gate to the last step only: got %+v", got)
	}
	if len(watch.calls) != 1 || len(watch.calls[0].MetricDataQueries) != 6 {
		t.Errorf("%d calls", len(watch.calls))
	}
}

func TestNoCallAsksForMoreThanCloudWatchTakes(t *testing.T) {
	t.Parallel()
	watch := &fakeWatch{metrics: map[string]points{"RequestCount": {22: 300}}}
	got := New(Options{API: watch, Now: func() time.Time { return clock }}).Measure(t.Context(), Asked{
		Traffic: slices.Repeat([]Query{query()}, 124), Loads: slices.Repeat([]LoadQuery{loadQuery()}, 3),
	})
	for _, r := range got.Loads {
		if r.Err != "" || r.Blue != 1 {
			t.Errorf("got %+v", r)
		}
	}
	if len(watch.calls) != 2 {
		t.Errorf("%d calls", len(watch.calls))
	}
}

func TestALoadSaysWhenItsNextPeriodHasSettled(t *testing.T) {
	t.Parallel()
	q := loadQuery()
	if got := q.Until(clock); !got.Equal(minute(27)) {
		t.Errorf("got %s", got)
	}
	if got := q.Until(clock.Add(40 * time.Second)); !got.Equal(minute(28)) {
		t.Errorf("a minute later: %s", got)
	}
}
