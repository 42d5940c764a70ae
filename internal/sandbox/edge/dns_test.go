package edge_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

func weighted(identifier string, weight int64, address string) routing.RecordSet {
	return routing.RecordSet{
		Name: "shop.example.com.", Type: "A", SetIdentifier: identifier,
		Weighted: true, Weight: weight, TTL: 5 * time.Second, Values: []string{address},
	}
}

func zone(more ...routing.RecordSet) []routing.RecordSet {
	return append([]routing.RecordSet{
		{
			Name: "example.com.", Type: "SOA", TTL: 900 * time.Second,
			Values: []string{"ns-1.example.net. hostmaster.example.com. 1 7200 900 1209600 60"},
		},
		{
			Name: "_clusterswitch.shop.example.com.", Type: "TXT", TTL: 5 * time.Second,
			Values: []string{`"attempt=1 epoch=2" "version=3"`},
		},
		{Name: "api.example.com.", Type: "A", TTL: 60 * time.Second, Values: []string{"192.0.2.30", "192.0.2.31"}},
		{Name: "www.example.com.", Type: "CNAME", TTL: 60 * time.Second, Values: []string{"shop.example.com."}},
		{Name: "out.example.com.", Type: "CNAME", TTL: 60 * time.Second, Values: []string{"elsewhere.example.net."}},
		{Name: "loop.example.com.", Type: "CNAME", TTL: 60 * time.Second, Values: []string{"loop.example.com."}},
	}, more...)
}

// ask sends one question to the edge's name server.
func (w *world) ask(network, name string, typ uint16) *dns.Msg {
	w.Helper()
	client := dns.Client{Net: network}
	answer, _, err := client.ExchangeContext(w.Context(), new(dns.Msg).SetQuestion(name, typ), w.edge.DNSAddress())
	if err != nil {
		w.Fatal(err)
	}
	return answer
}

func TestNamesAreAnsweredAsByRoute53(t *testing.T) {
	w := newWorld(t, nil)
	w.control.SetRecords(zone(weighted("blue", 1, "192.0.2.10"), weighted("green", 0, "192.0.2.20"))...)
	soa := "example.com.\t60\tIN\tSOA\tns-1.example.net. hostmaster.example.com. 1 7200 900 1209600 60"
	tests := map[string]struct {
		name  string
		typ   uint16
		rcode int
		want  []string // answer section
		ns    []string // authority section
	}{
		"one member of a weighted group, with its TTL": {
			"shop.example.com.", dns.TypeA, dns.RcodeSuccess,
			[]string{"shop.example.com.\t5\tIN\tA\t192.0.2.10"},
			nil,
		},
		"the case of the question is kept": {
			"SHOP.example.COM.", dns.TypeA, dns.RcodeSuccess,
			[]string{"SHOP.example.COM.\t5\tIN\tA\t192.0.2.10"},
			nil,
		},
		"all values of a simple record": {
			"api.example.com.", dns.TypeA, dns.RcodeSuccess,
			[]string{"api.example.com.\t60\tIN\tA\t192.0.2.30", "api.example.com.\t60\tIN\tA\t192.0.2.31"},
			nil,
		},
		"the mark": {
			"_clusterswitch.shop.example.com.", dns.TypeTXT, dns.RcodeSuccess,
			[]string{"_clusterswitch.shop.example.com.\t5\tIN\tTXT\t\"attempt=1 epoch=2\" \"version=3\""},
			nil,
		},
		"an alias is followed": {
			"www.example.com.", dns.TypeA, dns.RcodeSuccess,
			[]string{"www.example.com.\t60\tIN\tCNAME\tshop.example.com.", "shop.example.com.\t5\tIN\tA\t192.0.2.10"},
			nil,
		},
		"an alias out of our zones is left to the resolver": {
			"out.example.com.", dns.TypeA, dns.RcodeSuccess,
			[]string{"out.example.com.\t60\tIN\tCNAME\telsewhere.example.net."},
			nil,
		},
		"an alias itself can be asked for": {
			"www.example.com.", dns.TypeCNAME, dns.RcodeSuccess,
			[]string{"www.example.com.\t60\tIN\tCNAME\tshop.example.com."},
			nil,
		},
		"NODATA for a name without the type": {
			"shop.example.com.", dns.TypeAAAA, dns.RcodeSuccess, nil, []string{soa},
		},
		"NXDOMAIN for a name that isn't in the zone": {
			"nope.example.com.", dns.TypeA, dns.RcodeNameError, nil, []string{soa},
		},
		"REFUSED outside of the zones": {
			"example.org.", dns.TypeA, dns.RcodeRefused, nil, nil,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, network := range []string{"udp", "tcp"} {
				got := w.ask(network, test.name, test.typ)
				if got.Rcode != test.rcode || got.Authoritative != (test.rcode != dns.RcodeRefused) {
					t.Errorf("%s: %s, authoritative %v", network, dns.RcodeToString[got.Rcode], got.Authoritative)
				}
				if diff := cmp.Diff(test.want, lines(got.Answer)); diff != "" {
					t.Errorf("%s answer (-want +got):\n%s", network, diff)
				}
				if diff := cmp.Diff(test.ns, lines(got.Ns)); diff != "" {
					t.Errorf("%s authority (-want +got):\n%s", network, diff)
				}
			}
		})
	}
}

func lines(rrs []dns.RR) []string {
	var all []string
	for _, rr := range rrs {
		all = append(all, rr.String())
	}
	return all
}

func TestAnAliasThatTurnsInCirclesEnds(t *testing.T) {
	w := newWorld(t, nil)
	w.control.SetRecords(zone()...)
	if got := w.ask("udp", "loop.example.com.", dns.TypeA); len(got.Answer) == 0 || len(got.Answer) > 8 {
		t.Errorf("%d aliases in the answer", len(got.Answer))
	}
}

func TestOneMemberIsAnsweredByItsWeight(t *testing.T) {
	const questions = 2000
	tests := map[string]struct {
		blue, green int64
		want        float64 // part of green
	}{
		"nothing to a weight of zero":     {100, 0, 0},
		"everything to the other side":    {0, 255, 1},
		"by the weight":                   {90, 10, 0.1},
		"all zero means equal shares":     {0, 0, 0.5},
		"the smallest share Route 53 has": {255, 1, 1.0 / 256},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.control.SetRecords(zone(weighted("blue", test.blue, "192.0.2.10"), weighted("green", test.green, "192.0.2.20"))...)
			greens := 0
			for range questions {
				answer := w.ask("udp", "shop.example.com.", dns.TypeA)
				if len(answer.Answer) != 1 {
					t.Fatalf("%d records in one answer", len(answer.Answer))
				}
				if answer.Answer[0].(*dns.A).A.String() == "192.0.2.20" {
					greens++
				}
			}
			got := float64(greens) / questions
			bound := 5 * math.Sqrt(test.want*(1-test.want)/questions) // five standard deviations
			if math.Abs(got-test.want) > bound {
				t.Errorf("green was answered at %v, want %v ± %v", got, test.want, bound)
			}
		})
	}
}

// TestMembersAreChosenByHealth: every answer is asked for often enough to see
// who is never answered.
func TestMembersAreChosenByHealth(t *testing.T) {
	unhealthy := func(set routing.RecordSet) routing.RecordSet {
		set.Unhealthy = true
		return set
	}
	aliased := func(set routing.RecordSet, targets ...routing.RecordSet) routing.RecordSet {
		set.Alias, set.Values, set.TTL, set.Targets = true, nil, 0, targets
		return set
	}
	plain := func(set routing.RecordSet) routing.RecordSet {
		set.Weighted = false
		return set
	}
	spare := plain(weighted("spare", 0, "192.0.2.20"))
	spare.Secondary = true
	blue, green, third := weighted("blue", 90, "192.0.2.10"), weighted("green", 0, "192.0.2.20"), weighted("third", 0, "192.0.2.30")
	target := routing.RecordSet{Name: "lb.example.net.", Type: "A", TTL: time.Minute, Values: []string{"192.0.2.40"}}
	tests := map[string]struct {
		records []routing.RecordSet
		want    []string // all that is ever answered
	}{
		"the unhealthy is left out":            {[]routing.RecordSet{unhealthy(blue), weighted("green", 1, "192.0.2.20")}, []string{"5 192.0.2.20"}},
		"zero weights step in":                 {[]routing.RecordSet{unhealthy(blue), green, third}, []string{"5 192.0.2.20", "5 192.0.2.30"}},
		"zero weights that are well step in":   {[]routing.RecordSet{unhealthy(blue), unhealthy(green), third}, []string{"5 192.0.2.30"}},
		"all unhealthy count as healthy":       {[]routing.RecordSet{unhealthy(blue), unhealthy(green)}, []string{"5 192.0.2.10"}},
		"alone it is answered anyhow":          {[]routing.RecordSet{unhealthy(plain(blue))}, []string{"5 192.0.2.10"}},
		"an alias with its target's TTL":       {[]routing.RecordSet{aliased(blue, target), green}, []string{"60 192.0.2.40"}},
		"an alias to a group chooses in it":    {[]routing.RecordSet{aliased(blue, unhealthy(target), weighted("green", 1, "192.0.2.50")), green}, []string{"5 192.0.2.50"}},
		"an alias to nothing has no answer":    {[]routing.RecordSet{aliased(blue), green}, nil},
		"the primary before the secondary":     {[]routing.RecordSet{plain(blue), spare}, []string{"5 192.0.2.10"}},
		"the secondary for a sick primary":     {[]routing.RecordSet{unhealthy(plain(blue)), spare}, []string{"5 192.0.2.20"}},
		"the primary again when both are sick": {[]routing.RecordSet{unhealthy(plain(blue)), unhealthy(spare)}, []string{"5 192.0.2.10"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.control.SetRecords(zone(test.records...)...)
			seen := map[string]bool{}
			for range 60 {
				for _, rr := range w.ask("udp", "shop.example.com.", dns.TypeA).Answer {
					seen[fmt.Sprintf("%d %s", rr.Header().Ttl, rr.(*dns.A).A)] = true
				}
			}
			if diff := cmp.Diff(test.want, slices.Sorted(maps.Keys(seen))); diff != "" {
				t.Errorf("answered (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUpToEightMultivalueAnswersComeTogether(t *testing.T) {
	var records []routing.RecordSet
	for i := range 10 {
		set := weighted(fmt.Sprint(i), 0, fmt.Sprintf("192.0.2.%d", 100+i))
		set.Weighted, set.MultiValue, set.Unhealthy = false, true, i == 9
		records = append(records, set)
	}
	w := newWorld(t, nil)
	seen := map[string]bool{}
	for _, n := range []int{10, 8} { // with nine healthy ones, and with all of eight
		w.control.SetRecords(zone(records[:n]...)...)
		clear(seen)
		for range 60 {
			answer := w.ask("tcp", "shop.example.com.", dns.TypeA).Answer
			if len(answer) != 8 {
				t.Fatalf("%d answers at once, want 8", len(answer))
			}
			for _, rr := range answer {
				seen[rr.(*dns.A).A.String()] = true
			}
		}
		if want := min(n, 9); len(seen) != want || seen["192.0.2.109"] {
			t.Errorf("of %d records these were seen: %v", n, seen)
		}
	}
}

func TestBadRecordsAreAServerFailure(t *testing.T) {
	w := newWorld(t, nil)
	w.control.SetRecords(zone(weighted("blue", 1, "not an address"))...)
	if got := w.ask("udp", "shop.example.com.", dns.TypeA); got.Rcode != dns.RcodeServerFailure {
		t.Errorf("got %s", dns.RcodeToString[got.Rcode])
	}
}
