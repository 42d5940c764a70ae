package route53_test

import (
	"cmp"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/internal/route53"
	sandbox "github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// world is the embedded AWS behind a real HTTP server, spoken to by the real
// SDK through awsapi, as in production.
type world struct {
	cloud  *sandbox.Cloud
	client *sdk.Client
	zone   string
	url    string

	mu  sync.Mutex
	now time.Time
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func newWorld(t testing.TB, share shift.Share) *world {
	t.Helper()
	w := &world{now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	w.cloud = sandbox.New(sandbox.Options{Propagation: 30 * time.Second, Now: w.clock})
	server := httptest.NewServer(w.cloud)
	t.Cleanup(server.Close)
	w.url = server.URL
	cfg, err := awsapi.Load(t.Context(), awsapi.Options{Region: "ap-northeast-1", EndpointURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	w.client = sdk.NewFromConfig(cfg)
	out, err := w.client.CreateHostedZone(t.Context(), &sdk.CreateHostedZoneInput{Name: aws.String("example.com"), CallerReference: aws.String(t.Name())})
	if err != nil {
		t.Fatal(err)
	}
	w.zone = strings.TrimPrefix(*out.HostedZone.Id, "/hostedzone/")
	weights := share.Weights()
	for _, name := range []string{"shop", "api"} {
		w.put(t, types.ChangeActionCreate, name, "blue", int64(weights.Blue))
		w.put(t, types.ChangeActionCreate, name, "green", int64(weights.Green))
	}
	w.advance(time.Minute)
	return w
}

// put writes one record as somebody with the AWS CLI would.
func (w *world) put(t testing.TB, action types.ChangeAction, name, id string, weight int64) {
	t.Helper()
	value := map[string]string{"blue": "192.0.2.1", "green": "192.0.2.2"}[id]
	_, err := w.client.ChangeResourceRecordSets(t.Context(), &sdk.ChangeResourceRecordSetsInput{
		HostedZoneId: &w.zone,
		ChangeBatch: &types.ChangeBatch{Changes: []types.Change{{Action: action, ResourceRecordSet: &types.ResourceRecordSet{
			Name: aws.String(name + ".example.com"), Type: types.RRTypeA, SetIdentifier: &id, Weight: &weight, TTL: aws.Int64(10),
			ResourceRecords: []types.ResourceRecord{{Value: aws.String(cmp.Or(value, "192.0.2.9"))}},
		}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) adapter() *route53.Adapter {
	return route53.New(route53.Options{API: w.client, Now: w.clock, CallTimeout: 2 * time.Second, Reuse: -1})
}

func (w *world) entrance(name string) shift.Entrance {
	return shift.Entrance{Name: name, Route53: &shift.Route53Entrance{
		HostedZoneID: w.zone, Names: []string{name + ".example.com"}, Types: []string{"A"}, BlueSetIdentifier: "blue", GreenSetIdentifier: "green", Mark: true,
	}}
}

func (w *world) change(expected shift.EntranceReading, to shift.Share, version int64, p shift.Priority) shift.Change {
	return shift.Change{
		Entrance: w.entrance(expected.Name), Expected: expected, Wanted: to, Priority: p,
		Control: shift.Mark{Attempt: 1, Epoch: 1, Version: version, Phase: shift.Shifting, Share: to, Rollback: p == shift.Rollback},
	}
}

func (w *world) read(t testing.TB, a *route53.Adapter, name string) shift.EntranceReading {
	t.Helper()
	r := a.Read(t.Context(), []shift.Entrance{w.entrance(name)}, shift.Watching)[0]
	if r.Err != "" {
		t.Fatalf("reading %s: %s", name, r.Err)
	}
	return r
}

// answers gives the published weights of a name by set identifier.
func (w *world) answers(name string) map[string]int64 {
	weights := map[string]int64{}
	for _, r := range w.cloud.RecordSets(name+".example.com.", "A") {
		weights[r.SetIdentifier] = r.Weight
	}
	return weights
}

func (w *world) writes() int {
	n := 0
	for _, c := range w.cloud.Calls() {
		if c.Write && c.Applied {
			n++
		}
	}
	return n
}

func TestAJourneyUpAndBackAtAStrictRoute53(t *testing.T) {
	w := newWorld(t, 0)
	a := w.adapter()
	for i, share := range []shift.Share{1, 10, 50, 100} {
		got := a.Commit(t.Context(), []shift.Change{w.change(w.read(t, a, "shop"), share, int64(i+1), shift.Rise)})[0]
		if got.Outcome != shift.Applied || got.Note != "" {
			t.Fatalf("%s: got %+v", share, got)
		}
		r := w.read(t, a, "shop")
		if r.InSync || !r.Weights.At(share) || r.Mark == nil || r.Mark.Share != share || r.TTL != 10*time.Second {
			t.Fatalf("%s reads back as %+v", share, r)
		}
		w.advance(time.Minute)
		if !w.read(t, a, "shop").InSync {
			t.Fatalf("%s is not in sync after a minute", share)
		}
	}
	got := a.Commit(t.Context(), []shift.Change{w.change(w.read(t, a, "shop"), 0, 9, shift.Rollback)})[0]
	if got.Outcome != shift.Applied {
		t.Fatalf("the rollback: %+v", got)
	}
	w.advance(time.Minute)
	if now := w.answers("shop"); now["blue"] != 100 || now["green"] != 0 {
		t.Errorf("Route 53 answers by %v", now)
	}
	marks := w.cloud.RecordSets("_clusterswitch.shop.example.com.", "TXT")
	if len(marks) != 1 || !strings.Contains(marks[0].Values[0], "version=9") || !strings.Contains(marks[0].Values[0], "rollback=true") {
		t.Errorf("the mark is %+v", marks)
	}
	if untouched := w.answers("api"); untouched["blue"] != 100 || untouched["green"] != 0 {
		t.Errorf("another name was touched: %v", untouched)
	}
}

func TestFaultsOfAStrictRoute53(t *testing.T) {
	const op = "ChangeResourceRecordSets"
	cases := map[string]struct {
		kind     sandbox.FaultKind
		times    int
		rise     shift.Outcome
		rollback shift.Outcome
	}{
		"a lost reply":                     {sandbox.LostReply, 1, shift.Applied, shift.Applied},
		"a lost request":                   {sandbox.LostRequest, 1, shift.Unknown, shift.Applied},
		"throttling":                       {sandbox.Throttle, 1, shift.Refused, shift.Applied},
		"a server error":                   {sandbox.ServerError, 1, shift.Unknown, shift.Applied},
		"an earlier change under way":      {sandbox.PriorRequestNotComplete, 2, shift.Refused, shift.Applied},
		"a missing right":                  {sandbox.AccessDenied, 0, shift.Refused, shift.Refused},
		"a right that is missing for once": {sandbox.AccessDenied, 1, shift.Refused, shift.Applied},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for priority, want := range map[shift.Priority]shift.Outcome{shift.Rise: c.rise, shift.Rollback: c.rollback} {
				w := newWorld(t, 25)
				a := w.adapter()
				to := shift.Share(50)
				if priority == shift.Rollback {
					to = 0
				}
				change := w.change(w.read(t, a, "shop"), to, 2, priority)
				before := w.writes()
				if _, err := w.cloud.Inject(sandbox.Fault{Kind: c.kind, Service: sandbox.Route53, Operation: op, Times: c.times}); err != nil {
					t.Fatal(err)
				}
				got := a.Commit(t.Context(), []shift.Change{change})[0]
				w.cloud.ClearFaults()
				if got.Outcome != want {
					t.Errorf("%s: got %+v, want %s", priority, got, want)
				}
				stands := w.read(t, w.adapter(), "shop").Weights.At(to)
				if stands != (want == shift.Applied) {
					t.Errorf("%s: answered %s, but whether it stands is %t", priority, got.Outcome, stands)
				}
				if n := w.writes() - before; n > 1 || (n == 1) != stands {
					t.Errorf("%s: %d writes took effect", priority, n)
				}
			}
		})
	}
}

func TestOfManyWritersOfOneStateOneWins(t *testing.T) {
	w := newWorld(t, 10)
	const writers = 8
	results := make([]shift.Result, writers)
	adapters, changes := make([]*route53.Adapter, writers), make([]shift.Change, writers)
	for i := range writers {
		adapters[i] = w.adapter()
		changes[i] = w.change(w.read(t, adapters[i], "shop"), shift.Share(20+i), int64(10+i), shift.Rise)
	}
	var wg sync.WaitGroup
	for i, a := range adapters {
		wg.Go(func() { results[i] = a.Commit(t.Context(), changes[i:i+1])[0] })
	}
	wg.Wait()
	winners := slices.DeleteFunc(slices.Clone(results), func(r shift.Result) bool { return r.Outcome != shift.Applied })
	if len(winners) != 1 {
		t.Fatalf("%d writers won: %+v", len(winners), results)
	}
	for _, r := range results {
		if r.Outcome != shift.Applied && r.Outcome != shift.Conflict {
			t.Errorf("a loser got %+v", r)
		}
	}
}

func TestARollbackWinsAgainstRises(t *testing.T) {
	w := newWorld(t, 10)
	a := w.adapter()
	change := w.change(w.read(t, a, "shop"), 0, 99, shift.Rollback)
	rival := w.adapter()
	rise := w.change(w.read(t, rival, "shop"), 20, 2, shift.Rise)
	if got := rival.Commit(t.Context(), []shift.Change{rise})[0]; got.Outcome != shift.Applied {
		t.Fatalf("the rise: %+v", got)
	}
	if got := a.Commit(t.Context(), []shift.Change{change})[0]; got.Outcome != shift.Applied {
		t.Fatalf("the rollback: %+v", got)
	}
	if got := rival.Commit(t.Context(), []shift.Change{rise})[0]; got.Outcome != shift.Conflict {
		t.Errorf("a rise decided before the rollback: %+v", got)
	}
	if r := w.read(t, a, "shop"); !r.Weights.At(0) {
		t.Errorf("it stands at %s", r.Weights)
	}
}

func TestAForeignEditIsNamedAndNotFought(t *testing.T) {
	w := newWorld(t, 10)
	a := w.adapter()
	change := w.change(w.read(t, a, "shop"), 50, 2, shift.Rise)
	w.put(t, types.ChangeActionUpsert, "shop", "green", 77)
	got := a.Commit(t.Context(), []shift.Change{change})[0]
	if got.Outcome != shift.Conflict || !strings.Contains(got.Note, "blue 90, green 77") {
		t.Errorf("got %+v", got)
	}
	w.put(t, types.ChangeActionUpsert, "shop", "canary", 5)
	if r := a.Read(t.Context(), []shift.Entrance{w.entrance("shop")}, shift.Watching)[0]; !strings.Contains(r.Err, "other members with the weight 5") {
		t.Errorf("a new member reads as %+v", r)
	}
}

func TestTwoNamesOfOneZoneMoveTogether(t *testing.T) {
	w := newWorld(t, 10)
	a := w.adapter()
	changes := []shift.Change{
		w.change(w.read(t, a, "shop"), 50, 2, shift.Rise),
		w.change(w.read(t, a, "api"), 50, 2, shift.Rise),
	}
	before := w.writes()
	for _, r := range a.Commit(t.Context(), changes) {
		if r.Outcome != shift.Applied {
			t.Errorf("got %+v", r)
		}
	}
	if n := w.writes() - before; n != 1 {
		t.Errorf("%d batches", n)
	}
	w.put(t, types.ChangeActionUpsert, "api", "green", 77)
	back := []shift.Change{
		w.change(w.read(t, w.adapter(), "shop"), 0, 3, shift.Rollback),
		w.change(w.read(t, w.adapter(), "api"), 0, 3, shift.Rollback),
	}
	w.put(t, types.ChangeActionUpsert, "api", "green", 78)
	for _, r := range a.Commit(t.Context(), back) {
		if r.Outcome != shift.Applied {
			t.Errorf("got %+v", r)
		}
	}
}

func TestAnAnswerThatTakesTooLongIsReadBack(t *testing.T) {
	w := newWorld(t, 10)
	a := route53.New(route53.Options{API: w.client, Now: w.clock, CallTimeout: 100 * time.Millisecond, Reuse: -1})
	change := w.change(w.read(t, a, "shop"), 0, 2, shift.Rollback)
	fault := sandbox.Fault{Kind: sandbox.Delay, Service: sandbox.Route53, Operation: "ChangeResourceRecordSets", Times: 1, Delay: time.Minute}
	if _, err := w.cloud.Inject(fault); err != nil {
		t.Fatal(err)
	}
	if got := a.Commit(t.Context(), []shift.Change{change})[0]; got.Outcome != shift.Applied {
		t.Errorf("got %+v", got)
	}
}

func TestALargeZoneIsPaged(t *testing.T) {
	w := newWorld(t, 10)
	for batch := range 4 {
		var changes []types.Change
		for i := range 100 {
			changes = append(changes, types.Change{Action: types.ChangeActionCreate, ResourceRecordSet: &types.ResourceRecordSet{
				Name: aws.String(fmt.Sprintf("%d-%d.shop.example.com", batch, i)), Type: types.RRTypeA, TTL: aws.Int64(60),
				ResourceRecords: []types.ResourceRecord{{Value: aws.String("192.0.2.3")}},
			}})
		}
		if _, err := w.client.ChangeResourceRecordSets(t.Context(), &sdk.ChangeResourceRecordSetsInput{HostedZoneId: &w.zone, ChangeBatch: &types.ChangeBatch{Changes: changes}}); err != nil {
			t.Fatal(err)
		}
	}
	a := w.adapter()
	if got := a.Commit(t.Context(), []shift.Change{w.change(w.read(t, a, "shop"), 50, 2, shift.Rise)})[0]; got.Outcome != shift.Applied {
		t.Fatalf("got %+v", got)
	}
	if r := w.read(t, a, "shop"); r.Mark == nil || r.Mark.Version != 2 {
		t.Errorf("400 names below hide the mark: %+v", r)
	}
}

func TestAZoneThatIsNotThereIsNamed(t *testing.T) {
	w := newWorld(t, 10)
	a := w.adapter()
	e := w.entrance("shop")
	e.Route53.HostedZoneID = "ZNOTTHERE"
	r := a.Read(t.Context(), []shift.Entrance{e}, shift.Watching)[0]
	if !strings.Contains(r.Err, "NoSuchHostedZone") || !strings.Contains(r.Err, "correct hostedZoneID") {
		t.Errorf("got %q", r.Err)
	}
	if !r.At.IsZero() {
		t.Errorf("what was never read has the time %s", r.At)
	}
}
