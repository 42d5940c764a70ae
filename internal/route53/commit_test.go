package route53

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// story is one change and what befalls it. The shop stands at 25 % unless at
// says otherwise; a rise goes to 50, a rollback to 0.
type story struct {
	at      shift.Share
	setup   func(z *fakeZone)     // how the zone is different from the start
	unread  bool                  // nobody read the shop before
	before  func(z *fakeZone)     // what happens between reading and writing
	script  map[string][]fault    // what happens to the calls of the commit
	change  func(c *shift.Change) // what is different about the change
	outcome shift.Outcome
	note    string
	green   int64  // green's weight at the end
	marked  string // what the mark says at the end; empty: not looked at
	writes  int    // batches sent; -1: not looked at
}

func foreign(weight int64) func(z *fakeZone) {
	return func(z *fakeZone) {
		z.set(shop, "green", func(r *types.ResourceRecordSet) { r.Weight = aws.Int64(weight) })
	}
}

// aba puts the weights somewhere and back, with another's mark.
func aba(z *fakeZone) {
	z.set(markShop, "", func(r *types.ResourceRecordSet) { *r = markRecord(markShop, mark(2, 9, 25)) })
}

func refuseTXT(err error) func(z *fakeZone) {
	return func(z *fakeZone) {
		z.refuse = func(changes []types.Change) error {
			if slices.ContainsFunc(changes, func(c types.Change) bool { return c.ResourceRecordSet.Type == types.RRTypeTxt }) {
				return err
			}
			return nil
		}
	}
}

func TestRises(t *testing.T) {
	t.Parallel()
	stories := map[string]story{
		"goes through when nothing changed":                        {outcome: shift.Applied, green: 50, marked: "version=6", writes: 1},
		"is applied though the reply was lost":                     {script: map[string][]fault{"change": {{mute: true}}}, outcome: shift.Applied, note: "reads back as written", green: 50, marked: "version=6", writes: 1},
		"is unknown when the request was lost":                     {script: map[string][]fault{"change": {{lost: true}}}, outcome: shift.Unknown, note: "unchanged so far", green: 25, marked: "version=5", writes: 1},
		"is unknown when it can't be read back":                    {script: map[string][]fault{"change": {{mute: true}}, "list": {{err: errCut}}}, outcome: shift.Unknown, note: "reading it back", green: 50, writes: 1},
		"meets an edit made after it was read":                     {before: foreign(40), outcome: shift.Conflict, note: "blue 75, green 40", green: 40, writes: 1},
		"meets an edit made while it was on its way":               {script: map[string][]fault{"change": {{before: foreign(40)}}}, outcome: shift.Conflict, note: "blue 75, green 40", green: 40, writes: 1},
		"is refused by the mark though the weights came back":      {before: aba, outcome: shift.Conflict, note: "version=9", green: 25, writes: 1},
		"isn't taken for its own what another wrote alike":         {script: map[string][]fault{"change": {{before: func(z *fakeZone) { foreignTwin(z); aba(z) }}}}, outcome: shift.Conflict, note: "version=9", green: 50, writes: 1},
		"was carried out by the same daemon before":                {script: map[string][]fault{"change": {{before: foreignTwin}}}, outcome: shift.Applied, note: "reads back as written", green: 50, marked: "version=6", writes: 1},
		"comes from an older daemon":                               {change: func(c *shift.Change) { c.Control.Epoch = 1 }, outcome: shift.Conflict, note: "took charge later", green: 25, writes: 0},
		"goes on from a mark of a higher attempt of the same time": {change: func(c *shift.Change) { c.Control.Attempt = 0 }, outcome: shift.Applied, green: 50, writes: 1},
		"is refused when AWS throttles, and isn't repeated":        {script: map[string][]fault{"change": {{err: apiError("Throttling")}}}, outcome: shift.Refused, note: "nothing was written: throttled", green: 25, writes: 1},
		"is refused while an earlier change is under way":          {script: map[string][]fault{"change": {{err: apiError("PriorRequestNotComplete")}}}, outcome: shift.Refused, note: "PriorRequestNotComplete", green: 25, writes: 1},
		"is refused without the right":                             {script: map[string][]fault{"change": {{err: apiError("AccessDenied")}}}, outcome: shift.Refused, note: "grant route53:ChangeResourceRecordSets", green: 25, writes: 1},
		"is refused when its mark is":                              {before: refuseTXT(apiError("AccessDenied")), outcome: shift.Refused, note: "AccessDenied", green: 25, marked: "version=5", writes: 1},
		"is refused when AWS says conflict though nothing changed": {before: refuseTXT(&types.InvalidChangeBatch{Messages: []string{"no TXT here"}}), outcome: shift.Refused, note: "no TXT here", green: 25, writes: 1},
		"was never read":             {unread: true, outcome: shift.Conflict, green: 25, writes: 0},
		"passes a third record over": {setup: third, outcome: shift.Applied, note: `"canary" with weight 7 was left`, green: 50, writes: 1},
		"is refused where it would change what a third record gets": {setup: func(z *fakeZone) { third(z); foreign(50)(z) }, outcome: shift.Refused, note: `set "blue" to 60, "green" to 40, "canary" to 6`, green: 50, writes: 0},
		"is refused while somebody else writes the record":          {setup: func(z *fakeZone) { z.add(text("a-"+shop, "heritage=external-dns,external-dns/owner=prod")) }, outcome: shift.Refused, note: "external-dns prod", green: 25, writes: 0},
	}
	for name, s := range stories {
		t.Run(name, func(t *testing.T) { s.play(t, 50, shift.Rise) })
	}
}

func TestLowerings(t *testing.T) {
	t.Parallel()
	stories := map[string]story{
		"goes through when nothing changed":      {outcome: shift.Applied, green: 10, marked: "version=6", writes: 1},
		"writes nothing where green has less":    {at: 5, outcome: shift.Applied, note: "nothing to write", green: 5, marked: "version=5", writes: 0},
		"meets an edit made after it was read":   {before: foreign(40), outcome: shift.Conflict, note: "green 40", green: 40, writes: 1},
		"is unknown when the request was lost":   {script: map[string][]fault{"change": {{lost: true}}}, outcome: shift.Unknown, green: 25, writes: 1},
		"comes from an older daemon":             {change: func(c *shift.Change) { c.Control.Epoch = 1 }, outcome: shift.Conflict, green: 25, writes: 0},
		"is refused when AWS throttles the call": {script: map[string][]fault{"change": {{err: apiError("Throttling")}}}, outcome: shift.Refused, green: 25, writes: 1},
	}
	for name, s := range stories {
		t.Run(name, func(t *testing.T) { s.play(t, 10, shift.Lowering) })
	}
}

// foreignTwin writes what the swap wants, as an earlier try of it would have.
func foreignTwin(z *fakeZone) {
	w := shift.Share(50).Weights()
	z.set(shop, "blue", func(r *types.ResourceRecordSet) { r.Weight = aws.Int64(int64(w.Blue)) })
	z.set(shop, "green", func(r *types.ResourceRecordSet) { r.Weight = aws.Int64(int64(w.Green)) })
	z.set(markShop, "", func(r *types.ResourceRecordSet) { *r = markRecord(markShop, mark(2, 6, 50)) })
}

func TestRollbacks(t *testing.T) {
	t.Parallel()
	throttled := fault{err: apiError("Throttling")}
	stories := map[string]story{
		"goes through at once, without a read before":               {outcome: shift.Applied, green: 0, marked: "rollback=true", writes: 1},
		"reads for itself when nobody did":                          {unread: true, outcome: shift.Applied, green: 0, marked: "rollback=true", writes: 1},
		"fences earlier writes off where green has nothing":         {at: -1, change: func(c *shift.Change) { c.Fence = true }, outcome: shift.Applied, green: 0, marked: "rollback=true", writes: 1},
		"takes a foreign edit with it":                              {before: foreign(40), outcome: shift.Applied, green: 0, marked: "rollback=true", writes: 2},
		"takes two foreign edits with it":                           {before: foreign(40), script: map[string][]fault{"change": {{}, {before: foreign(41)}}}, outcome: shift.Applied, green: 0, marked: "rollback=true", writes: 3},
		"writes nothing when blue has all":                          {at: -1, outcome: shift.Applied, note: "nothing to write", green: 0, marked: "version=5", writes: 0},
		"writes nothing when somebody was faster":                   {before: foreign(0), outcome: shift.Applied, note: "nothing to write", green: 0, writes: 1},
		"never raises green to the limit of blue's capacity":        {change: func(c *shift.Change) { c.Wanted = 30 }, outcome: shift.Applied, note: "nothing to write", green: 25, writes: 0},
		"is applied though the reply was lost":                      {script: map[string][]fault{"change": {{mute: true}}}, outcome: shift.Applied, note: "reads back as written", green: 0, marked: "rollback=true", writes: 1},
		"writes again when the request was lost":                    {script: map[string][]fault{"change": {{lost: true}}}, outcome: shift.Applied, green: 0, marked: "rollback=true", writes: 2},
		"writes again when it is throttled":                         {script: map[string][]fault{"change": {throttled, throttled}}, outcome: shift.Applied, green: 0, marked: "rollback=true", writes: 3},
		"writes again while an earlier change is under way":         {script: map[string][]fault{"change": {{err: apiError("PriorRequestNotComplete")}}}, outcome: shift.Applied, green: 0, marked: "rollback=true", writes: 2},
		"reads again when reading is throttled":                     {unread: true, script: map[string][]fault{"list": {throttled, throttled}}, outcome: shift.Applied, green: 0, writes: 1},
		"gives up when it is throttled to the end":                  {script: map[string][]fault{"change": slices.Repeat([]fault{throttled}, 200)}, outcome: shift.Refused, note: "gave up for now", green: 25, writes: -1},
		"doesn't know when every request is lost":                   {script: map[string][]fault{"change": slices.Repeat([]fault{{lost: true}}, 200)}, outcome: shift.Unknown, note: "gave up for now", green: 25, writes: -1},
		"goes without the mark when rights lack for it":             {before: refuseTXT(apiError("AccessDenied")), outcome: shift.Applied, note: "without the mark: access denied", green: 0, marked: "version=5", writes: 2},
		"goes without the mark when the batch is refused":           {before: refuseTXT(&types.InvalidChangeBatch{Messages: []string{"a CNAME stands there"}}), outcome: shift.Applied, note: "without the mark", green: 0, marked: "version=5", writes: 2},
		"goes without the mark when its value is refused":           {before: refuseTXT(apiError("InvalidInput")), outcome: shift.Applied, note: "without the mark", green: 0, marked: "version=5", writes: 2},
		"leaves a mark alone that it can't read":                    {before: garble, unread: true, outcome: shift.Applied, note: "left as it is", green: 0, marked: "from the future", writes: 1},
		"doesn't mind a mark of a later daemon":                     {change: func(c *shift.Change) { c.Control.Epoch = 1 }, outcome: shift.Applied, green: 0, marked: "epoch=1", writes: 1},
		"leaves a third record alone":                               {before: third, unread: true, outcome: shift.Applied, note: `"canary" with weight 7`, green: 0, writes: 1},
		"is refused without the right to write at all":              {before: func(z *fakeZone) { z.refuse = func([]types.Change) error { return apiError("AccessDenied") } }, outcome: shift.Refused, note: "grant route53:ChangeResourceRecordSets", green: 25, writes: 2},
		"is refused when there is nothing to swap":                  {before: func(z *fakeZone) { z.sets = nil }, unread: true, outcome: shift.Refused, note: "no A record", green: -1, writes: 0},
		"is refused when the zone is gone":                          {unread: true, change: func(c *shift.Change) { c.Entrance.Route53.HostedZoneID = "Z2" }, outcome: shift.Refused, note: "correct hostedZoneID", green: 25, writes: 0},
		"writes no mark where none is wanted":                       {unread: true, change: func(c *shift.Change) { c.Entrance.Route53.Mark = false }, outcome: shift.Applied, green: 0, marked: "version=5", writes: 1},
		"puts things right where all weights are zero":              {unread: true, before: allZero, outcome: shift.Applied, green: 0, marked: "rollback=true", writes: 1},
		"doesn't know when a lost request is followed by conflicts": {script: map[string][]fault{"change": append([]fault{{lost: true}}, rivals(200)...)}, outcome: shift.Unknown, note: "gave up for now", green: -1, writes: -1},
		"meets nothing but conflicts":                               {script: map[string][]fault{"change": rivals(200)}, outcome: shift.Conflict, note: "gave up for now", green: -1, writes: -1},
		"wins against a rival who gives up":                         {script: map[string][]fault{"change": rivals(6)}, outcome: shift.Applied, green: 0, marked: "rollback=true", writes: 7},
	}
	for name, s := range stories {
		t.Run(name, func(t *testing.T) { s.play(t, 0, shift.Rollback) })
	}
}

// rivals are edits that come just before each of n writes.
func rivals(n int) []fault {
	var faults []fault
	for i := range n {
		faults = append(faults, fault{before: foreign(int64(30 + i%2))})
	}
	return faults
}

func garble(z *fakeZone) {
	z.set(markShop, "", func(r *types.ResourceRecordSet) { *r = text(markShop, "from the future") })
}

func third(z *fakeZone) { z.sets = append(z.sets, weighted(shop, "canary", 7, "192.0.2.3")) }

func allZero(z *fakeZone) {
	for _, id := range []string{"blue", "green"} {
		z.set(shop, id, func(r *types.ResourceRecordSet) { r.Weight = aws.Int64(0) })
	}
}

func (s story) play(t *testing.T, to shift.Share, p shift.Priority) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		at := s.at
		if at == 0 {
			at = 25
		}
		z := shopAt(max(0, at))
		if s.setup != nil {
			s.setup(z)
		}
		a := newAdapter(z)
		var expected shift.EntranceReading
		if !s.unread {
			expected = readShop(t, a)
		}
		c := wish(expected, to, p)
		if s.change != nil {
			s.change(&c)
		}
		if s.before != nil {
			s.before(z)
		}
		if s.script != nil {
			z.script = s.script
		}
		z.calls = nil
		started := time.Now()
		got := a.Commit(t.Context(), []shift.Change{c})[0]

		if got.Entrance != "dns" || got.Outcome != s.outcome || !strings.Contains(got.Note, s.note) {
			t.Errorf("got %+v, want %s with a note on %q", got, s.outcome, s.note)
		}
		if (got.Outcome == shift.Applied) != got.At.Equal(clock) {
			t.Errorf("outcome %s at %s", got.Outcome, got.At)
		}
		if writes := z.count("change"); writes != s.writes && s.writes >= 0 {
			t.Errorf("%d writes, want %d: %q", writes, s.writes, z.calls)
		}
		s.look(t, z)
		if took := time.Since(started); took > commitBudget {
			t.Errorf("it took %s", took)
		}
	})
}

// look checks what stands in the zone at the end.
func (s story) look(t *testing.T, z *fakeZone) {
	t.Helper()
	green, ok := z.get(shop, types.RRTypeA, "green")
	if s.green >= 0 && (!ok || *green.Weight != s.green) {
		t.Errorf("green stands at %v, want %d", dump([]types.ResourceRecordSet{green}), s.green)
	}
	if ok && (*green.HealthCheckId != "hc-green" || *green.TTL != 30 || *green.ResourceRecords[0].Value != "192.0.2.2") {
		t.Errorf("more than the weight changed: %v", dump([]types.ResourceRecordSet{green}))
	}
	m, ok := z.get(markShop, types.RRTypeTxt, "")
	if s.marked != "" && (!ok || !strings.Contains(*m.ResourceRecords[0].Value, s.marked)) {
		t.Errorf("the mark doesn't tell %q: %v", s.marked, m.ResourceRecords)
	}
}

func TestARollbackWithAReadingNeedsOneCall(t *testing.T) {
	t.Parallel()
	z := shopAt(50)
	a := newAdapter(z)
	c := wish(readShop(t, a), 0, shift.Rollback)
	z.calls = nil
	a.Commit(t.Context(), []shift.Change{c})
	if want := []string{"change 6"}; !slices.Equal(z.calls, want) {
		t.Errorf("calls %q, want %q", z.calls, want)
	}
}
