package status

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/switcher/evidence"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func at(clock string) time.Time {
	t, err := time.Parse(time.RFC3339, "2026-03-02T"+clock+"Z")
	if err != nil {
		panic(err)
	}
	return t
}

// stateOfSchema3 has a value in every field that version 3 knew.
func stateOfSchema3() shift.State {
	const arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:"
	return shift.State{
		Schema: shift.Schema, Attempt: 3, Epoch: 7, Version: 42, Phase: shift.RollingBack,
		Steps:     []shift.Step{{Share: 10, Hold: 10 * time.Minute}, {Share: 100, Hold: 90 * time.Minute, Approval: true}},
		Entrances: entrancesOfSchema3(arn),
		Step:      1, Share: 10,
		StartedAt: at("10:00:00"), ChangedAt: at("10:20:00.123456789"), ShownAt: at("10:20:01"),
		ReachedAt: at("10:21:01"), EndedAt: at("11:00:00"),
		Baseline: shift.Baseline{Ready: 12},
		Breaches: []shift.Breach{{Gate: "errors", Count: 2, To: at("10:30:00")}},
		Rollback: &shift.RollbackRecord{
			By: "gate errors", Automatic: true, Why: "4.00 % of 500 requests to green failed, at most 1.00 % may", At: at("10:31:00"),
		},
		Question: &shift.Question{
			ID: "3-1772447460000", Reason: shift.Drift, Entrance: "shop-alb",
			Message: "somebody else set entrance shop-alb to blue 70, green 30; 0 % was intended", At: at("10:31:00"),
		},
		Preflight: &shift.PreflightOutcome{At: at("10:00:09"), Digest: "9f86d081884c7d65", Blocks: 1, Warns: 2, Waived: 3},
	}
}

func entrancesOfSchema3(arn string) []shift.EntranceState {
	blue, green := arn+"targetgroup/blue/4", arn+"targetgroup/green/5"
	return []shift.EntranceState{
		{
			Entrance: shift.Entrance{Name: "shop.example.com", Route53: &shift.Route53Entrance{
				HostedZoneID: "Z123", Names: []string{"shop.example.com", "api.example.com"}, Types: []string{"A", "AAAA"},
				BlueSetIdentifier: "blue", GreenSetIdentifier: "green", Mark: true, MarkPrefix: "_shift", RoleARN: "arn:aws:iam::210987654321:role/dns",
			}},
			Share: 10, Pending: true, Was: shift.Weights{Blue: 100}, WasApart: []shift.Weights{{Blue: 100}, {Blue: 90, Green: 10}},
			SentAt: at("10:20:00"), LoweredAt: at("10:31:00"),
		},
		{Entrance: shift.Entrance{Name: "shop-alb", Balancer: &shift.BalancerEntrance{
			RuleARN: arn + "listener-rule/app/shop/1/2/3", BlueTargetGroupARN: blue, GreenTargetGroupARN: green, MinHealthyTargets: 2,
		}}},
		{Entrance: shift.Entrance{Name: "shop-nlb", Balancer: &shift.BalancerEntrance{
			ListenerARN: arn + "listener/net/shop/1/2", BlueTargetGroupARN: blue, GreenTargetGroupARN: green,
			MinHealthyTargets: 2, MinHealthyPerZone: 1, RestoreStickiness: true, RoleARN: "arn:aws:iam::210987654321:role/balancers",
		}}},
	}
}

// fullState has a value in every field.
func fullState() shift.State {
	s := stateOfSchema3()
	s.Baseline = shift.Baseline{
		At: at("10:00:10"), Ready: 12, Workloads: []shift.WorkloadBaseline{{Workload: "Deployment shop/web", Ready: 8}},
		Loads: []shift.LoadBaseline{{Name: "shop-alb", Rate: 412.5}},
	}
	s.FloorsHeld = true
	s.Floors = &shift.FloorsState{Since: at("10:20:00"), Share: 100, Peaks: []shift.LoadBaseline{{Name: "shop-alb", Rate: 800}}}
	s.Baton = []shift.BatonState{{
		Key: "CronJob shop/nightly", Stage: shift.BatonGiving, Side: shift.Green, Since: at("10:31:00"), OffSince: at("10:31:01"), Replicas: 2,
		LastRun: at("02:00:00"), NextRun: at("12:00:00"), Failed: "1 job was still running after 10m0s",
		Gap: &shift.BatonGap{From: at("10:25:00"), To: at("10:25:07"), Missed: at("10:25:05")},
	}}
	s.Evidence = []shift.GateEvidence{evidenceOfSchema4()}
	return s
}

// evidenceOfSchema4 has a value in every field.
func evidenceOfSchema4() shift.GateEvidence {
	return shift.GateEvidence{
		Gate: "requests",
		Profile: evidence.Profile{
			Metrics: []evidence.Metric{
				{Name: "errors", Ratio: 0.001, Dispersion: 1.5},
				{Name: "slower than 250ms", Edge: 250 * time.Millisecond, Ratio: 0.01, Dispersion: 3.25},
			},
			Rate: 412.5, From: at("04:00:00"), To: at("10:00:00"), Short: "blue's history is 45m0s long, 1h0m0s are needed",
		},
		Book: evidence.Book{
			Last: at("10:30:45"), Spent: 0.25, Step: at("10:21:01"), StepBegun: true, Disasters: 1,
			Metrics: []evidence.MetricBook{{
				Worse: evidence.Bets{-1.5, -2.25}, Over: evidence.Bets{-1000}, Fine: evidence.Bets{3.125}, Under: evidence.Bets{2.5, -0.125},
				Green: evidence.Tally{4300, 90}, Blue: evidence.Tally{17200, 69}, GreenLately: evidence.Tally{860.5, 18.25}, BlueLately: evidence.Tally{3440, 14},
			}},
		},
		Counted: at("10:30:30"), Silent: 2, Awaited: 75.5, UnknownSince: at("10:31:00"), Unknown: 3,
	}
}

// TestOlderSchemasStayReadable holds every later version to what the version
// before wrote. A golden file never changes once a version that writes it is released.
func TestOlderSchemasStayReadable(t *testing.T) {
	golden, err := os.ReadFile("testdata/state-v3.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(shift.Found{Present: true, State: stateOfSchema3()}, Decode(golden)); diff != "" {
		t.Errorf("reading the golden file (-want +got):\n%s", diff)
	}
}

func TestTheGoldenFileIsWhatIsWritten(t *testing.T) {
	golden, err := os.ReadFile(fmt.Sprintf("testdata/state-v%d.json", shift.Schema))
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Compact(&want, golden); err != nil {
		t.Fatal(err)
	}
	got, err := encode(fullState())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), string(got)); diff != "" {
		t.Errorf("what is written is no longer what the golden file of this schema says (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(shift.Found{Present: true, State: fullState()}, Decode(golden)); diff != "" {
		t.Errorf("reading it again (-want +got):\n%s", diff)
	}
}

func TestWhatMakesNoSenseIsUnreadable(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		why     string // part of the reason
	}{
		"a list instead of an object":         {`[1]`, "no JSON object"},
		"half an object":                      {`{"schema": 3, "phase": "Id`, "no JSON object"},
		"an object without a schema":          {`{}`, "no schema number"},
		"a schema from the future":            {`{"schema": 5, "phase": "Idle"}`, "its schema is 5"},
		"a schema too old":                    {`{"schema": 2, "phase": "Idle"}`, "its schema is 2"},
		"a schema that never was":             {`{"schema": 0, "phase": "Idle"}`, "its schema is 0"},
		"a field of another type":             {`{"schema": 4, "phase": "Idle", "attempt": "one"}`, "form of schema 4"},
		"a hold that is no duration":          {`{"schema": 3, "phase": "Idle", "steps": [{"share": 1, "hold": "soon"}]}`, "form of schema 3"},
		"a phase that nobody knows":           {`{"schema": 3, "phase": "Flying"}`, `"Flying"`},
		"no phase at all":                     {`{"schema": 3}`, "phase"},
		"a share over 100":                    {`{"schema": 3, "phase": "Idle", "share": 101}`, "101"},
		"a step beyond the last":              {`{"schema": 3, "phase": "Idle", "step": 1}`, "step 1 of 0"},
		"a step before the first":             {`{"schema": 3, "phase": "Idle", "step": -1}`, "step -1 of 0"},
		"a share of an entrance that is none": {`{"schema": 3, "phase": "Shifting", "entrances": [{"name": "shop", "share": -1}]}`, "entrance shop"},
	} {
		t.Run(name, func(t *testing.T) {
			found := Decode([]byte(c.content))
			if found.Present || !strings.Contains(found.Unreadable, c.why) {
				t.Errorf("found %+v, want unreadable for a reason with %q", found, c.why)
			}
		})
	}
}

func TestNothingIsAbsentAndNotUnreadable(t *testing.T) {
	for _, content := range []string{"", "null"} {
		if diff := cmp.Diff(shift.Found{}, Decode([]byte(content))); diff != "" {
			t.Errorf("reading %q (-want +got):\n%s", content, diff)
		}
	}
}

func TestTheSizeLimitIsExact(t *testing.T) {
	s := shift.NewState()
	s.Question = &shift.Question{}
	empty, err := encode(s)
	if err != nil {
		t.Fatal(err)
	}
	s.Question.Message = strings.Repeat("x", MaxSize-len(empty))
	if _, err := encode(s); err != nil {
		t.Errorf("a state of exactly the limit: %v", err)
	}
	s.Question.Message += "x"
	if _, err := encode(s); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a state of one byte more: %v, want %v", err, ErrTooLarge)
	}
}

// FuzzDecode: whatever is stored, it is read to the letter, or it is unreadable.
func FuzzDecode(f *testing.F) {
	golden, err := os.ReadFile("testdata/state-v3.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	f.Add([]byte(`{"schema": 3, "phase": "Idle"}`))
	f.Add([]byte(`{"schema": 1e0, "phase": "Shifting", "share": 100, "steps": [{"share": 100, "hold": "0s"}], "step": 1}`))
	f.Add([]byte(`{"schema": 2}`))
	f.Add([]byte(` null `))
	f.Fuzz(func(t *testing.T, content []byte) {
		found := Decode(content)
		if found.Present == (found.Unreadable != "") && len(content) > 0 && string(content) != "null" {
			t.Fatalf("%q is there, but found is %+v", content, found)
		}
		if !found.Present {
			return
		}
		again, err := encode(found.State)
		if err != nil {
			t.Skip(err) // over the size, or a year that JSON can't hold
		}
		if diff := cmp.Diff(found, Decode(again)); diff != "" {
			t.Errorf("written and read again (-before +after):\n%s", diff)
		}
	})
}
