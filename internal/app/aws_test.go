package app

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/measure"
	"github.com/clusterswitch/clusterswitch/probes"
	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// service is one kind of entrances; each call takes its time.
type service struct {
	kind  string
	takes time.Duration
	calls atomic.Int32
}

func (s *service) Read(_ context.Context, entrances []shift.Entrance, _ shift.Attention) []shift.EntranceReading {
	s.calls.Add(1)
	time.Sleep(s.takes)
	readings := make([]shift.EntranceReading, len(entrances))
	for i, e := range entrances {
		readings[i] = shift.EntranceReading{Name: e.Name, Token: fmt.Sprintf("%s %d", s.kind, i)}
	}
	return readings
}

func (s *service) Commit(_ context.Context, changes []shift.Change) []shift.Result {
	s.calls.Add(1)
	time.Sleep(s.takes)
	results := make([]shift.Result, len(changes))
	for i, c := range changes {
		results[i] = shift.Result{Entrance: c.Entrance.Name, Note: fmt.Sprintf("%s %d", s.kind, i)}
	}
	return results
}

func (s *service) Runbook(e shift.Entrance) ([]string, error) {
	return []string{s.kind + " " + e.Name}, nil
}

func alb(name string) shift.Entrance {
	return shift.Entrance{Name: name, Balancer: &shift.BalancerEntrance{}}
}

func dns(name string) shift.Entrance {
	return shift.Entrance{Name: name, Route53: &shift.Route53Entrance{}}
}

func TestMixedEntrancesAnswerInTheOrderOfTheQuestion(t *testing.T) {
	tests := map[string]struct {
		entrances []shift.Entrance
		want      []string
		calls     [2]int32 // of Route 53 and ELB
	}{
		"mixed":      {[]shift.Entrance{alb("a"), dns("b"), alb("c"), dns("d")}, []string{"a elb 0", "b route53 0", "c elb 1", "d route53 1"}, [2]int32{1, 1}},
		"names only": {[]shift.Entrance{dns("a"), dns("b")}, []string{"a route53 0", "b route53 1"}, [2]int32{1, 0}},
		"rules only": {[]shift.Entrance{alb("a")}, []string{"a elb 0"}, [2]int32{0, 1}},
		"none":       {nil, nil, [2]int32{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				names, rules := &service{kind: "route53", takes: time.Second}, &service{kind: "elb", takes: 2 * time.Second}
				a := newAWS(adapters{route53: func(place) entrances { return names }, elb: func(place) entrances { return rules }})
				var read, wrote []string
				for _, r := range a.read(t.Context(), test.entrances, shift.Watching) {
					read = append(read, r.Name+" "+r.Token)
				}
				if diff := cmp.Diff(test.want, read); diff != "" {
					t.Errorf("readings (-want +got):\n%s", diff)
				}
				if got := [2]int32{names.calls.Load(), rules.calls.Load()}; got != test.calls {
					t.Errorf("%v calls, want %v", got, test.calls)
				}
				changes := make([]shift.Change, len(test.entrances))
				for i, e := range test.entrances {
					changes[i] = shift.Change{Entrance: e}
				}
				began := time.Now()
				for _, r := range a.Commit(t.Context(), changes) {
					wrote = append(wrote, r.Entrance+" "+r.Note)
				}
				if diff := cmp.Diff(test.want, wrote); diff != "" {
					t.Errorf("results (-want +got):\n%s", diff)
				}
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("the write took %s: one service waited for the other", took)
				}
			})
		})
	}
}

// Each account and region has adapters of its own, and each of them is one for
// all pairs.
func TestEntrancesOfOtherAccountsAndRegionsHaveTheirOwnAdapters(t *testing.T) {
	const dnsRole, lbRole = "arn:aws:iam::210987654321:role/dns", "arn:aws:iam::210987654321:role/balancers"
	var opened []string
	open := func(kind string) func(place) entrances {
		return func(p place) entrances {
			opened = append(opened, fmt.Sprintf("%s as %q in %q", kind, p.role, p.region))
			return &service{kind: kind}
		}
	}
	zone := func(role string) shift.Entrance {
		return shift.Entrance{Route53: &shift.Route53Entrance{RoleARN: role}}
	}
	rule := func(role, region string) shift.Entrance {
		return shift.Entrance{Balancer: &shift.BalancerEntrance{RoleARN: role, RuleARN: "arn:aws:elasticloadbalancing:" + region + ":1:listener-rule/app/x"}}
	}
	a := newAWS(adapters{route53: open("route53"), elb: open("elb")})
	all := []shift.Entrance{zone(""), zone(dnsRole), rule("", "eu-west-1"), rule("", "eu-north-1"), rule(lbRole, "eu-west-1")}
	for range 2 {
		for _, e := range all {
			a.of(e)
		}
	}
	want := []string{
		`route53 as "" in ""`, `route53 as "` + dnsRole + `" in ""`,
		`elb as "" in "eu-west-1"`, `elb as "" in "eu-north-1"`, `elb as "` + lbRole + `" in "eu-west-1"`,
	}
	if diff := cmp.Diff(want, opened); diff != "" {
		t.Errorf("adapters (-want +got):\n%s", diff)
	}
}

func TestAnEntranceOfAnUnknownKindIsUnknownAndRefused(t *testing.T) {
	a := newAWS(adapters{})
	e := shift.Entrance{Name: "new"}
	if r := a.read(t.Context(), []shift.Entrance{e}, shift.Urgent); r[0].Name != "new" || r[0].Err == "" {
		t.Errorf("it reads as %+v", r[0])
	}
	if r := a.Commit(t.Context(), []shift.Change{{Entrance: e}}); r[0].Outcome != shift.Refused || r[0].Note == "" {
		t.Errorf("a write came to %+v", r[0])
	}
}

// deafMeter answers only when it is told to give up.
type deafMeter struct{ noRequests }

func (deafMeter) Measure(ctx context.Context, asked measure.Asked) measure.Answered {
	<-ctx.Done()
	return measure.Answered{Traffic: make([]shift.TrafficReading, len(asked.Traffic)), Loads: make([]shift.LoadReading, len(asked.Loads))}
}

type still struct{ reading shift.ClusterReading }

func (s still) Snapshot() shift.ClusterReading { return s.reading }

type noProbes struct{}

func (noProbes) Snapshot() []probes.Reading { return nil }

func TestUrgentLookDoesNotWaitForMeasurements(t *testing.T) {
	since := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		look switcher.Look
		want time.Duration
	}{
		"an urgent one reads the entrances only": {switcher.Look{Attention: shift.Urgent, MeasureFrom: since}, time.Second},
		"one at rest has nothing to measure":     {switcher.Look{}, time.Second},
		"any other waits as long as it may":      {switcher.Look{MeasureFrom: since}, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &observer{
					aws: newAWS(adapters{
						route53: func(place) entrances { return &service{kind: "route53", takes: time.Second} },
						meter:   func(place) meter { return deafMeter{} },
					}),
					blue: still{shift.ClusterReading{Nodes: 1}}, green: still{shift.ClusterReading{Nodes: 2}}, probes: noProbes{},
				}
				o.configure([]query{{Query: measure.Query{Gate: "errors"}}})
				test.look.Entrances = []shift.Entrance{dns("a")}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				began := time.Now()
				got := o.Observe(ctx, test.look)
				if took := time.Since(began); took != test.want {
					t.Errorf("the look took %s, want %s", took, test.want)
				}
				if len(got.Entrances) != 1 || got.Blue.Nodes != 1 || got.Green.Nodes != 2 {
					t.Errorf("the look saw %+v", got)
				}
			})
		})
	}
}

func TestPlanNamesEverythingThatMustBeSeen(t *testing.T) {
	c, err := config.Parse("config.yaml", []byte(document("shop", "")), nil)
	if err != nil {
		t.Fatal(err)
	}
	plan := planOf(c, c.Pairs[0])
	if diff := cmp.Diff([]string{"storefront"}, plan.Gates.Probes); diff != "" {
		t.Errorf("probes of the plan (-want +got):\n%s", diff)
	}
	if len(plan.Entrances) != 2 || plan.Entrances[0].Route53 == nil || plan.Entrances[1].Balancer == nil || len(plan.Steps) != 1 {
		t.Errorf("the plan is %+v", plan)
	}
}
