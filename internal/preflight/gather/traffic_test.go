package gather

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// fakeAWS answers from memory, and notes what was sought.
type fakeAWS struct {
	readings  []shift.EntranceReading
	records   map[string][]facts.Record // by the first name of the entrance
	balancers map[string]facts.Balancer // by role
	denied    map[string]bool           // roles whose surveys are refused

	mu     sync.Mutex
	sought []Sought
}

func (f *fakeAWS) Read(ctx context.Context, entrances []shift.Entrance) []shift.EntranceReading {
	if f.readings != nil {
		return f.readings
	}
	readings := make([]shift.EntranceReading, len(entrances))
	for i, e := range entrances {
		readings[i] = shift.EntranceReading{Name: e.Name}
		if deadline, ok := ctx.Deadline(); ok {
			readings[i].At = deadline
		}
	}
	return readings
}

func (f *fakeAWS) Records(_ context.Context, e shift.Route53Entrance) ([]facts.Record, error) {
	records, ok := f.records[e.Names[0]]
	if !ok {
		return nil, errors.New("access denied")
	}
	return records, nil
}

func (f *fakeAWS) Survey(_ context.Context, s Sought) Surveyed {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sought = append(f.sought, s)
	if f.denied[s.RoleARN] {
		return Surveyed{Gaps: []facts.Gap{{What: "the list of load balancers", Why: "access denied", Optional: true}}}
	}
	b, ok := f.balancers[s.RoleARN]
	if !ok {
		return Surveyed{}
	}
	return Surveyed{Balancers: []facts.Balancer{b}, Groups: []facts.TargetGroup{{ARN: "group of " + b.ARN}}}
}

const (
	albHost = "users-1.eu-west-1.elb.amazonaws.com"
	nlbHost = "users-1.elb.cn-north-1.amazonaws.com.cn"
	lbRole  = "arn:aws:iam::222222222222:role/balancers"
)

func byName(names ...string) shift.Entrance {
	return shift.Entrance{Name: names[0], Route53: &shift.Route53Entrance{Names: names}}
}

func byRule() shift.Entrance {
	return shift.Entrance{Name: "alb", Balancer: &shift.BalancerEntrance{
		RuleARN: "arn:aws:elasticloadbalancing:eu-west-1:222222222222:listener-rule/app/users/1/1/1", BlueTargetGroupARN: "blue", GreenTargetGroupARN: "green", RoleARN: lbRole,
	}}
}

func TestLoadBalancersAreSoughtWhereTheyMayBe(t *testing.T) {
	leads := func(typ string, targets ...string) []facts.Record {
		return []facts.Record{{Type: typ, Side: shift.Blue, Targets: targets}}
	}
	rule := *byRule().Balancer
	acts := Sought{RoleARN: lbRole, Region: "eu-west-1", Actions: []string{rule.RuleARN}, Groups: []string{"blue", "green"}}
	withHost := acts
	withHost.Hosts = []string{albHost}
	for name, test := range map[string]struct {
		entrances []shift.Entrance
		records   []facts.Record
		balancers map[string]facts.Balancer
		want      []Sought
		gaps      []facts.Gap
		// leads are the load balancers that the first record leads to.
		leads []string
	}{
		"a rule, as its own role": {
			entrances: []shift.Entrance{byRule()}, want: []Sought{acts},
		},
		"a record, as the daemon itself": {
			entrances: []shift.Entrance{byName("shop")}, records: leads("A", albHost), balancers: map[string]facts.Balancer{"": {ARN: "lb", DNSName: albHost}},
			want: []Sought{{Region: "eu-west-1", Hosts: []string{albHost}}}, leads: []string{"lb"},
		},
		"a record, as the role of a rule of that region too": {
			entrances: []shift.Entrance{byName("shop"), byRule()}, records: leads("CNAME", albHost), balancers: map[string]facts.Balancer{lbRole: {ARN: "lb", DNSName: albHost}},
			want: []Sought{{Region: "eu-west-1", Hosts: []string{albHost}}, withHost}, leads: []string{"lb"},
		},
		"a load balancer that nobody sees": {
			entrances: []shift.Entrance{byName("shop")}, records: leads("A", nlbHost), want: []Sought{{Region: "cn-north-1", Hosts: []string{nlbHost}}},
			gaps: []facts.Gap{{What: "load balancer " + nlbHost, Optional: true, Why: "a record leads to it, but it is none of the application and network load balancers that the daemon's own identity sees in its region"}},
		},
		"addresses, which may be a load balancer's": {
			entrances: []shift.Entrance{byName("shop")}, records: leads("A", "192.0.2.2", "192.0.2.1"), balancers: map[string]facts.Balancer{"": {ARN: "nlb", DNSName: nlbHost, Addresses: []string{"192.0.2.1"}}},
			want: []Sought{{Addresses: []string{"192.0.2.1", "192.0.2.2"}}}, leads: []string{"nlb"},
		},
		"what is none of ELB's": {entrances: []shift.Entrance{byName("shop")}, records: leads("CNAME", "d111.cloudfront.net", "x.amazonaws.com")},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fakeAWS{records: map[string][]facts.Record{"shop": test.records}, balancers: test.balancers}
			got := Traffic(t.Context(), TrafficOptions{Entrances: test.entrances, AWS: f})
			slices.SortFunc(f.sought, func(a, b Sought) int { return strings.Compare(a.RoleARN, b.RoleARN) })
			if diff := cmp.Diff(test.want, f.sought); diff != "" {
				t.Errorf("sought (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.gaps, got.Gaps); diff != "" {
				t.Errorf("gaps (-want +got):\n%s", diff)
			}
			if records := got.Entrances[0].Records; len(records) > 0 && cmp.Diff(test.leads, records[0].Balancers) != "" {
				t.Errorf("the record leads to %v", records[0].Balancers)
			}
			for arn := range got.Balancers {
				if _, ok := got.Groups["group of "+arn]; !ok {
					t.Errorf("the groups are %v", got.Groups)
				}
			}
		})
	}
}

// What can't be read is said once, and not where somebody else could read it.
func TestTrafficThatCannotBeReadIsAGap(t *testing.T) {
	list := facts.Gap{What: "the list of load balancers", Why: "access denied", Optional: true}
	f := &fakeAWS{denied: map[string]bool{"": true, lbRole: true}, records: map[string][]facts.Record{"shop": {{Type: "A", Targets: []string{albHost}}}}}
	got := Traffic(t.Context(), TrafficOptions{Entrances: []shift.Entrance{byName("shop"), byRule(), byName("lost")}, AWS: f})
	want := []facts.Gap{list, {What: "the records of entrance lost", Why: "access denied"}}
	if diff := cmp.Diff(want, got.Gaps); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
	if got.Entrances[2].Known || !got.Entrances[0].Known || !got.Entrances[1].Known {
		t.Errorf("the entrances are %+v", got.Entrances)
	}
	f.denied[lbRole], f.balancers = false, map[string]facts.Balancer{lbRole: {ARN: "lb", DNSName: albHost}}
	f.readings = []shift.EntranceReading{{Name: "shop"}, {Name: "alb"}, {Name: "lost", Err: "access denied"}}
	got = Traffic(t.Context(), TrafficOptions{Entrances: []shift.Entrance{byName("shop"), byRule(), byName("lost")}, AWS: f})
	if len(got.Gaps) != 0 {
		t.Errorf("what the role could read, or the reading says, is a gap: %+v", got.Gaps)
	}
}

// Probes may name a load balancer by another name: then its addresses tell. Who
// answers for names may be slow.
func TestAddressesOfLoadBalancersAreLookedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeAWS{
			records:   map[string][]facts.Record{"shop": {{Type: "A", Targets: []string{albHost}}}},
			balancers: map[string]facts.Balancer{"": {ARN: "lb", DNSName: albHost, Addresses: []string{"192.0.2.9"}}},
		}
		answer := func(_ context.Context, host string) ([]string, error) {
			return []string{"192.0.2.1", "192.0.2.9", host}, nil
		}
		o := TrafficOptions{Entrances: []shift.Entrance{byName("shop")}, AWS: f, Lookup: answer, Timeout: time.Minute}
		began := time.Now()
		got := Traffic(t.Context(), o)
		if at := got.Balancers["lb"].Addresses; !slices.Equal(at, []string{"192.0.2.1", "192.0.2.9", albHost}) {
			t.Errorf("the addresses are %v", at)
		}
		if deadline := got.Entrances[0].Reading.At; !deadline.Equal(began.Add(time.Minute)) {
			t.Errorf("AWS had until %s", deadline.Sub(began))
		}
		o.Lookup = func(ctx context.Context, _ string) ([]string, error) { <-ctx.Done(); return nil, ctx.Err() }
		got = Traffic(t.Context(), o)
		if took := time.Since(began); took != lookupWithin || len(got.Balancers["lb"].Addresses) != 1 || len(got.Gaps) != 0 {
			t.Errorf("after %s it is %+v", took, got)
		}
	})
}
