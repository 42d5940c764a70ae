package record_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/internal/record"
	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write golden files and generated documents")
	flag.Parse()
	os.Exit(m.Run())
}

func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// golden compares with a file, or writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if updating() {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), after a look renew it with -update:\n%s", path, diff)
	}
}

const digest = "3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b"

// world is what the real loop acts on, and what it is recorded of.
type world struct {
	*testing.T
	plan    shift.Plan
	now     time.Time
	ask     shift.Request
	shares  map[string]shift.Share
	tokens  int
	marks   map[string]*shift.Mark
	journal []byte
	// errors is how many of a thousand requests to green fail; requests is how many
	// there are.
	errors int
	// lost: the next write's answer is lost, although it landed.
	lost bool
	// unread says why AWS can't be read; empty: it can.
	unread string
	// away: the journal can't be written.
	away bool

	loop     *switcher.Switcher
	recorder *record.Recorder
	kept     *record.Record // what a shelf would hold
	identity string
	version  string
}

func newWorld(t *testing.T) *world {
	w := &world{
		T: t, now: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), ask: shift.Request{Serve: shift.Green, Attempt: 1},
		shares: map[string]shift.Share{}, marks: map[string]*shift.Mark{}, errors: 2,
	}
	w.plan = shift.Plan{
		Pair: "shop", Steps: []shift.Step{{Share: 10, Hold: 5 * time.Minute}, {Share: 50, Hold: 10 * time.Minute, Approval: true}, {Share: 100, Hold: 10 * time.Minute}},
		Gates: shift.Gates{Traffic: []shift.TrafficGate{{Name: "shop-errors", MaxErrorRatio: 0.01, MinRequests: 500, Breaches: 2}}},
		Entrances: []shift.Entrance{
			{Name: "api", Route53: &shift.Route53Entrance{HostedZoneID: "Z1", Names: []string{"api.example.com"}, Types: []string{"A"}, BlueSetIdentifier: "blue", GreenSetIdentifier: "green", Mark: true}},
			{Name: "web", Balancer: &shift.BalancerEntrance{RuleARN: "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/public/0a1b2c3d4e5f6071/8192a3b4c5d6e7f8/1029384756afbecd", MinHealthyTargets: 1}},
		},
		Standby: shift.Standby{For: 30 * time.Minute}, Capacity: shift.CapacityPolicy{AtLeast: 90}, Preflight: shift.PreflightBlock, Interval: 10 * time.Second, StaleAfter: 30 * time.Second,
	}
	w.starts("clusterswitch-7d4b9c6f5-x2x8p", "v1.8.0")
	return w
}

// starts lets a daemon take charge.
func (w *world) starts(identity, version string) {
	w.identity, w.version = identity, version
	w.recorder = record.New(record.Options{Identity: identity, Version: version})
	w.loop = switcher.New(switcher.Options{Plan: w.plan, Observer: w, Journal: w, Committer: w, Reporter: w, Logger: zap.NewNop()})
}

// keeps lets the daemon write its record down, as its shelf would hold it.
func (w *world) keeps() record.Record {
	w.Helper()
	document, err := w.recorder.Record().JSON(false)
	if err != nil {
		w.Fatal(err)
	}
	r, err := record.Parse(document)
	if err != nil {
		w.Fatal(err)
	}
	w.kept = &r
	return r
}

// goesOn lets the next daemon read what the former kept.
func (w *world) goesOn() { w.recorder.Continue(w.kept) }

// steps takes turns until the time is over, or what is waited for came.
func (w *world) steps(span time.Duration) {
	w.Helper()
	for end := w.now.Add(span); w.now.Before(end); {
		w.now = w.loop.Step(w.Context(), w.now)
	}
}

// Request is a port of the loop.
func (w *world) Request(shift.State, bool) shift.Request { return w.ask }

// Observe is a port of the loop.
func (w *world) Observe(_ context.Context, look switcher.Look) shift.Observation {
	o := shift.Observation{Blue: w.cluster(), Green: w.cluster()}
	for _, e := range look.Entrances {
		r := shift.EntranceReading{Name: e.Name, At: w.now, Token: fmt.Sprint(w.tokens), Weights: w.shares[e.Name].Weights(), InSync: true, Mark: w.marks[e.Name]}
		if w.unread != "" {
			r = shift.EntranceReading{Name: e.Name, Err: w.unread}
		}
		if e.Balancer != nil {
			r.BlueTargets = shift.Targets{Known: true, Healthy: 4, Total: 4}
			r.GreenTargets = r.BlueTargets
		}
		o.Entrances = append(o.Entrances, r)
	}
	if from := look.MeasureFrom; !from.IsZero() && w.now.Sub(from) >= time.Minute {
		o.Traffic = []shift.TrafficReading{{Gate: "shop-errors", At: w.now, FreshFor: 3 * time.Minute, From: from, To: w.now, Requests: 4000, Errors: 4 * w.errors}}
	}
	o.Preflight = shift.PreflightReading{At: w.now, FullAt: w.now, Attempt: w.ask.Attempt, FreshFor: time.Minute, Warns: 1, Waived: 1, Digest: "1"}
	return o
}

func (w *world) cluster() shift.ClusterReading {
	web := shift.Workload{Kind: "Deployment", Namespace: "shop", Name: "web", Wanted: 4, Ready: 4}
	return shift.ClusterReading{At: w.now, Nodes: 3, NodesReady: 3, Workloads: []shift.Workload{web}}
}

// Load is a port of the loop.
func (w *world) Load(context.Context, string) (shift.Found, error) {
	if w.journal == nil {
		return shift.Found{}, nil
	}
	found := shift.Found{Present: true}
	return found, json.Unmarshal(w.journal, &found.State)
}

// Save is a port of the loop.
func (w *world) Save(_ context.Context, _ string, s shift.State, _ shift.Said) (err error) {
	if w.away {
		return fmt.Errorf("writing the journal: %w", context.DeadlineExceeded)
	}
	w.journal, err = json.Marshal(s)
	return err
}

// Commit is a port of the loop.
func (w *world) Commit(_ context.Context, changes []shift.Change) []shift.Result {
	var results []shift.Result
	for _, c := range changes {
		r := shift.Result{Entrance: c.Entrance.Name, Outcome: shift.Applied, At: w.now}
		if w.lost {
			r.Outcome, r.Note, w.lost = shift.Unknown, "no answer: the connection was cut", false
		}
		w.shares[c.Entrance.Name], w.marks[c.Entrance.Name] = c.Wanted, new(c.Control)
		w.tokens++
		results = append(results, r)
	}
	return results
}

// Report is a port of the loop. It counts calls as a look and a write would make them.
func (w *world) Report(t switcher.Turn) {
	if t.Decision.Next.Attempt == 0 {
		return
	}
	calls := []record.Call{
		{Service: "route53", Operation: "ListResourceRecordSets", Outcome: "ok", Count: 1},
		{Service: "elasticloadbalancingv2", Operation: "DescribeRules", Outcome: "ok", Count: 1},
	}
	if w.unread != "" {
		calls = []record.Call{{Service: "route53", Operation: "ListResourceRecordSets", Outcome: "throttled", Count: 3}}
	}
	for _, r := range t.Results {
		operation, outcome := record.Call{Service: "route53", Operation: "ChangeResourceRecordSets", Count: 1}, "ok"
		if r.Entrance == "web" {
			operation = record.Call{Service: "elasticloadbalancingv2", Operation: "ModifyRule", Count: 1}
		}
		if r.Outcome != shift.Applied {
			outcome = "no_answer"
		}
		operation.Outcome = outcome
		calls = append(calls, operation)
	}
	w.recorder.See(t, record.Beside{Configuration: digest, AskedBy: []string{"the configuration (serve: green)"}, Report: w.report(t), Calls: calls})
}

// report is the preflight's.
func (w *world) report(t switcher.Turn) finding.Report {
	lacks := finding.New("ImageDiffers", finding.Warn, finding.Object{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: "cart"}, "cart")
	lacks.Message = "the image is cart:1.9 on blue and cart:1.10 on green"
	waived := finding.New("ObjectMissing", finding.Block, finding.Object{Kind: "ConfigMap", Namespace: "shop", Name: "legacy-flags"}, "")
	waived.Message = "ConfigMap shop/legacy-flags is on blue and not on green"
	waived.Waived = &finding.Waived{Reason: "nothing reads it since release 41", Until: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)}
	return finding.Report{
		Schema: finding.Schema, Pair: "shop", Attempt: t.Decision.Next.Attempt, Scope: "full",
		At: time.Date(2026, 3, 2, 10, 0, 4, 0, time.UTC), Findings: []finding.Finding{lacks, waived},
	}
}
