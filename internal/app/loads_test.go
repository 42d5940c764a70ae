package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/measure"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/prometheus"
	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/evidence"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// countingMeter answers at once, and counts what it was asked for.
type countingMeter struct {
	noRequests
	calls []string
	err   string
	takes time.Duration
}

// noRequests is a meter that counts for no gate.
type noRequests struct{}

func (noRequests) Requests(context.Context, measure.RequestQuery) ([]evidence.Interval, error) {
	return nil, errors.New("nobody counts here")
}

func (noRequests) Edges(context.Context, measure.Group, time.Duration, time.Time) ([]time.Duration, error) {
	return nil, errors.New("nobody counts here")
}

func (m *countingMeter) Measure(_ context.Context, asked measure.Asked) measure.Answered {
	time.Sleep(m.takes)
	m.calls = append(m.calls, fmt.Sprintf("%d gates, %d loads", len(asked.Traffic), len(asked.Loads)))
	answered := measure.Answered{Traffic: make([]shift.TrafficReading, len(asked.Traffic))}
	for _, q := range asked.Loads {
		r := shift.LoadReading{Name: q.Name, At: time.Now(), Err: m.err}
		if m.err == "" {
			r.To, r.Blue, r.Green = q.Until(time.Now()), 20, 5
		}
		answered.Loads = append(answered.Loads, r)
	}
	return answered
}

// answering gives the numbers of both sides after a time.
func answering(blue, green float64, err error, takes time.Duration) loadSource {
	ask := func(n float64) numberOf {
		return func(ctx context.Context, _ time.Time) (float64, error) {
			select {
			case <-time.After(takes):
				return n, err
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}
	}
	return loadSource{blue: ask(blue), green: ask(green), past: func(context.Context, time.Time, time.Duration) shift.LoadPast {
		return shift.LoadPast{Windows: 4, Least: blue, Most: blue}
	}}
}

// loadScene is an observer with one load at CloudWatch and one at Prometheus, and
// one gate. It runs in a bubble, whose clock begins on a full minute.
type loadScene struct {
	*testing.T
	meter    *countingMeter
	observer *observer
}

func newLoadScene(t *testing.T, source loadSource) *loadScene {
	s := &loadScene{T: t, meter: &countingMeter{}}
	a := newAWS(adapters{meter: func(place) meter { return s.meter }})
	loads := newLoadMeter(a, time.Now)
	loads.set = &loadSet{
		loads: []load{
			{LoadSource: shift.LoadSource{Name: "web"}, cloudwatch: &loadQuery{LoadQuery: measure.LoadQuery{
				Name: "web", Window: 5 * time.Minute, Period: time.Minute, Settle: 2 * time.Minute,
			}}},
			{LoadSource: shift.LoadSource{Name: "api"}, prometheus: &config.LoadPrometheus{}, window: 5 * time.Minute},
		},
		asked: map[string]loadSource{"api": source}, pace: 5 * time.Second, staleAfter: 30 * time.Second,
	}
	loads.had = map[string]shift.LoadReading{}
	s.observer = &observer{aws: a, blue: still{}, green: still{}, probes: noProbes{}, loads: loads}
	s.observer.configure([]query{{Query: measure.Query{Gate: "errors"}}})
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go func() { _ = loads.run(ctx) }()
	return s
}

// look looks, and gives the rates of each load as "web 20+5".
func (s *loadScene) look(l switcher.Look) []string {
	ctx, cancel := context.WithTimeout(s.Context(), 10*time.Second)
	defer cancel()
	var seen []string
	for _, r := range s.observer.Observe(ctx, l).Loads {
		seen = append(seen, fmt.Sprintf("%s %g+%g%s", r.Name, r.Blue, r.Green, r.Err))
	}
	return seen
}

func (s *loadScene) expect(what string, want, got any) {
	s.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		s.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func watching() switcher.Look {
	return switcher.Look{Loads: true, Attention: shift.Watching, MeasureFrom: time.Now().Add(-time.Hour)}
}

func TestLoadsGoWithTheGatesAndOnlyWhenAPeriodHasSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLoadScene(t, answering(3, 1, nil, time.Millisecond))
		for range 6 {
			s.expect("the look", []string{"web 20+5", "api 3+1"}, s.look(watching()))
			time.Sleep(10 * time.Second)
		}
		s.look(watching())
		with, without := "1 gates, 1 loads", "1 gates, 0 loads"
		s.expect("calls of a minute", []string{with, without, without, without, without, without, with}, s.meter.calls)
	})
}

func TestALoadThatCouldNotBeMeasuredIsAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLoadScene(t, answering(3, 1, errors.New("no route"), 0))
		s.meter.err = "throttled"
		s.expect("the look", []string{"web 0+0throttled", "api 0+0blue: no route"}, s.look(watching()))
		s.look(watching()) // at once: not within the pace
		s.meter.err = ""
		time.Sleep(10 * time.Second)
		s.expect("the next look", []string{"web 20+5", "api 0+0blue: no route"}, s.look(watching()))
		s.expect("calls", []string{"1 gates, 1 loads", "1 gates, 0 loads", "1 gates, 1 loads"}, s.meter.calls)
	})
}

func TestAPairAtRestMeasuresNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLoadScene(t, answering(3, 1, nil, 0))
		for range 10 {
			s.expect("the look", []string(nil), s.look(switcher.Look{}))
			time.Sleep(time.Minute)
		}
		s.expect("calls", []string(nil), s.meter.calls)
	})
}

// The look that starts a shift has the loads already: the baseline is of them.
func TestTheFirstLookThatWantsLoadsHasThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLoadScene(t, answering(3, 1, nil, time.Second))
		asked := switcher.Look{Loads: true}
		s.expect("the first look", []string{"web 20+5", "api 3+1"}, s.look(asked))
		time.Sleep(time.Hour)
		s.observer.loads.set.asked["api"] = answering(9, 2, nil, time.Second)
		s.expect("the first after a rest", []string{"web 20+5", "api 9+2"}, s.look(asked))
		s.expect("calls", []string{"0 gates, 1 loads", "0 gates, 1 loads"}, s.meter.calls)
	})
}

func TestASlowPrometheusDelaysNoLookForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLoadScene(t, answering(3, 1, nil, 8*time.Second))
		began := time.Now()
		s.expect("the first look", []string{"web 20+5"}, s.look(watching()))
		s.expect("it took", firstLoadWithin, time.Since(began))
		time.Sleep(10 * time.Second)
		s.expect("the next look", []string{"web 20+5", "api 3+1"}, s.look(watching()))
		s.expect("both took", firstLoadWithin+10*time.Second, time.Since(began))
	})
}

// An automatic rollback is limited by capacity: it needs fresh loads, but waits
// for none.
func TestAnUrgentLookTakesWhatIsKnownAndWaitsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLoadScene(t, answering(3, 1, nil, time.Second))
		s.meter.takes = time.Millisecond
		urgent := switcher.Look{Loads: true, Attention: shift.Urgent, MeasureFrom: time.Now()}
		began := time.Now()
		s.expect("the first look", []string(nil), s.look(urgent))
		s.expect("it took", time.Duration(0), time.Since(began))
		time.Sleep(2 * time.Second)
		s.expect("the next look", []string{"web 20+5", "api 3+1"}, s.look(urgent))
		for range 20 {
			s.look(urgent)
			time.Sleep(100 * time.Millisecond)
		}
		s.look(switcher.Look{Attention: shift.Urgent, MeasureFrom: time.Now()})
		s.expect("calls", []string{"0 gates, 1 loads"}, s.meter.calls)
	})
}

func TestWhatWasMeasuredOtherwiseIsForgotten(t *testing.T) {
	a := newAWS(adapters{})
	m := newLoadMeter(a, time.Now)
	c := parsed(t, document("shop", ""))
	m.configure(c, c.Pairs[0])
	set, _ := m.due()
	m.take(set, shift.LoadReading{Name: set.loads[0].Name, Blue: 1})
	m.configure(c, c.Pairs[0])
	if len(m.known()) != 1 {
		t.Errorf("the same configuration forgot what was measured: %v", m.known())
	}
	c.Pairs[0].Traffic[1].ALB.GreenTargetGroupARN += "0"
	m.configure(c, c.Pairs[0])
	m.take(set, shift.LoadReading{Name: set.loads[0].Name, Blue: 1})
	if len(m.known()) != 0 {
		t.Errorf("another target group has the readings of the one before: %v", m.known())
	}
}

func TestLoadsComeFromTheEntrancesUnlessTheyAreConfigured(t *testing.T) {
	const (
		rule     = "arn:aws:elasticloadbalancing:eu-west-1:1:listener-rule/app/shop/50dc/f2f7/9683"
		listener = "arn:aws:elasticloadbalancing:eu-north-1:1:listener/app/api/60dc/f2f7"
		group    = "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/"
		role     = "arn:aws:iam::210987654321:role/balancers"
		reader   = "arn:aws:iam::210987654321:role/metrics"
	)
	web := config.Entrance{Name: "web", ALB: &config.ALB{RuleARN: rule, BlueTargetGroupARN: group + "blue/1", GreenTargetGroupARN: group + "green/2", RoleARN: role}}
	again := web
	again.Name = "web-80"
	api := config.Entrance{Name: "api", ALB: &config.ALB{ListenerARN: listener, BlueTargetGroupARN: group + "blue/3", GreenTargetGroupARN: group + "green/4"}}
	groups := func(name, balancer, blue, green string) measure.LoadQuery {
		return measure.LoadQuery{
			Name: name, Window: 5 * time.Minute, Period: time.Minute, Settle: 2 * time.Minute,
			Blue:  measure.Group{LoadBalancer: balancer, TargetGroup: "targetgroup/" + blue},
			Green: measure.Group{LoadBalancer: balancer, TargetGroup: "targetgroup/" + green},
		}
	}
	fast := groups("web", "app/shop/50dc", "blue/1", "green/2")
	fast.Window, fast.Period, fast.Settle = 10*time.Second, time.Second, 3*time.Second
	gate := config.Gate{Name: "errors", CloudWatch: &config.CloudWatch{
		TargetGroup: "targetgroup/green/2", RoleARN: reader, Window: fast.Window, Period: fast.Period, Settle: fast.Settle,
	}}
	watch := &config.LoadCloudWatch{
		BlueLoadBalancer: "app/a/1", BlueTargetGroup: "targetgroup/blue/1", GreenLoadBalancer: "app/b/2", GreenTargetGroup: "targetgroup/green/2",
		Region: "eu-south-1", RoleARN: reader, Period: time.Minute, Settle: 2 * time.Minute,
	}
	configured := groups("all", "app/a/1", "blue/1", "green/2")
	configured.Green.LoadBalancer, configured.Window = "app/b/2", time.Minute

	for name, test := range map[string]struct {
		pair config.Pair
		want []loadQuery
		plan []shift.LoadSource
	}{
		"each entrance at an Application Load Balancer has one, as its own role in its own region": {
			config.Pair{Traffic: []config.Entrance{web, {Name: "dns", Route53: &config.Route53{}}, {Name: "tcp", NLB: &config.NLB{}}, api}},
			[]loadQuery{{place{role, ""}, groups("web", "app/shop/50dc", "blue/1", "green/2")}, {place{"", "eu-north-1"}, groups("api", "app/api/60dc", "blue/3", "green/4")}},
			[]shift.LoadSource{{Name: "web"}, {Name: "api"}},
		},
		"two entrances of the same groups have one": {
			config.Pair{Traffic: []config.Entrance{web, again}},
			[]loadQuery{{place{role, ""}, groups("web", "app/shop/50dc", "blue/1", "green/2")}},
			[]shift.LoadSource{{Name: "web"}},
		},
		"the gate on green's group says who reads its metrics, and how": {
			config.Pair{Traffic: []config.Entrance{web}, Gates: []config.Gate{gate}},
			[]loadQuery{{place{reader, ""}, fast}},
			[]shift.LoadSource{{Name: "web"}},
		},
		"configured ones stand in their place": {
			config.Pair{Traffic: []config.Entrance{web}, Standby: config.Standby{Capacity: config.Capacity{Loads: []config.LoadSource{
				{Name: "all", Window: time.Minute, CloudWatch: watch, Workloads: []string{"Deployment/shop/web"}, PerReplica: 12},
			}}}},
			[]loadQuery{{place{reader, "eu-south-1"}, configured}},
			[]shift.LoadSource{{Name: "all", Workloads: []string{"Deployment shop/web"}, PerReplica: 12}},
		},
		"records alone tell of no load": {config.Pair{Traffic: []config.Entrance{{Name: "dns", Route53: &config.Route53{}}}}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := &config.Config{AWS: config.AWS{Region: "eu-west-1"}}
			var got []loadQuery
			for _, l := range loadsOf(c, test.pair) {
				got = append(got, *l.cloudwatch)
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(loadQuery{}, place{})); diff != "" {
				t.Errorf("loads (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.plan, planOf(c, test.pair).Capacity.Loads); diff != "" {
				t.Errorf("of the plan (-want +got):\n%s", diff)
			}
		})
	}
}

func TestThePlanHasTheCapacityPolicy(t *testing.T) {
	p := config.Pair{Standby: config.Standby{Capacity: config.Capacity{AtLeast: 80, OnBreach: "warn", PinAutoscalers: true}}}
	want := shift.CapacityPolicy{AtLeast: 80, Warn: true, Pin: true}
	if diff := cmp.Diff(want, capacityOf(&config.Config{}, p)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRightsHaveTheMetricsOfLoads(t *testing.T) {
	const reader = "arn:aws:iam::333333333333:role/metrics"
	c := parsed(t, document("shop", "")) // it has no gate on users' traffic
	c.Pairs[0].Preflight.Mode = "off"    // nor does anybody look whether blue may be deleted
	if own := RightsOf(c)[""]; !own.Metrics {
		t.Errorf("the load of an entrance isn't among the daemon's own needs: %+v", own)
	}
	c.Pairs[0].Standby.Capacity.Loads = []config.LoadSource{{Name: "web", CloudWatch: &config.LoadCloudWatch{RoleARN: reader}}}
	rights := RightsOf(c)
	if rights[""].Metrics || !rights[reader].Metrics {
		t.Errorf("as a role of its own: %+v", rights)
	}
	c.Pairs[0].Preflight.Mode = "block"
	if own := RightsOf(c)[""]; !own.Metrics {
		t.Errorf("what tells whether blue is silent isn't among the needs: %+v", own)
	}
}

func TestALoadIsAskedOfARealPrometheus(t *testing.T) {
	t.Parallel()
	cluster := func(name string) map[string]string { return map[string]string{"cluster": name} }
	url := scraping(t, prometheus.Options{Jobs: []prometheus.Job{
		{Name: "blue", Targets: []string{exporter(t, "shop_rps{app=\"a\"} 40\nshop_rps{app=\"b\"} 2.5\n")}, Labels: cluster("blue")},
		{Name: "green", Targets: []string{exporter(t, "shop_up 1\n")}, Labels: cluster("green")},
	}}, `shop_rps{cluster="blue"}`, `shop_up{cluster="green"}`)
	side := func(name, query string) config.LoadQuery {
		return config.LoadQuery{Server: config.Prometheus{URL: url, Match: cluster(name)}, Query: query}
	}
	read := func(query string, window time.Duration) shift.LoadReading {
		m := newLoadMeter(newAWS(adapters{}), time.Now)
		m.want(true)
		m.configure(&config.Config{}, config.Pair{Standby: config.Standby{Capacity: config.Capacity{Loads: []config.LoadSource{
			{Name: "api", Window: window, Prometheus: &config.LoadPrometheus{Blue: side("blue", query), Green: side("green", query)}},
		}}}})
		m.refresh(t.Context(), false)
		return m.known()[0]
	}
	// It has just begun: of an hour it knows nothing, of a second all after a second.
	if got := read("sum(shop_rps) or vector(0)", time.Hour); got.Past.Windows != 4 || got.Past.Least != 0 || got.Past.Err != "" {
		t.Errorf("an hour ago it was %+v", got.Past)
	}
	if got := read("sum(shop_rps)", time.Hour); !strings.Contains(got.Past.Err, "has no series at") {
		t.Errorf("an hour ago it was %+v", got.Past)
	}
	got, want := shift.LoadPast{}, shift.LoadPast{Windows: 4, Least: 42.5, Most: 42.5}
	for range 50 {
		if got = read("sum(shop_rps) or vector(0)", time.Second).Past; got == want {
			break
		}
		<-time.After(200 * time.Millisecond)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a second ago (-want +got):\n%s", diff)
	}
	for name, test := range map[string]struct {
		query string
		want  shift.LoadReading
		err   string
	}{
		"a sum, of nothing on the side that has no requests": {"sum(shop_rps) or vector(0)", shift.LoadReading{Blue: 42.5}, ""},
		"more than one number":                               {"shop_rps", shift.LoadReading{}, "blue: the query at"},
		"a side without any series":                          {"sum(shop_rps)", shift.LoadReading{}, "green: the query at"},
		"a division by nothing":                              {"sum(shop_rps) * 0 / 0", shift.LoadReading{}, "its value is NaN"},
	} {
		t.Run(name, func(t *testing.T) {
			got := read(test.query, time.Minute)
			// On a busy machine a scrape may fail: then the series are gone until the next.
			for range 20 {
				if got.Blue == test.want.Blue && strings.Contains(got.Err, test.err) {
					break
				}
				<-time.After(200 * time.Millisecond)
				got = read(test.query, time.Minute)
			}
			if !strings.Contains(got.Err, test.err) || (got.Err == "") != (test.err == "") || got.Blue != test.want.Blue || got.Green != test.want.Green {
				t.Errorf("got %+v, want %+v and %q", got, test.want, test.err)
			}
			if got.Err == "" && (got.FreshFor != time.Minute || got.To.Sub(got.From) != time.Minute) {
				t.Errorf("it is of %s to %s and fresh for %s", got.From, got.To, got.FreshFor)
			}
		})
	}
}
