package retire

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// One reason alone keeps a cluster from being called safe, and names itself.
func TestEachReasonNotToDelete(t *testing.T) {
	deployment := facts.Object{GroupKind: facts.GroupKind{Group: "apps", Kind: "Deployment"}, Name: facts.Name{Namespace: "shop", Name: "mailer"}}
	word := facts.Word{Text: blueHost, Means: "the address of Service shop/web"}
	for name, c := range map[string]struct {
		spoil func(t *testing.T, f *Facts)
		want  []string
	}{
		"nothing":                     {func(*testing.T, *Facts) {}, nil},
		"a pair names it as green":    {func(_ *testing.T, f *Facts) { f.AsGreen = []string{"blog"} }, []string{"ClusterIsGreen/Pair/blog"}},
		"no pair names it":            {func(_ *testing.T, f *Facts) { f.Pairs = nil }, []string{"NoPair/Cluster/shop-blue"}},
		"its standby is not over":     {func(_ *testing.T, f *Facts) { f.Pairs[0].State.Phase = shift.OnStandby }, []string{"PairNotCompleted/Pair/shop"}},
		"it was rolled back":          {func(_ *testing.T, f *Facts) { f.Pairs[0].State.Phase, f.Pairs[0].State.Share = shift.RolledBack, 0 }, []string{"PairNotCompleted/Pair/shop"}},
		"the journal can't be read":   {func(_ *testing.T, f *Facts) { f.Pairs[0].Fault = "no way there" }, []string{"? JournalUnknown/Pair/shop"}},
		"somebody gave blue a weight": {func(_ *testing.T, f *Facts) { f.entrance(0).Reading.Weights.Blue = 1 }, []string{"BlueHasShare/Entrance/shop/alb-0"}},
		"one of many records has a weight": {func(_ *testing.T, f *Facts) {
			f.entrance(1).Reading.Apart = []shift.Weights{{Blue: 5, Green: 95}, {Green: 100}}
		}, []string{"BlueHasShare/Entrance/shop/dns-0"}},
		"weights that can't be read": {func(_ *testing.T, f *Facts) { f.entrance(0).Reading = shift.EntranceReading{Err: "throttled"} }, []string{"? WeightsUnknown/Entrance/shop/alb-0"}},
		"weights that are old":       {func(_ *testing.T, f *Facts) { f.entrance(0).Reading.At = at(11) }, []string{"? WeightsUnknown/Entrance/shop/alb-0"}},

		"requests at blue's target group": {func(t *testing.T, f *Facts) {
			m := f.metric(t, "RequestCount", "targetgroup/web-blue/0b")
			m.Total, m.Points, m.Last = 3, 1, at(7)
		}, []string{"BlueNotSilent/TargetGroup/targetgroup/web-blue/0b/RequestCount"}},
		"new flows at blue's load balancer": {func(t *testing.T, f *Facts) { f.metric(t, "NewFlowCount", "net/blue/02").Total = 1 }, []string{"BlueNotSilent/LoadBalancer/net/blue/02/NewFlowCount"}},
		"flows that are still open":         {func(t *testing.T, f *Facts) { f.metric(t, "ActiveFlowCount", "net/blue/02").Total = 2 }, []string{"BlueNotSilent/LoadBalancer/net/blue/02/ActiveFlowCount"}},
		"CloudWatch's answer is not whole": {func(t *testing.T, f *Facts) {
			f.metric(t, "NewFlowCount", "net/blue/02").Err = "CloudWatch's answer is PartialData"
		}, []string{"? SilenceUnknown/LoadBalancer/net/blue/02/NewFlowCount"}},
		"a load balancer that is younger": {func(_ *testing.T, f *Facts) {
			b := f.Traffic.Balancers[blueLB]
			b.Created = at(9)
			f.Traffic.Balancers[blueLB] = b
			f.measure()
		}, []string{"? SilenceUnknown/LoadBalancer/net/blue/02/ActiveFlowCount", "? SilenceUnknown/LoadBalancer/net/blue/02/NewFlowCount"}},
		"a network load balancer that both share": {func(_ *testing.T, f *Facts) {
			b := f.Traffic.Balancers[sharedLB]
			b.Network = true
			f.Traffic.Balancers[sharedLB] = b
			f.measure()
		}, []string{"? SilenceUnknown/Entrance/shop/alb-0"}},
		"an address that is no load balancer": {func(_ *testing.T, f *Facts) {
			f.Blue.Network.Services[0].Addresses = append(f.Blue.Network.Services[0].Addresses, "198.51.100.7")
		}, []string{"? SilenceUnknown/Service/shop/web"}},
		"a query that isn't 0":       {func(_ *testing.T, f *Facts) { f.Queries = []Query{{Pair: "shop", Name: "q", Series: 1, Value: 0.5}} }, []string{"QueryNotSilent/Query/shop/q"}},
		"a query that gives nothing": {func(_ *testing.T, f *Facts) { f.Queries = []Query{{Pair: "shop", Name: "q", Asked: 60}} }, []string{"? QueryUnknown/Query/shop/q"}},
		"a query with gaps": {func(_ *testing.T, f *Facts) {
			f.Queries = []Query{{Pair: "shop", Name: "q", Series: 1, Steps: 30, Asked: 60}}
		}, []string{"? QueryUnknown/Query/shop/q"}},
		"a query without an answer": {func(_ *testing.T, f *Facts) {
			f.Queries = []Query{{Pair: "shop", Name: "q", Err: "no answer within 30s"}}
		}, []string{"? QueryUnknown/Query/shop/q"}},

		"a way in that nobody declared and nothing measures": {func(_ *testing.T, f *Facts) {
			f.WaysIn = []finding.Finding{finding.New("EntranceNotDeclared", finding.Block, finding.Object{Kind: "Service", Namespace: "shop", Name: "nodes"}, "")}
		}, []string{"EntranceNotDeclared/Service/shop/nodes"}},
		"a way in that could not be matched": {func(_ *testing.T, f *Facts) {
			f.WaysIn = []finding.Finding{finding.New("EntrancesNotMatched", finding.Block, finding.Object{Kind: "Cluster", Name: "blue"}, "")}
		}, []string{"? EntrancesNotMatched/Cluster/blue"}},

		"an answer that is cached": {func(_ *testing.T, f *Facts) {
			f.Pairs[0].State.ShownAt = at(12).Add(-90 * time.Second)
			f.entrance(0).Reading.Sticky, f.entrance(1).Reading.Connection = 0, 0
		}, []string{"AnswersCached/Entrance/shop/dns-0"}},
		"a cookie that is alive": {func(_ *testing.T, f *Facts) {
			f.Pairs[0].State.ShownAt = at(11).Add(time.Minute)
			f.entrance(1).Reading.Connection = 0
		}, []string{"CookiesAlive/Entrance/shop/alb-0"}},
		"a cookie that a late request renewed": {func(t *testing.T, f *Facts) {
			m := f.metric(t, "RequestCount", "targetgroup/web-blue/0b")
			m.Total, m.Last = 1, at(11).Add(time.Minute)
		}, []string{"BlueNotSilent/TargetGroup/targetgroup/web-blue/0b/RequestCount", "CookiesAlive/Entrance/shop/alb-0"}},
		"a connection that may be open": {func(_ *testing.T, f *Facts) { f.entrance(1).Reading.Connection = 11 * time.Hour }, []string{"ConnectionsOpen/Entrance/shop/dns-0"}},
		"a last change that nobody saw": {func(_ *testing.T, f *Facts) { f.Pairs[0].State.ShownAt = time.Time{} }, []string{"? TailUnknown/Entrance/shop/alb-0", "? TailUnknown/Entrance/shop/dns-0"}},
		"another record that leads to blue": {func(_ *testing.T, f *Facts) {
			e := f.entrance(1)
			e.Records = append(e.Records, facts.Record{Name: "shop.example.com", Type: "AAAA", Beside: true, Targets: []string{blueHost}})
		}, []string{"RecordLeadsToBlue/Entrance/shop/dns-0/shop.example.com/AAAA/"}},
		"records that can't be read": {func(_ *testing.T, f *Facts) { f.entrance(1).Known = false }, []string{"? RecordsNotKnown/Entrance/shop/dns-0"}},

		"a CronJob that isn't suspended": {func(_ *testing.T, f *Facts) { f.Blue.Network.Jobs[0].Suspended = false }, []string{"CronJobActive/CronJob.batch/shop/nightly"}},
		"a Job that runs": {func(_ *testing.T, f *Facts) {
			f.Blue.Retiring.Jobs = []facts.OpenJob{{Name: facts.Name{Namespace: "shop", Name: "nightly-1"}, Active: 1}}
		}, []string{"JobRuns/Job.batch/shop/nightly-1"}},
		"a singleton with replicas": {func(_ *testing.T, f *Facts) {
			f.Blue.Network.Singletons = []facts.Singleton{{Object: deployment, Replicas: 1}}
		}, []string{"SingletonRuns/Deployment.apps/shop/mailer"}},
		"external-dns": {func(_ *testing.T, f *Facts) {
			f.Blue.Network.Controllers = []facts.OutsideController{{Object: deployment, Program: facts.ExternalDNS}}
		}, []string{"ControllerActs/Deployment.apps/shop/mailer"}},
		"a baton on its way": {func(_ *testing.T, f *Facts) {
			f.Pairs[0].State.Baton = []shift.BatonState{{Key: "CronJob shop/nightly", Stage: shift.BatonGiving, Side: shift.Blue}}
		}, []string{"SingletonNotHanded/Pair/shop/CronJob shop/nightly"}},

		"an object in green that names blue": {func(_ *testing.T, f *Facts) {
			f.Greens[0].Retiring.References = []facts.Reference{{Object: deployment, Word: word, Places: []string{"spec"}}}
		}, []string{"RefersToBlue/Deployment.apps/shop/mailer/" + blueHost}},
		"more references than are listed": {func(_ *testing.T, f *Facts) { f.Greens[0].Retiring.MoreReferences = 3 }, []string{"MoreReferences/Cluster/shop-green"}},
		"endpoints of blue in green": {func(_ *testing.T, f *Facts) {
			f.Blue.Retiring.Addresses = map[string]struct{}{"10.0.0.5": {}, "10.0.0.6": {}}
			f.Greens[0].Retiring.Addresses = map[string]struct{}{"10.0.0.6": {}} // networks overlap
			f.Greens[0].Retiring.Pointers = []facts.Pointer{{Object: deployment, Address: "10.0.0.5"}, {Object: deployment, Address: "10.0.0.6"}, {Object: deployment, Address: "10.9.9.9"}}
		}, []string{"AddressOfBlue/Deployment.apps/shop/mailer/10.0.0.5"}},

		"a blue that can't be read":  {func(_ *testing.T, f *Facts) { f.Blue.Fault = "refused" }, []string{"? ClusterUnreadable/Cluster/blue"}},
		"a green that can't be read": {func(_ *testing.T, f *Facts) { f.Greens[0].Fault = "refused" }, []string{"? ClusterUnreadable/Cluster/green shop-green"}},
		"a kind that can't be read": {func(_ *testing.T, f *Facts) {
			f.Blue.Gaps = []facts.Gap{{What: "services", Why: "the right is missing"}}
		}, []string{"? NotChecked/Cluster/blue/services"}},
		"records of the traffic that can't be read": {func(_ *testing.T, f *Facts) {
			f.Traffic.Gaps = []facts.Gap{{What: "the records of entrance dns-0", Why: "denied"}}
		}, []string{"? TrafficNotRead/Traffic/the records of entrance dns-0"}},
		"users of green who come by blue's load balancer": {func(_ *testing.T, f *Facts) {
			f.entrance(1).Records[1].Balancers = []string{blueLB}
			f.measure()
		}, []string{"GreenComesByBlue/Service/shop/web/" + blueHost}},
	} {
		t.Run(name, func(t *testing.T) {
			f := quiet()
			c.spoil(t, f)
			r := Evaluate(f, "")
			got := against(r)
			slices.SortStableFunc(got, func(a, b string) int {
				return strings.Compare(strings.TrimPrefix(a, "? "), strings.TrimPrefix(b, "? "))
			})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("against it (-want +got):\n%s", diff)
			}
			want := Safe
			for _, id := range c.want {
				if want = Unknown; !strings.HasPrefix(id, "? ") {
					want = NotSafe
					break
				}
			}
			if r.Verdict != want {
				t.Errorf("verdict %s, want %s", r.Verdict, want)
			}
		})
	}
}

// What doesn't keep a cluster from being deleted is told all the same.
func TestWhatIsOnlyToBeKnown(t *testing.T) {
	f := quiet()
	f.SecretsSearched = false
	f.WaysIn = []finding.Finding{finding.New("EntranceNotDeclared", finding.Block, finding.Object{Kind: "Service", Namespace: "shop", Name: "web"}, "")}
	n := &f.Blue.Network
	n.Jobs = append(n.Jobs, facts.CronJob{Name: facts.Name{Namespace: "shop", Name: "both"}, Allowed: true}, facts.CronJob{Name: facts.Name{Namespace: "kube-system", Name: "descheduler"}, Local: true})
	n.Controllers = []facts.OutsideController{{Object: facts.Object{GroupKind: facts.GroupKind{Kind: "D"}, Name: facts.Name{Name: "lbc"}}, Program: facts.LoadBalancers}}
	f.Blue.Retiring = facts.Retiring{
		Volumes: []facts.DoomedVolume{{Name: "pv-1", Claim: facts.Name{Namespace: "shop", Name: "data"}}},
		Claims:  []facts.Object{{GroupKind: facts.GroupKind{Group: "apps", Kind: "StatefulSet"}, Name: facts.Name{Namespace: "shop", Name: "db"}}},
		Held:    []facts.HeldObject{{Object: facts.Object{GroupKind: facts.GroupKind{Kind: "H"}, Name: facts.Name{Name: "web"}}, Annotation: "clusterswitch.io/held"}},
	}
	f.Pairs[0].State.FloorsHeld = true
	r := Evaluate(f, "")
	var got []string
	for _, x := range r.Findings {
		got = append(got, string(x.Severity)+" "+x.ID)
	}
	slices.Sort(got)
	want := []string{
		"note BalancersStay/Cluster/blue", "note ClaimsGo/Cluster/blue", "note ControllerActs/D/lbc", "note CronJobActive/CronJob.batch/shop/both",
		"note FloorsHeld/Pair/shop", "note HeldLeftBehind/H/web/clusterswitch.io/held", "note VolumesGo/Cluster/blue",
		"warn BlueInSharedAction/Entrance/shop/alb-0", "warn BlueRecordsRemain/Entrance/shop/dns-0", "warn SecretsNotSearched/Secret",
		"warn UndeclaredButSilent/Service/shop/web",
	}
	if diff := cmp.Diff(want, got); diff != "" || r.Verdict != Safe {
		t.Errorf("verdict %s (-want +got):\n%s", r.Verdict, diff)
	}
}

// Where CloudWatch is blind, silent queries stand for it; where they are not
// whole, they don't.
func TestQueriesStandForWhatCannotBeMeasured(t *testing.T) {
	for name, c := range map[string]struct {
		query Query
		want  Verdict
	}{
		"a silent query": {Query{Pair: "shop", Name: "q", Series: 1, Steps: 60, Asked: 60}, Safe},
		"an empty one":   {Query{Pair: "shop", Name: "q", Asked: 60}, Unknown},
		"a loud one":     {Query{Pair: "shop", Name: "q", Series: 1, Value: 1}, NotSafe},
	} {
		f := quiet()
		f.Blue.Network.Services[0].Addresses = []string{"198.51.100.7"}
		f.Queries = []Query{c.query}
		if got := Evaluate(f, "").Verdict; got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// Connections alone, as scanners make, only warn; requests are judged apart.
func TestConnectionsWithoutRequestsOnlyWarn(t *testing.T) {
	f := quiet()
	b := f.Traffic.Balancers[blueLB]
	b.Network = false
	f.Traffic.Balancers[blueLB] = b
	f.measure()
	f.metric(t, "NewConnectionCount", "net/blue/02").Total = 12
	if r := Evaluate(f, ""); r.Verdict != Safe || !slices.ContainsFunc(r.Findings, func(x Finding) bool { return x.Code == ConnectionsWithoutRequests }) {
		t.Errorf("connections alone: %s, %+v", r.Verdict, r.Findings)
	}
	f.metric(t, "RequestCount", "net/blue/02").Total = 1
	if r := Evaluate(f, ""); r.Verdict != NotSafe {
		t.Errorf("with a request: %s", r.Verdict)
	}
}

func TestTheReportIsTheDocumentForTheTicket(t *testing.T) {
	f := quiet()
	f.Blue.Network.Jobs[0].Suspended = false
	f.Greens[0].Fault = "it is <gone>"
	r := Evaluate(f, "ana@desk")
	text := r.Markdown()
	for _, want := range []string{
		"# Retiring shop-blue\n\n**Safe to retire: no.**", "| By | ana@desk |", "| Silent for | 6h0m0s |", "2026-03-02 12:00:00 UTC",
		"## Against deleting it (1)", "CronJob.batch shop/nightly of blue is not suspended", "## Not known, so it doesn't count as safe (1)", "&lt;gone&gt;",
		"RequestCount of target group targetgroup/web-blue/0b was 0 from 2026-03-02 06:00:00 UTC to 2026-03-02 12:00:00 UTC (CloudWatch Sum, 0 data points).",
		"Pair shop is Completed at 100 % in attempt 1", "## What was not checked",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it doesn't say %q:\n%s", want, text)
		}
	}
	if first := r.Findings[0]; first.Unknown || !strings.Contains(r.Summary(), first.Message) {
		t.Errorf("what is known doesn't come first: %s", r.Summary())
	}
	document, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(document, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, back); diff != "" {
		t.Errorf("JSON loses something (-want +got):\n%s", diff)
	}
}

func TestWordsByWhichGreenRefersToBlue(t *testing.T) {
	f := quiet()
	got := Words(WordsOptions{
		Address: "https://ABC.gr7.eu-west-1.eks.amazonaws.com:443", Names: []string{"blue", "arn:aws:eks:eu-west-1:1:cluster/shop-v1"}, Extra: []string{"Old-Shop"},
		Network: &f.Blue.Network, Entrances: f.Traffic.Entrances,
	})
	var texts []string
	for _, w := range got {
		texts = append(texts, w.Text)
	}
	want := []string{"abc.gr7.eu-west-1.eks.amazonaws.com", "arn:aws:eks:eu-west-1:1:cluster/shop-v1", "shop-v1", "old-shop", blueHost}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Errorf("words (-want +got):\n%s", diff)
	}
	if local := Words(WordsOptions{Address: "https://127.0.0.1:6443", Network: &facts.Network{}}); len(local) > 0 {
		t.Errorf("every cluster names %v", local)
	}
}
