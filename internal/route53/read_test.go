package route53

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

const (
	shop     = "shop.example.com."
	markShop = "_clusterswitch.shop.example.com."
)

var clock = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func entrance() shift.Entrance {
	return shift.Entrance{Name: "dns", Route53: &shift.Route53Entrance{
		HostedZoneID: "Z1", Names: []string{"shop.example.com"}, Types: []string{"A"}, BlueSetIdentifier: "blue", GreenSetIdentifier: "green", Mark: true,
	}}
}

func mark(epoch, version int64, share shift.Share) shift.Mark {
	return shift.Mark{Attempt: 1, Epoch: epoch, Version: version, Phase: shift.Shifting, Share: share}
}

// shopAt is a zone whose shop stands at a share, with an older mark of ours and
// bystanders around it.
func shopAt(share shift.Share) *fakeZone {
	w := share.Weights()
	return &fakeZone{
		script: map[string][]fault{},
		sets: []types.ResourceRecordSet{
			text("example.com.", "v=spf1 -all"),
			weighted(shop, "blue", int64(w.Blue), "192.0.2.1"),
			weighted(shop, "green", int64(w.Green), "192.0.2.2"),
			{Name: aws.String(shop), Type: types.RRTypeAaaa, TTL: aws.Int64(30), ResourceRecords: []types.ResourceRecord{{Value: aws.String("2001:db8::1")}}},
			markRecord(markShop, mark(2, 5, share)),
			text("deep.shop.example.com.", "a name below"),
			text("zoo.example.com.", "the last name"),
		},
	}
}

func newAdapter(z *fakeZone) *Adapter {
	return New(Options{API: z, Now: func() time.Time { return clock }, Reuse: -1, Gather: -1})
}

func readShop(t *testing.T, a *Adapter) shift.EntranceReading {
	t.Helper()
	return a.Read(t.Context(), []shift.Entrance{entrance()}, shift.Watching)[0]
}

func TestReadingAGroupTellsItsWeightsTTLAndMark(t *testing.T) {
	t.Parallel()
	a := newAdapter(shopAt(25))
	got := readShop(t, a)
	if got.Token == "" {
		t.Error("it has no token")
	}
	want := shift.EntranceReading{
		Name: "dns", At: clock, Token: got.Token, Weights: shift.Weights{Blue: 75, Green: 25},
		TTL: 30 * time.Second, InSync: true, SyncUnheard: true, Mark: new(mark(2, 5, 25)),
		Notes: []string{
			"shop.example.com A: Route 53 looks at the health of blue (health check hc-blue), green (health check hc-green): an unhealthy member is left out whatever its weight",
			"shop.example.com AAAA: these records stand beside those of the entrance and stay as they are; users who ask for them go where they point",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if again := readShop(t, a); again.Token != got.Token {
		t.Errorf("the token of the same state went from %s to %s", got.Token, again.Token)
	}
}

func TestATickTakesOneCallForEachName(t *testing.T) {
	t.Parallel()
	z := shopAt(25)
	a := newAdapter(z)
	readShop(t, a) // asks for the owner, too
	z.calls = nil
	readShop(t, a)
	if want := []string{"list shop.example.com. "}; !slices.Equal(z.calls, want) {
		t.Errorf("calls %q, want %q", z.calls, want)
	}
}

func TestPagingFindsTheWholeGroupAndTheMark(t *testing.T) {
	t.Parallel()
	for size := 1; size <= 8; size++ {
		z := shopAt(25)
		z.pageSize = size
		for _, below := range []string{"a.shop.example.com.", "b.shop.example.com.", "0.shop.example.com.", "1.shop.example.com."} {
			z.sets = append(z.sets, text(below, "many names stand between the name and its mark"))
		}
		got := readShop(t, newAdapter(z))
		if got.Err != "" || got.Weights.Green != 25 || got.Mark == nil {
			t.Errorf("pages of %d: %+v", size, got)
		}
	}
}

func TestTheTokenTellsEveryDifference(t *testing.T) {
	t.Parallel()
	edits := map[string]func(z *fakeZone){
		"a weight": func(z *fakeZone) { z.set(shop, "green", func(r *types.ResourceRecordSet) { r.Weight = aws.Int64(26) }) },
		"a value": func(z *fakeZone) {
			z.set(shop, "blue", func(r *types.ResourceRecordSet) { r.ResourceRecords[0].Value = aws.String("198.51.100.1") })
		},
		"a health check": func(z *fakeZone) { z.set(shop, "blue", func(r *types.ResourceRecordSet) { r.HealthCheckId = nil }) },
		"the TTL":        func(z *fakeZone) { z.set(shop, "blue", func(r *types.ResourceRecordSet) { r.TTL = aws.Int64(31) }) },
		"the mark": func(z *fakeZone) {
			z.set(markShop, "", func(r *types.ResourceRecordSet) { *r = markRecord(markShop, mark(2, 6, 25)) })
		},
		"that a member is new": func(z *fakeZone) { z.sets = append(z.sets, weighted(shop, "x", 1, "192.0.2.9")) },
	}
	for name, edit := range edits {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := shopAt(25)
			a := newAdapter(z)
			before := readShop(t, a)
			edit(z)
			if after := readShop(t, a); after.Token == before.Token {
				t.Error("the token is the same")
			}
		})
	}
}

func TestWhatCannotBeShiftedIsSaidWithWhatToDo(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		spoil func(z *fakeZone)
		want  []string
	}{
		"a simple record": {func(z *fakeZone) {
			z.sets = []types.ResourceRecordSet{{Name: aws.String(shop), Type: types.RRTypeA, TTL: aws.Int64(60), ResourceRecords: []types.ResourceRecord{{Value: aws.String("192.0.2.1")}}}}
		}, []string{"simple record", `"blue"`, `"green"`}},
		"no record at all": {func(z *fakeZone) { z.sets = nil }, []string{"no A record shop.example.com", "Z1"}},
		"a missing set identifier": {func(z *fakeZone) {
			z.set(shop, "green", func(r *types.ResourceRecordSet) { r.SetIdentifier = aws.String("gren") })
		}, []string{`set identifier "green"`, `"gren"`}},
		"different TTLs": {func(z *fakeZone) { z.set(shop, "green", func(r *types.ResourceRecordSet) { r.TTL = aws.Int64(300) }) }, []string{"30 s", "300 s"}},
		"records routed by region": {func(z *fakeZone) {
			z.set(shop, "blue", func(r *types.ResourceRecordSet) { r.Weight, r.Region = nil, "eu-west-1" })
			z.set(shop, "green", func(r *types.ResourceRecordSet) { r.Weight, r.Region = nil, "us-east-1" })
		}, []string{"not routed by weight"}},
		"a mark in other words": {func(z *fakeZone) {
			z.set(markShop, "", func(r *types.ResourceRecordSet) {
				r.ResourceRecords[0].Value = aws.String(`"clusterswitch/v9 all=new"`)
			})
		}, []string{"clusterswitch/v9", "delete it"}},
		"a mark of two values": {func(z *fakeZone) {
			z.set(markShop, "", func(r *types.ResourceRecordSet) { *r = text(markShop, "a", "b") })
		}, []string{"not one plain value"}},
		"no right to list":  {func(z *fakeZone) { z.script["list"] = []fault{{err: apiError("AccessDenied")}} }, []string{"grant route53:ListResourceRecordSets"}},
		"throttled listing": {func(z *fakeZone) { z.script["list"] = []fault{{err: apiError("Throttling")}} }, []string{"throttled", "Throttling"}},
		"no answer":         {func(z *fakeZone) { z.script["list"] = []fault{{err: errCut}} }, []string{"no answer", "connection reset"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := shopAt(0)
			c.spoil(z)
			got := readShop(t, newAdapter(z))
			for _, want := range c.want {
				if !strings.Contains(got.Err, want) {
					t.Errorf("Err %q doesn't tell %q", got.Err, want)
				}
			}
			if got.Weights != (shift.Weights{}) {
				t.Errorf("it gives weights %s", got.Weights)
			}
		})
	}
}

func TestAGroupWithoutMarkIgnoresWhatStandsAtItsName(t *testing.T) {
	t.Parallel()
	z := shopAt(10)
	e := entrance()
	e.Route53.Mark = false
	got := newAdapter(z).Read(t.Context(), []shift.Entrance{e}, shift.Watching)[0]
	if got.Err != "" || got.Mark != nil {
		t.Errorf("got %+v", got)
	}
}

func TestExternalDNSIsNamedAsTheOwner(t *testing.T) {
	t.Parallel()
	const label = "heritage=external-dns,external-dns/owner=prod,external-dns/resource=ingress/web/shop"
	for _, name := range []string{shop, "a-" + shop, "cname-" + shop} {
		z := shopAt(0)
		r := text(name, label)
		r.SetIdentifier, r.Weight = aws.String("blue"), aws.Int64(100)
		z.sets = append(z.sets, r)
		if got := readShop(t, newAdapter(z)); got.Owner != "external-dns prod for ingress/web/shop, by the TXT record "+plain(name) {
			t.Errorf("%s: owner %q", name, got.Owner)
		}
	}
}

func TestAnUnreadableOwnerIsUnknown(t *testing.T) {
	t.Parallel()
	z := shopAt(0)
	z.script["list"] = []fault{{}, {err: apiError("Throttling")}}
	now := clock
	a := New(Options{API: z, Now: func() time.Time { return now }, Reuse: -1, Gather: -1})
	if got := readShop(t, a); got.Err == "" {
		t.Error("a reading without an answer on the owner is usable")
	}
	z.calls = nil
	if got := readShop(t, a); got.Err == "" || z.count("list") != 1 {
		t.Errorf("it is asked for again at once: %q, %q", got.Err, z.calls)
	}
	now = now.Add(scanAgain)
	if got := readShop(t, a); got.Err != "" {
		t.Errorf("the next reading isn't: %s", got.Err)
	}
}

func TestAWriteIsInSyncOnlyWhenAWSSaysSo(t *testing.T) {
	t.Parallel()
	z := shopAt(10)
	a := newAdapter(z)
	if r := commitShop(t, a, 25, shift.Rise); r.Outcome != shift.Applied {
		t.Fatalf("got %+v", r)
	}
	z.pending = true
	if readShop(t, a).InSync {
		t.Error("a pending change counts as in sync")
	}
	z.script["get"] = []fault{{err: apiError("Throttling")}}
	if got := readShop(t, a); got.InSync || got.Err != "" {
		t.Errorf("an unanswered question: %+v", got)
	}
	z.script["get"] = []fault{{err: apiError("AccessDenied")}}
	if got := readShop(t, a); !strings.Contains(got.Err, "grant route53:GetChange") {
		t.Errorf("a missing right isn't said: %q", got.Err)
	}
	z.pending = false
	if !readShop(t, a).InSync {
		t.Error("an INSYNC change doesn't count as in sync")
	}
	z.calls = nil
	readShop(t, a)
	if z.count("get") != 0 {
		t.Error("it goes on asking for a change that is in sync")
	}
}

func TestAChangeThatAWSForgotIsInSyncAfterTheTimeOfPropagation(t *testing.T) {
	t.Parallel()
	z := shopAt(10)
	now := clock
	a := New(Options{API: z, Now: func() time.Time { return now }, Reuse: -1, Gather: -1})
	commitShop(t, a, 25, shift.Rise)
	forgotten := fault{err: apiError("NoSuchChange")}
	z.script["get"] = []fault{forgotten, forgotten}
	if got := readShop(t, a); got.InSync || got.Err != "" {
		t.Errorf("at once: %+v", got)
	}
	now = now.Add(propagation)
	if got := readShop(t, a); !got.InSync {
		t.Errorf("after %s: %+v", propagation, got)
	}
}

func TestANewOwnerIsSeenInTime(t *testing.T) {
	t.Parallel()
	z := shopAt(10)
	now := clock
	a := New(Options{API: z, Now: func() time.Time { return now }, Reuse: -1, Gather: -1})
	readShop(t, a)
	z.sets = append(z.sets, text("a-"+shop, "heritage=external-dns,external-dns/owner=prod"))
	now = now.Add(defaultOwnerEvery)
	if got := readShop(t, a); !strings.HasPrefix(got.Owner, "external-dns prod") {
		t.Errorf("after %s the owner is %q", defaultOwnerEvery, got.Owner)
	}
}

// commitShop reads the shop and commits one change made from the reading.
func commitShop(t *testing.T, a *Adapter, to shift.Share, p shift.Priority) shift.Result {
	t.Helper()
	return a.Commit(t.Context(), []shift.Change{wish(readShop(t, a), to, p)})[0]
}

func wish(expected shift.EntranceReading, to shift.Share, p shift.Priority) shift.Change {
	m := mark(2, 6, to)
	m.Rollback = p == shift.Rollback
	return shift.Change{Entrance: entrance(), Expected: expected, Wanted: to, Priority: p, Control: m}
}
