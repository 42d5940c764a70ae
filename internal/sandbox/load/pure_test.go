package load

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
	"pgregory.net/rapid"
)

// answers is a name server that answers with what the test has set.
type answers struct {
	records []string
	rcode   int
	err     error
	asked   int
}

func (a *answers) ask(context.Context, string) (*dns.Msg, error) {
	a.asked++
	if a.err != nil {
		return nil, a.err
	}
	m := &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: a.rcode}}
	for _, text := range a.records {
		rr, err := dns.NewRR(text)
		if err != nil {
			return nil, err
		}
		m.Answer = append(m.Answer, rr)
	}
	return m, nil
}

func TestAnAnswerIsKeptForItsTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &answers{records: []string{"shop.example.com. 5 IN A 192.0.2.10"}}
		c := newCache(server.ask)
		expect := func(address string, asked int) {
			t.Helper()
			got, err := c.lookup(t.Context(), "shop.example.com")
			if err != nil || got != address || server.asked != asked {
				t.Errorf("got %s, %v after %d questions; want %s after %d", got, err, server.asked, address, asked)
			}
		}
		expect("192.0.2.10", 1)
		server.records = []string{"shop.example.com. 0 IN A 192.0.2.20"}
		time.Sleep(5*time.Second - time.Nanosecond)
		expect("192.0.2.10", 1)
		time.Sleep(time.Nanosecond)
		expect("192.0.2.20", 2)
		expect("192.0.2.20", 3) // a TTL of 0 is not kept at all
	})
}

func TestAnAnswerLivesAsLongAsItsShortestRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &answers{records: []string{"www. 3 IN CNAME shop.", "shop. 60 IN A 192.0.2.10", "shop. 60 IN A 192.0.2.11"}}
		c := newCache(server.ask)
		for range 2 {
			if got, err := c.lookup(t.Context(), "www"); err != nil || got != "192.0.2.10" {
				t.Fatalf("got %s, %v", got, err)
			}
		}
		time.Sleep(3 * time.Second)
		if _, err := c.lookup(t.Context(), "www"); err != nil || server.asked != 2 {
			t.Errorf("%d questions, %v", server.asked, err)
		}
	})
}

func TestAFailedLookupIsNotKept(t *testing.T) {
	tests := map[string]answers{
		"the server is silent":  {err: errors.New("i/o timeout")},
		"the name is not there": {rcode: dns.RcodeNameError},
		"no address":            {records: []string{`shop. 5 IN TXT "x"`}},
	}
	for name, failing := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCache(failing.ask)
			if got, err := c.lookup(t.Context(), "shop"); err == nil {
				t.Fatalf("got %s", got)
			}
			c.ask = (&answers{records: []string{"shop. 5 IN A 192.0.2.10"}}).ask
			if got, err := c.lookup(t.Context(), "shop"); err != nil || got != "192.0.2.10" {
				t.Errorf("afterwards: %s, %v", got, err)
			}
		})
	}
}

func TestRecentIsTheLastSecond(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	l := newLedger(start)
	enter := func(at time.Duration, host, cluster string, cause Cause) {
		l.enter(start.Add(at), outcome{host: host, cluster: cluster, cause: cause, latency: time.Millisecond})
	}
	for at := time.Duration(0); at < 2*time.Second; at += 10 * time.Millisecond {
		enter(at, "shop", "blue", "")
	}
	for at := 2 * time.Second; at < 3*time.Second; at += 10 * time.Millisecond {
		enter(at, "shop", "green", "")
		enter(at, "api", "green", GreenError)
	}

	s := l.snapshot(start.Add(3 * time.Second))
	want := Count{
		Requests: 200, Failed: 100,
		FailedByCause: map[Cause]int64{GreenError: 100},
		ByCluster:     map[string]int64{"green": 200},
	}
	if diff := cmp.Diff(want, s.Recent); diff != "" {
		t.Errorf("after 3 s (-want +got):\n%s", diff)
	}
	if got := s.RecentByHost["shop"]; got.Requests != 100 || got.Failed != 0 || got.Share("green") != 100 {
		t.Errorf("shop alone: %+v", got)
	}
	if s.Requests != 400 || s.Share("green") != 50 || s.ByHost["api"].Failed != 100 {
		t.Errorf("totals: %+v", s)
	}
	if got := l.snapshot(start.Add(time.Minute)).Recent.Requests; got != 0 {
		t.Errorf("%d requests are still recent after a minute", got)
	}

	s.ByCluster["green"], s.ByHost["api"].FailedByCause[GreenError] = 0, 0
	if got := l.snapshot(start.Add(3 * time.Second)); got.ByCluster["green"] != 200 || got.ByHost["api"].FailedByCause[GreenError] != 100 {
		t.Error("a snapshot shares its maps with the ledger")
	}
}

func TestShareOfNoAnswersIsZero(t *testing.T) {
	if got := newCount().Share("green"); got != 0 {
		t.Errorf("got %v", got)
	}
}

func TestQuantilesAreRightToAnEighth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(1, int64(time.Minute/time.Microsecond)), 1, 200).Draw(t, "micros")
		part := rapid.Float64Range(0.01, 1).Draw(t, "part")
		var h histogram
		for _, value := range values {
			h.add(time.Duration(value) * time.Microsecond)
		}
		slices.Sort(values)
		exact := time.Duration(values[int(math.Ceil(part*float64(len(values))))-1]) * time.Microsecond
		if got := h.quantile(part); got < exact || float64(got) > float64(exact)*1.126+float64(time.Microsecond) {
			t.Fatalf("quantile %v is %v, exactly %v", part, got, exact)
		}
	})
}

func TestQuantileOfNothingIsZero(t *testing.T) {
	var h histogram
	if got := h.quantile(0.5); got != 0 {
		t.Errorf("got %v", got)
	}
	h.add(-time.Second)
	h.add(1000 * time.Hour)
	if got := fmt.Sprint(h.quantile(0.5)); got != "1.125µs" {
		t.Errorf("a negative duration counts as %s", got)
	}
}
