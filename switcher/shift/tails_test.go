package shift

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTails(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	records := Entrance{Name: "web", Route53: &Route53Entrance{}}
	balancer := Entrance{Name: "web", Balancer: &BalancerEntrance{}}
	for name, test := range map[string]struct {
		entrance EntranceState
		reading  EntranceReading
		want     []Tail
	}{
		"records that were never moved": {
			EntranceState{Entrance: records},
			EntranceReading{Name: "web", TTL: time.Minute, InSync: true},
			[]Tail{{Entrance: "web", Side: Green, Kind: TailDNS, For: 2 * time.Minute}},
		},
		"records whose green was lowered: an answer, and the connection that was opened by it": {
			EntranceState{Entrance: records, LoweredAt: ago(90 * time.Second), RaisedAt: ago(time.Hour)},
			EntranceReading{Name: "web", TTL: time.Minute, Connection: time.Hour, InSync: true},
			[]Tail{
				{Entrance: "web", Side: Green, Kind: TailDNS, For: 2 * time.Minute, Since: ago(90 * time.Second), Until: now.Add(30 * time.Second)},
				{Entrance: "web", Side: Green, Kind: TailConnection, For: time.Hour + 2*time.Minute, Since: ago(90 * time.Second), Until: now.Add(time.Hour + 30*time.Second)},
			},
		},
		"resolvers have followed": {
			EntranceState{Entrance: records, LoweredAt: ago(2 * time.Minute)},
			EntranceReading{Name: "web", TTL: time.Minute, InSync: true},
			[]Tail{{Entrance: "web", Side: Green, Kind: TailDNS, For: 2 * time.Minute, Since: ago(2 * time.Minute)}},
		},
		"AWS is slower than it says": {
			EntranceState{Entrance: records, LoweredAt: ago(5 * time.Minute)},
			EntranceReading{Name: "web", At: ago(10 * time.Second), TTL: time.Minute},
			[]Tail{{Entrance: "web", Side: Green, Kind: TailDNS, For: 2 * time.Minute, Since: ago(5 * time.Minute), Until: now.Add(50 * time.Second)}},
		},
		"green rose: who is still on blue": {
			EntranceState{Entrance: balancer, Share: Full, RaisedAt: ago(time.Minute), LoweredAt: ago(time.Hour)},
			EntranceReading{Name: "web", Sticky: time.Hour, Deregistration: 5 * time.Minute, InSync: true},
			[]Tail{
				{Entrance: "web", Side: Green, Kind: TailCookie, For: time.Hour},
				{Entrance: "web", Side: Green, Kind: TailDeregistration, For: 5 * time.Minute},
				{Entrance: "web", Side: Blue, Kind: TailCookie, For: time.Hour, Since: ago(time.Minute), Until: now.Add(59 * time.Minute)},
				{Entrance: "web", Side: Blue, Kind: TailDeregistration, For: 5 * time.Minute},
			},
		},
		"a journal of before it knew when green rose": {
			EntranceState{Entrance: balancer, Share: Full},
			EntranceReading{Name: "web", Sticky: time.Hour},
			[]Tail{
				{Entrance: "web", Side: Green, Kind: TailCookie, For: time.Hour},
				{Entrance: "web", Side: Blue, Kind: TailCookie, For: time.Hour, Since: ago(10 * time.Minute), Until: now.Add(50 * time.Minute)},
			},
		},
		"a network load balancer's connections never end by themselves": {
			EntranceState{Entrance: balancer, LoweredAt: ago(240 * time.Hour)},
			EntranceReading{Name: "web", Connection: Endless},
			[]Tail{{Entrance: "web", Side: Green, Kind: TailConnection, For: Endless, Since: ago(240 * time.Hour)}},
		},
		"a rule that keeps nobody": {EntranceState{Entrance: balancer, LoweredAt: now}, EntranceReading{Name: "web"}, nil},
		"records that can't be read still take Route 53's time": {
			EntranceState{Entrance: records, LoweredAt: now},
			EntranceReading{},
			[]Tail{{Entrance: "web", Side: Green, Kind: TailDNS, For: time.Minute, Since: now, Until: now.Add(time.Minute)}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := State{Entrances: []EntranceState{test.entrance}, ReachedAt: ago(10 * time.Minute)}
			got := Tails(s, Observation{Entrances: []EntranceReading{test.reading}}, now)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("tails (-want +got):\n%s", diff)
			}
			for _, tail := range got {
				alive := !tail.Until.IsZero() || tail.For == Endless && !tail.Since.IsZero()
				if tail.Alive(now) != alive || tail.String() == "" {
					t.Errorf("alive: %t, want %t; said as %q", tail.Alive(now), alive, tail)
				}
			}
		})
	}
}

func TestWayBackTakes(t *testing.T) {
	t.Parallel()
	records := func(name string) EntranceState {
		return EntranceState{Entrance: Entrance{Name: name, Route53: &Route53Entrance{}}}
	}
	rule := EntranceState{Entrance: Entrance{Name: "rule", Balancer: &BalancerEntrance{}}}
	read := Observation{Entrances: []EntranceReading{{Name: "fast", TTL: 30 * time.Second}, {Name: "slow", TTL: 5 * time.Minute}, {Name: "rule", Sticky: time.Hour}}}
	for name, test := range map[string]struct {
		entrances []EntranceState
		want      time.Duration
	}{
		"nothing is to go back":                          {nil, 0},
		"a rule takes seconds, whatever it keeps":        {[]EntranceState{rule}, 5 * time.Second},
		"records take AWS's time and their TTL":          {[]EntranceState{rule, records("fast")}, 90 * time.Second},
		"the slowest counts":                             {[]EntranceState{records("slow"), records("fast")}, 6 * time.Minute},
		"records that were not read take AWS's at least": {[]EntranceState{records("other")}, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := WayBackTakes(State{Entrances: test.entrances}, read); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// At 100 % a person wonders who is still on blue; below it some are by weight.
func TestWhoIsStillOnBlueIsSaidAtFull(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.group("dns").connection, w.group("rule").sticky = time.Hour, 30*time.Minute
	w.ask = Request{Serve: Green, Attempt: 1}
	for w.mind.Phase != OnStandby {
		w.tick(10 * time.Second)
		about := strings.Join(Notes(w.mind, w.observe(w.mind), w.now), "\n")
		if w.mind.Share < Full && strings.Contains(about, "may stay on blue") {
			t.Fatalf("at %s it says %q", w.mind.Share, about)
		}
	}
	about := strings.Join(Notes(w.mind, w.observe(w.mind), w.now), "\n")
	for _, want := range []string{"dns: clients with open connections may stay on blue until 2026-11-02 11:0", "rule: clients that hold its cookie may stay on blue until 2026-11-02 10:3"} {
		if !strings.Contains(about, want) {
			t.Errorf("it says %q, without %q", about, want)
		}
	}
}

func TestTheEndOfARollbackNamesWhoStays(t *testing.T) {
	t.Parallel()
	w := held(t)
	w.group("dns").connection = time.Hour
	w.group("rule").connection = Endless
	w.ask.RollbackBy = []string{"config"}
	var d Decision
	for d.Reason != BackOnBlue {
		d = w.tick(10 * time.Second)
	}
	for _, want := range []string{"; at dns clients with open connections may stay on green until 2026-11-02 11:", "; at rule clients with open connections may stay on green for as long as they keep them"} {
		if !strings.Contains(d.Message, want) {
			t.Errorf("it says %q, without %q", d.Message, want)
		}
	}
}
