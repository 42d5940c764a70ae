package route53_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/clusterswitch/clusterswitch/internal/route53"
	sandbox "github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// send writes a batch as somebody with the AWS CLI would.
func (w *world) send(t testing.TB, action types.ChangeAction, sets ...types.ResourceRecordSet) {
	t.Helper()
	for chunk := range slices.Chunk(sets, 250) {
		var changes []types.Change
		for _, r := range chunk {
			changes = append(changes, types.Change{Action: action, ResourceRecordSet: &r})
		}
		if _, err := w.client.ChangeResourceRecordSets(t.Context(), &sdk.ChangeResourceRecordSetsInput{
			HostedZoneId: &w.zone, ChangeBatch: &types.ChangeBatch{Changes: changes},
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// all lists the zone.
func (w *world) all(t testing.TB) []types.ResourceRecordSet {
	t.Helper()
	var sets []types.ResourceRecordSet
	pages := sdk.NewListResourceRecordSetsPaginator(w.client, &sdk.ListResourceRecordSetsInput{HostedZoneId: &w.zone})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sets = append(sets, page.ResourceRecordSets...)
	}
	return sets
}

func values(name string, typ types.RRType, id string, weight int64, v ...string) types.ResourceRecordSet {
	r := types.ResourceRecordSet{Name: aws.String(name + ".example.com"), Type: typ, TTL: aws.Int64(30)}
	if id != "" {
		r.SetIdentifier, r.Weight = &id, &weight
	}
	for _, each := range v {
		r.ResourceRecords = append(r.ResourceRecords, types.ResourceRecord{Value: aws.String(each)})
	}
	return r
}

// shaped makes records of every shape, all of one entrance but for the CNAME,
// which is another's.
func (w *world) shaped(t testing.TB) []shift.Entrance {
	t.Helper()
	check, err := w.client.CreateHealthCheck(t.Context(), &sdk.CreateHealthCheckInput{
		CallerReference:   aws.String("hc"),
		HealthCheckConfig: &types.HealthCheckConfig{Type: types.HealthCheckTypeTcp, IPAddress: aws.String("192.0.2.1"), Port: aws.Int32(443)},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.send(t, types.ChangeActionCreate,
		values("blue", types.RRTypeA, "", 0, "192.0.2.1"), values("blue", types.RRTypeAaaa, "", 0, "2001:db8::1"),
		values("green", types.RRTypeA, "", 0, "192.0.2.2"), values("green", types.RRTypeAaaa, "", 0, "2001:db8::2"))
	var sets []types.ResourceRecordSet
	for id, weight := range map[string]int64{"blue": 100, "green": 0} {
		for _, typ := range []types.RRType{types.RRTypeA, types.RRTypeAaaa} {
			address := map[string]string{"blueA": "192.0.2.1", "blueAAAA": "2001:db8::1", "greenA": "192.0.2.2", "greenAAAA": "2001:db8::2"}[id+string(typ)]
			dual := values("dual", typ, id, weight, address)
			dual.HealthCheckId = check.HealthCheck.Id
			aliased := types.ResourceRecordSet{
				Name: aws.String("alias.example.com"), Type: typ, SetIdentifier: &id, Weight: &weight,
				AliasTarget: &types.AliasTarget{DNSName: aws.String(id + ".example.com"), HostedZoneId: &w.zone, EvaluateTargetHealth: true},
			}
			sets = append(sets, dual, aliased, values("*", typ, id, weight, address))
		}
		sets = append(sets, values("www", types.RRTypeCname, id, weight, id+".example.net"))
	}
	w.send(t, types.ChangeActionCreate, sets...)
	w.send(t, types.ChangeActionCreate, values("dual", types.RRTypeA, "canary", 25, "192.0.2.3"))
	w.advance(time.Minute)
	many := shift.Route53Entrance{
		HostedZoneID: w.zone, Names: []string{"dual.example.com", "alias.example.com", "*.example.com"}, Types: []string{"A", "AAAA"},
		BlueSetIdentifier: "blue", GreenSetIdentifier: "green", Mark: true, MarkPrefix: "_mark",
	}
	www := shift.Route53Entrance{
		HostedZoneID: w.zone, Names: []string{"www.example.com"}, Types: []string{"CNAME"}, BlueSetIdentifier: "blue", GreenSetIdentifier: "green", Mark: true,
	}
	return []shift.Entrance{{Name: "many", Route53: &many}, {Name: "www", Route53: &www}}
}

func (w *world) changes(t testing.TB, a *route53.Adapter, entrances []shift.Entrance, to shift.Share, version int64, p shift.Priority) []shift.Change {
	t.Helper()
	var changes []shift.Change
	for i, r := range a.Read(t.Context(), entrances, shift.Watching) {
		if r.Err != "" {
			t.Fatalf("%s: %s", r.Name, r.Err)
		}
		c := w.change(r, to, version, p)
		c.Entrance = entrances[i]
		changes = append(changes, c)
	}
	return changes
}

func weightsOnly(t *testing.T, was, is []types.ResourceRecordSet) {
	t.Helper()
	ours := func(r types.ResourceRecordSet) bool { return r.Type == types.RRTypeTxt }
	was, is = slices.DeleteFunc(slices.Clone(was), ours), slices.DeleteFunc(slices.Clone(is), ours)
	if diff := cmp.Diff(was, is, cmpopts.IgnoreUnexported(types.ResourceRecordSet{}, types.ResourceRecord{}, types.AliasTarget{})); diff != "" {
		t.Errorf("more than weights and marks changed on the way there and back (-want +got):\n%s", diff)
	}
}

func TestEveryShapeGoesUpAndBackAtAStrictRoute53(t *testing.T) {
	w := newWorld(t, 0)
	entrances := w.shaped(t)
	a := w.adapter()
	was, before := w.all(t), w.writes()
	for _, r := range a.Commit(t.Context(), w.changes(t, a, entrances, 50, 2, shift.Rise)) {
		if r.Outcome != shift.Applied {
			t.Fatalf("the rise: %+v", r)
		}
	}
	for _, r := range a.Read(t.Context(), entrances, shift.Watching) {
		if !r.StandsAt(50) || r.InSync || r.Mark == nil || r.Mark.Version != 2 {
			t.Fatalf("after the rise: %+v", r)
		}
	}
	w.advance(time.Minute)
	for _, r := range a.Commit(t.Context(), w.changes(t, a, entrances, 0, 3, shift.Rollback)) {
		if r.Outcome != shift.Applied {
			t.Fatalf("the rollback: %+v", r)
		}
	}
	if n := w.writes() - before; n != 2 {
		t.Errorf("%d batches for two entrances up and back", n)
	}
	for _, r := range a.Read(t.Context(), entrances, shift.Resting) {
		if !r.StandsAt(0) || !r.Mark.Rollback {
			t.Errorf("after the rollback: %+v", r)
		}
	}
	weightsOnly(t, was, w.all(t))
}

// TestARollbackWithoutADaemon does what a command does that has nothing but a
// configuration: read, then go back, with the reading or without.
func TestARollbackWithoutADaemon(t *testing.T) {
	for name, read := range map[string]bool{"with a reading": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 0)
			entrances := w.shaped(t)
			daemon := w.adapter()
			daemon.Commit(t.Context(), w.changes(t, daemon, entrances, 50, 7, shift.Rise))
			a := w.adapter()
			var changes []shift.Change
			for i, r := range a.Read(t.Context(), entrances, shift.Urgent) {
				if r.Err != "" || r.Mark == nil {
					t.Fatalf("got %+v", r)
				}
				m := *r.Mark
				m.Version, m.Phase, m.Share, m.Rollback = m.Version+1, shift.RollingBack, 0, true
				if !read {
					r = shift.EntranceReading{}
				}
				changes = append(changes, shift.Change{Entrance: entrances[i], Expected: r, Control: m, Priority: shift.Rollback})
			}
			for _, r := range a.Commit(t.Context(), changes) {
				if r.Outcome != shift.Applied {
					t.Errorf("got %+v", r)
				}
			}
			for _, r := range daemon.Read(t.Context(), entrances, shift.Watching) {
				if !r.StandsAt(0) || !r.Mark.Rollback || r.Mark.Version != 8 {
					t.Errorf("the daemon reads %+v", r)
				}
			}
		})
	}
}

func TestEveryFaultLeavesAManyPairedZoneRight(t *testing.T) {
	kinds := map[string]sandbox.Fault{
		"a lost reply": {Kind: sandbox.LostReply}, "a lost request": {Kind: sandbox.LostRequest}, "throttling": {Kind: sandbox.Throttle},
		"a server error": {Kind: sandbox.ServerError}, "no service": {Kind: sandbox.ServiceUnavailable}, "a prior request": {Kind: sandbox.PriorRequestNotComplete},
		"no right for TXT": {Kind: sandbox.AccessDenied, RecordType: "TXT", Times: -1},
	}
	cases, violations := 0, 0
	for name, f := range kinds {
		for _, p := range []shift.Priority{shift.Rise, shift.Lowering, shift.Rollback} {
			w := newWorld(t, 0)
			entrances := w.shaped(t)
			a := w.adapter()
			a.Commit(t.Context(), w.changes(t, a, entrances, 30, 2, shift.Rise))
			to := map[shift.Priority]shift.Share{shift.Rise: 60, shift.Lowering: 10, shift.Rollback: 0}[p]
			changes := w.changes(t, a, entrances, to, 3, p)
			fault := f
			fault.Service, fault.Operation, fault.Times = sandbox.Route53, "ChangeResourceRecordSets", max(0, f.Times+1)
			if _, err := w.cloud.Inject(fault); err != nil {
				t.Fatal(err)
			}
			results := make([]shift.Result, len(changes))
			var wg sync.WaitGroup
			for i, c := range changes {
				wg.Go(func() { results[i] = a.Commit(t.Context(), []shift.Change{c})[0] })
			}
			wg.Wait()
			w.cloud.ClearFaults()
			for i, r := range w.adapter().Read(t.Context(), entrances, shift.Watching) {
				cases++
				right := r.StandsAt(to) || results[i].Outcome != shift.Applied && p != shift.Rollback && r.StandsAt(30)
				if !right || p == shift.Rollback && results[i].Outcome != shift.Applied {
					violations++
					t.Errorf("%s during a %s: answered %+v, stands at %s", name, p, results[i], r)
				}
			}
		}
	}
	t.Logf("%d cases, %d violations", cases, violations)
}

func TestEachShapeHasItsWayBackByHand(t *testing.T) {
	w := newWorld(t, 0)
	w.backByHand(t, w.adapter(), w.shaped(t))
}

// backByHand gives the commands of the runbook of each shape.
func (w *world) backByHand(t *testing.T, a *route53.Adapter, entrances []shift.Entrance) (commands []string) {
	t.Helper()
	if _, err := a.Runbook(entrances[0]); err == nil || !strings.Contains(err.Error(), "not been read") {
		t.Fatalf("before any reading: %v", err)
	}
	w.changes(t, a, entrances, 0, 2, shift.Rise) // reads
	for _, e := range entrances {
		each, err := a.Runbook(e)
		if err != nil {
			t.Fatal(err)
		}
		if len(each) != 2 {
			t.Fatalf("%d commands: %q", len(each), each)
		}
		commands = append(commands, each...)
	}
	return commands
}

func TestALongRunbookFitsIntoBatches(t *testing.T) {
	w := newWorld(t, 0)
	e := shift.Route53Entrance{HostedZoneID: w.zone, Types: []string{"A"}, BlueSetIdentifier: "blue", GreenSetIdentifier: "it's green", RoleARN: "arn:aws:iam::1:role/dns"}
	var sets []types.ResourceRecordSet
	for i := range 300 {
		name := fmt.Sprintf("n%d", i)
		e.Names = append(e.Names, name+".example.com")
		sets = append(sets, values(name, types.RRTypeA, "blue", 100, "192.0.2.1"), values(name, types.RRTypeA, "it's green", 0, "192.0.2.2"))
	}
	w.send(t, types.ChangeActionCreate, sets...)
	a, entrance := w.adapter(), shift.Entrance{Name: "long", Route53: &e}
	if r := a.Read(t.Context(), []shift.Entrance{entrance}, shift.Resting)[0]; r.Err != "" {
		t.Fatal(r.Err)
	}
	commands, err := a.Runbook(entrance)
	if err != nil || len(commands) != 3 { // 300 × 2 records, each counted twice
		t.Fatalf("%d commands, error %v", len(commands), err)
	}
	if !strings.HasPrefix(commands[0], "# with credentials of the role arn:aws:iam::1:role/dns\naws route53 change") || strings.Contains(commands[1], "it's") {
		t.Errorf("the commands begin with %.90q and %.90q", commands[0], commands[1])
	}
}
