package load_test

import (
	"bufio"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/backend"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/load"
)

const (
	shop = "http://shop.example.com/"
	api  = "http://api.example.com/v1/items"
)

func TestEveryRequestIsCountedOnceByWhoAnswered(t *testing.T) {
	w := newWorld(t)
	w.shares(50, 0)
	g := w.start(nil, shop, api)
	w.awaitMore(600, anyRequest)
	s := g.Stop()

	if s.Failed != 0 || len(s.FailedByCause) != 0 {
		t.Errorf("failed: %v", s.FailedByCause)
	}
	if s.Requests != s.Sent || s.InFlight != 0 || s.Requests != s.ByCluster["blue"]+s.ByCluster["green"] {
		t.Errorf("counts don't add up: %+v", s)
	}
	if got := w.blue.Requests() + w.green.Requests(); s.Requests != got {
		t.Errorf("%d requests counted, %d came to the pods", s.Requests, got)
	}
	shops, apis := s.ByHost["shop.example.com"], s.ByHost["api.example.com"]
	if shops.Requests+apis.Requests != s.Requests || math.Abs(float64(shops.Requests-apis.Requests)) > 10 {
		t.Errorf("targets didn't take turns: %+v", s.ByHost)
	}
	// Five standard deviations of 300 draws.
	if got := shops.Share("green"); math.Abs(got-50) > 15 {
		t.Errorf("green's share at the rule is %v", got)
	}
	if got := apis.Share("green"); got != 0 {
		t.Errorf("green's share at the records is %v", got)
	}
	if s.P50 <= 0 || s.P99 < s.P50 {
		t.Errorf("p50 %v, p99 %v", s.P50, s.P99)
	}
	// Two names, asked for once a second by each user.
	if most := int64(2 * 10 * (s.Elapsed/time.Second + 1)); s.Lookups < 20 || s.Lookups > most {
		t.Errorf("%d lookups, want 20 to %d", s.Lookups, most)
	}
	if again := g.Stop(); again.Requests != s.Requests {
		t.Errorf("%d requests after the end", again.Requests-s.Requests)
	}
}

func TestFailuresAreCountedByCause(t *testing.T) {
	tests := map[string]struct {
		arrange func(*world)
		change  func(*load.Options)
		want    load.Cause
	}{
		"green answers errors": {
			func(w *world) {
				w.shares(100, 0)
				w.setFaults(w.green, backend.Faults{ErrorRatio: 1})
			},
			nil, load.GreenError,
		},
		"blue answers errors": {
			func(w *world) { w.setFaults(w.blue, backend.Faults{ErrorRatio: 1}) },
			nil, load.BlueError,
		},
		"the load balancer has no target": {
			func(w *world) {
				w.control.SetGroups()
				w.shares(0, 0)
			},
			nil, load.EdgeError,
		},
		"the load balancer's targets are behind a partition": {
			func(w *world) { w.network.Cut(netip.MustParsePrefix("10.0.0.0/8")) },
			nil, load.EdgeError,
		},
		"green is slow": {
			func(w *world) { w.setFaults(w.blue, backend.Faults{Latency: time.Hour}) },
			func(o *load.Options) { o.Timeout = 50 * time.Millisecond },
			load.Timeout,
		},
		"the load balancer answers 404": {
			func(w *world) {
				fixed := listener(shopFront, 0, 1, 0)
				fixed.Rules[0].FixedStatus = http.StatusNotFound
				w.control.SetListeners(fixed)
				if err := w.edge.Sync(); err != nil {
					w.Fatal(err)
				}
			},
			nil, load.OtherError,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			test.arrange(w)
			g := w.start(test.change, shop)
			w.awaitMore(50, anyRequest)
			s := g.Stop()
			if s.Failed != s.Requests || s.FailedByCause[test.want] != s.Requests {
				t.Errorf("%d requests, failed by cause: %v", s.Requests, s.FailedByCause)
			}
		})
	}
}

func TestAPartOfErrorsIsCountedExactly(t *testing.T) {
	w := newWorld(t)
	w.shares(100, 0)
	w.setFaults(w.green, backend.Faults{ErrorRatio: 0.3})
	g := w.start(nil, shop)
	w.awaitMore(200, anyRequest)
	s := g.Stop()
	if got, want := s.FailedByCause[load.GreenError], int64(float64(s.Requests)*0.3); got != want || s.Failed != want {
		t.Errorf("%d failed by green of %d requests, want %d; all: %v", got, s.Requests, want, s.FailedByCause)
	}
	if s.ByCluster["green"] != s.Requests {
		t.Errorf("green answered %d of %d", s.ByCluster["green"], s.Requests)
	}
}

func TestANameThatIsNotThereIsADNSError(t *testing.T) {
	w := newWorld(t)
	g := w.start(nil, "http://nope.example.com/")
	if err := w.control.AwaitQueries(t.Context(), 50); err != nil {
		t.Fatal(err)
	}
	s := g.Stop()
	if s.Requests == 0 || s.FailedByCause[load.DNSError] != s.Requests {
		t.Errorf("%d requests, failed by cause: %v", s.Requests, s.FailedByCause)
	}
}

func TestAnAddressThatIsNotThereIsAConnectError(t *testing.T) {
	tests := map[string]func(*world){
		"nobody listens": func(w *world) {
			w.records(record("shop.example.com.", "only", 1, "192.0.2.99"))
		},
		"behind a partition": func(w *world) { w.network.Cut(netip.MustParsePrefix("192.0.2.0/24")) },
	}
	for name, arrange := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			arrange(w)
			d := dialer{w.network, make(chan struct{})}
			g := w.start(func(o *load.Options) { o.Network = d }, shop)
			for range 20 {
				<-d.dialled
			}
			s := g.Stop()
			if s.Requests < 20 || s.FailedByCause[load.ConnectError] != s.Requests {
				t.Errorf("%d requests, failed by cause: %v", s.Requests, s.FailedByCause)
			}
		})
	}
}

func TestNoRequestIsLostWhileRulesChange(t *testing.T) {
	w := newWorld(t)
	w.setFaults(w.blue, backend.Faults{Latency: 5 * time.Millisecond}) // so that requests are under way
	g := w.start(func(o *load.Options) { o.Rate = 1000 }, shop)
	for share := range 50 {
		w.shares(share*2, 0)
		w.awaitMore(10, anyRequest)
	}
	w.shares(100, 0)
	w.awaitMore(100, anyRequest)
	s := g.Stop()
	if s.Failed != 0 {
		t.Errorf("failed: %v of %d", s.FailedByCause, s.Requests)
	}
	if s.ByCluster["blue"] == 0 || s.ByCluster["green"] == 0 {
		t.Errorf("answers: %v", s.ByCluster)
	}
}

func TestUsersFollowARecordOnceItsTTLHasPassed(t *testing.T) {
	w := newWorld(t)
	g := w.start(nil, api)
	w.awaitMore(100, by(blueFront))
	w.shares(0, 100)
	changed := time.Now()
	// The exact second is checked in a synctest bubble; this is the whole way
	// by real sockets, with room for a busy machine.
	w.awaitMore(500, by(greenFront))
	s := g.Stop()
	if s.Failed != 0 {
		t.Errorf("failed: %v", s.FailedByCause)
	}
	var last time.Duration
	for _, r := range w.control.Requests() {
		if r.LoadBalancerARN == blueFront {
			last = r.At.Add(-r.Duration).Sub(changed)
		}
	}
	if last > 4*time.Second {
		t.Errorf("blue's load balancer was still asked after %v", last)
	}
	if last < 0 {
		t.Errorf("no answer was cached: blue's last request came %v before the change", -last)
	}
}

func TestStickyUsersStayWhenTheWeightsGoBack(t *testing.T) {
	w := newWorld(t)
	set := func(blue, green int) {
		w.control.SetListeners(listener(shopFront, time.Hour, blue, green))
		if err := w.edge.Sync(); err != nil {
			t.Fatal(err)
		}
	}
	set(0, 100)
	g := w.start(func(o *load.Options) { o.Workers = 1 }, shop)
	// On a busy machine many requests may be under way before the first answer
	// brings the cookie. The weights change when none of those is left.
	for w.awaitMore(1, anyRequest); g.Snapshot().Requests == 0; {
		w.awaitMore(1, anyRequest)
	}
	for withoutCookie := g.Snapshot().Sent; g.Snapshot().Requests < withoutCookie; {
		w.awaitMore(1, anyRequest)
	}
	set(100, 0)
	w.awaitMore(100, anyRequest)
	if s := g.Stop(); s.ByCluster["blue"] != 0 || s.Failed != 0 {
		t.Errorf("answers %v, failed %v", s.ByCluster, s.FailedByCause)
	}
}

func TestStopWaitsForTheRequestsUnderWay(t *testing.T) {
	w := newWorld(t)
	w.records(record("slow.example.com.", "only", 1, "192.0.2.40"))
	arrived, answer := make(chan struct{}, 1000), make(chan struct{})
	var answered atomic.Int64
	w.serve("192.0.2.40:80", func(rw http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-answer
		answered.Add(1)
		rw.Header().Set("X-Cluster", "blue")
	})
	// One user has many requests under way at once: the load is open-loop.
	g := w.start(func(o *load.Options) { o.Workers = 1 }, "http://slow.example.com/")
	for range 20 {
		<-arrived
	}
	if s := g.Snapshot(); s.InFlight < 20 || s.Requests != 0 {
		t.Errorf("before the end: %+v", s)
	}
	stopped := make(chan load.Snapshot)
	go func() { stopped <- g.Stop() }()
	close(answer)
	s := <-stopped
	if s.Failed != 0 || s.InFlight != 0 || s.Requests != answered.Load() || s.ByCluster["blue"] != s.Requests {
		t.Errorf("%d answered, counted %+v", answered.Load(), s)
	}
}

func TestAKeepAliveRaceIsNoFailureButABrokenServerIs(t *testing.T) {
	tests := map[string]struct {
		answers int // of one connection, before it is closed at the next request
		check   func(*testing.T, load.Snapshot)
	}{
		"a kept connection closes as the next request comes": {1, func(t *testing.T, s load.Snapshot) {
			if s.Failed != 0 || s.Repeated == 0 {
				t.Errorf("repeated %d, failed %v", s.Repeated, s.FailedByCause)
			}
		}},
		"every connection closes at its first request": {0, func(t *testing.T, s load.Snapshot) {
			if s.FailedByCause[load.OtherError] != s.Requests || s.Requests == 0 {
				t.Errorf("%d requests, failed %v", s.Requests, s.FailedByCause)
			}
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.records(record("raw.example.com.", "only", 1, "192.0.2.40"))
			seen := rawServer(t, w, "192.0.2.40:80", test.answers)
			g := w.start(nil, "http://raw.example.com/")
			for range 50 {
				<-seen
			}
			test.check(t, g.Stop())
		})
	}
}

// rawServer answers so many requests on each connection, and closes it without
// an answer at the next one. It tells of every request.
func rawServer(t *testing.T, w *world, address string, answers int) <-chan struct{} {
	t.Helper()
	l, err := w.network.Listen(address)
	if err != nil {
		t.Fatal(err)
	}
	seen, ended := make(chan struct{}, 10_000), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				reader := bufio.NewReader(c)
				for n := 0; ; n++ {
					if _, err := http.ReadRequest(reader); err != nil {
						return
					}
					seen <- struct{}{}
					if n == answers {
						return
					}
					fmt.Fprint(c, "HTTP/1.1 200 OK\r\nX-Cluster: blue\r\nContent-Length: 0\r\n\r\n")
				}
			}()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-ended
	})
	return seen
}

func TestOptionsThatCannotWorkAreRefused(t *testing.T) {
	w := newWorld(t)
	sound := load.Options{Targets: []string{shop}, DNSAddress: w.edge.DNSAddress(), Network: w.network}
	tests := map[string]func(*load.Options){
		"no target":         func(o *load.Options) { o.Targets = nil },
		"no name server":    func(o *load.Options) { o.DNSAddress = "" },
		"no network":        func(o *load.Options) { o.Network = nil },
		"https":             func(o *load.Options) { o.Targets = []string{"https://shop.example.com/"} },
		"no host":           func(o *load.Options) { o.Targets = []string{"/path"} },
		"not a URL":         func(o *load.Options) { o.Targets = []string{"http://%zz/"} },
		"a rate below zero": func(o *load.Options) { o.Rate = -1 },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			options := sound
			change(&options)
			if g, err := load.Start(options); err == nil {
				g.Stop()
				t.Error("started")
			}
		})
	}
}
