package elb

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// story is one change and what befalls it. The rule stands at 25 %; a rise goes
// to 50, a rollback to 0.
type story struct {
	unread  bool                  // nobody read the rule before
	setup   func(f *fakeELB)      // how the rule is different from the start
	before  func(f *fakeELB)      // what happens between reading and writing
	script  map[string][]fault    // what happens to the calls of the commit
	change  func(c *shift.Change) // what is different about the change
	outcome shift.Outcome
	note    string
	green   int32  // green's weight at the end
	marked  string // what the mark says at the end; empty: not looked at
	sticky  bool
	writes  int // calls of ModifyRule
}

func sticky(f *fakeELB) {
	f.rules[ruleARN] = []types.Action{oidc(), forwardTo(map[string]int32{blueTG: 75, greenTG: 25}, true)}
}

func TestRises(t *testing.T) {
	t.Parallel()
	stories := map[string]story{
		"goes through when nothing changed":                  {outcome: shift.Applied, green: 50, marked: "version=6", writes: 1},
		"keeps stickiness":                                   {setup: sticky, outcome: shift.Applied, green: 50, sticky: true, writes: 1},
		"is applied though the reply was lost":               {script: map[string][]fault{"ModifyRule": {{mute: true}}}, outcome: shift.Applied, note: "reads back as written", green: 50, marked: "version=6", writes: 1},
		"is unknown when the request was lost":               {script: map[string][]fault{"ModifyRule": {{lost: true}}}, outcome: shift.Unknown, note: "green 25", green: 25, marked: "version=5", writes: 1},
		"is unknown when it can't be read back":              {script: map[string][]fault{"ModifyRule": {{mute: true}}, "DescribeRules": {{}, {err: errCut}}}, outcome: shift.Unknown, note: "reading it back", green: 50, writes: 1},
		"meets an edit made after it was read":               {before: setWeights(60, 40), outcome: shift.Conflict, note: "blue 60, green 40", green: 40, writes: 0},
		"meets an edit of the login":                         {before: editLogin, outcome: shift.Conflict, note: "blue 75, green 25", green: 25, writes: 0},
		"is overwritten at once":                             {script: map[string][]fault{"ModifyRule": {{after: setWeights(60, 40)}}}, outcome: shift.Unknown, note: "somebody changed it", green: 40, writes: 1},
		"comes from an older daemon":                         {change: func(c *shift.Change) { c.Control.Epoch = 1 }, outcome: shift.Conflict, note: "took charge later", green: 25, marked: "version=5", writes: 0},
		"meets a controller that took the rule":              {before: func(f *fakeELB) { f.tags[ruleARN]["elbv2.k8s.aws/cluster"] = "x" }, outcome: shift.Refused, note: "aws-load-balancer-controller", green: 25, writes: 0},
		"meets a mark that it can't read":                    {before: func(f *fakeELB) { f.tags[ruleARN][MarkTag] = "?" }, outcome: shift.Refused, note: "delete it", green: 25, writes: 0},
		"is refused when AWS throttles, and isn't repeated":  {script: map[string][]fault{"ModifyRule": {{err: apiError("Throttling")}}}, outcome: shift.Refused, note: "nothing was written: throttled", green: 25, writes: 1},
		"is refused without the right":                       {script: map[string][]fault{"ModifyRule": {{err: apiError("AccessDenied")}}}, outcome: shift.Refused, note: "grant elasticloadbalancing:ModifyRule", green: 25, writes: 1},
		"is refused when the rule can't be read":             {script: map[string][]fault{"DescribeRules": {{err: apiError("Throttling")}}}, outcome: shift.Refused, note: "nothing was written", green: 25, writes: 0},
		"is refused when the tags can't be read":             {script: map[string][]fault{"DescribeTags": {{err: apiError("Throttling")}}}, outcome: shift.Refused, note: "nothing was written", green: 25, writes: 0},
		"goes through without the mark when tags are denied": {script: map[string][]fault{"AddTags": {{err: apiError("AccessDenied")}}}, outcome: shift.Applied, note: "without the mark", green: 50, marked: "version=5", writes: 1},
		"is applied though it can't be read back after":      {script: map[string][]fault{"DescribeRules": {{}, {err: errCut}}}, outcome: shift.Applied, note: "not read back", green: 50, writes: 1},
		"meets green's targets gone bad":                     {before: func(f *fakeELB) { f.health[greenTG] = []types.TargetHealthStateEnum{"unhealthy", "draining"} }, outcome: shift.Conflict, note: "0 healthy targets of 1", green: 25, writes: 0},
		"is not written while green's health is unknown":     {script: map[string][]fault{"DescribeTargetHealth": {{err: apiError("AccessDenied")}}}, outcome: shift.Conflict, note: "health can't be read", green: 25, writes: 0},
		"meets another group that its share depends on":      {setup: func(f *fakeELB) { thirdGroup(f); setThird(f, 60, 20) }, outcome: shift.Refused, note: "set blue to 75 and green to 25", green: 20, writes: 0},
		"leaves another group its weight":                    {setup: thirdGroup, outcome: shift.Applied, green: 50, writes: 1},
		"was never read":                                     {unread: true, outcome: shift.Conflict, green: 25, writes: 0},
	}
	for name, s := range stories {
		t.Run(name, func(t *testing.T) { s.play(t, 50, shift.Rise) })
	}
}

func TestLowerings(t *testing.T) {
	t.Parallel()
	stories := map[string]story{
		"goes through when nothing changed":    {outcome: shift.Applied, green: 10, marked: "version=6", writes: 1},
		"keeps stickiness":                     {setup: sticky, outcome: shift.Applied, green: 10, sticky: true, writes: 1},
		"writes nothing where green has less":  {setup: setWeights(95, 5), outcome: shift.Applied, note: "nothing to write", green: 5, marked: "version=5", writes: 0},
		"meets an edit made after it was read": {before: setWeights(60, 40), outcome: shift.Conflict, note: "green 40", green: 40, writes: 0},
		"is unknown when the request was lost": {script: map[string][]fault{"ModifyRule": {{lost: true}}}, outcome: shift.Unknown, green: 25, writes: 1},
	}
	for name, s := range stories {
		t.Run(name, func(t *testing.T) { s.play(t, 10, shift.Lowering) })
	}
}

func editLogin(f *fakeELB) {
	actions := slices.Clone(f.rules[ruleARN])
	actions[0].AuthenticateOidcConfig = new(*actions[0].AuthenticateOidcConfig)
	actions[0].AuthenticateOidcConfig.ClientId = aws.String("shop-2")
	f.rules[ruleARN] = actions
}

func TestRollbacks(t *testing.T) {
	t.Parallel()
	throttled := fault{err: apiError("Throttling")}
	stories := map[string]story{
		"goes through at once":                               {outcome: shift.Applied, green: 0, marked: "rollback=true", writes: 1},
		"reads for itself when nobody did":                   {unread: true, outcome: shift.Applied, green: 0, marked: "rollback=true", writes: 1},
		"takes a foreign edit with it":                       {before: setWeights(60, 40), outcome: shift.Applied, green: 0, writes: 1},
		"goes on when somebody raises green right after":     {script: map[string][]fault{"ModifyRule": {{after: setWeights(60, 40)}}}, outcome: shift.Applied, note: "somebody changed it", green: 0, writes: 2},
		"writes nothing when blue has all":                   {setup: setWeights(100, 0), outcome: shift.Applied, note: "nothing to write", green: 0, marked: "version=5", writes: 0},
		"never raises green to the limit of blue's capacity": {change: func(c *shift.Change) { c.Wanted = 30 }, outcome: shift.Applied, note: "nothing to write", green: 25, writes: 0},
		"is applied though the reply was lost":               {script: map[string][]fault{"ModifyRule": {{mute: true}}}, outcome: shift.Applied, note: "reads back as written", green: 0, marked: "rollback=true", writes: 1},
		"writes again when the request was lost":             {script: map[string][]fault{"ModifyRule": {{lost: true}}}, outcome: shift.Applied, green: 0, writes: 2},
		"writes again when it is throttled":                  {script: map[string][]fault{"ModifyRule": {throttled, throttled}}, outcome: shift.Applied, green: 0, writes: 3},
		"reads again when reading is throttled":              {unread: true, script: map[string][]fault{"DescribeRules": {throttled, throttled}}, outcome: shift.Applied, green: 0, writes: 1},
		"reads when what it remembers is refused":            {script: map[string][]fault{"ModifyRule": {{err: apiError("TargetGroupNotFound")}}}, outcome: shift.Applied, green: 0, writes: 2},
		"is refused when what it just read is":               {unread: true, script: map[string][]fault{"ModifyRule": {{err: apiError("ValidationError")}}}, outcome: shift.Refused, note: "ValidationError", green: 25, writes: 1},
		"goes on however often it is throttled":              {script: map[string][]fault{"ModifyRule": slices.Repeat([]fault{throttled}, 7)}, outcome: shift.Applied, green: 0, writes: 8},
		"doesn't know after four lost requests":              {script: map[string][]fault{"ModifyRule": {{lost: true}, {lost: true}, {lost: true}, {lost: true}}}, outcome: shift.Unknown, green: 25, writes: 4},
		"goes through without the mark":                      {script: map[string][]fault{"AddTags": {{err: apiError("AccessDenied")}}}, outcome: shift.Applied, note: "without the mark", green: 0, marked: "version=5", writes: 1},
		"doesn't mind a mark of a later daemon":              {change: func(c *shift.Change) { c.Control.Epoch = 1 }, outcome: shift.Applied, green: 0, marked: "epoch=1", writes: 1},
		"switches stickiness off after the weights":          {setup: sticky, outcome: shift.Applied, note: "stickiness was switched off", green: 0, writes: 2},
		"stands though stickiness can't be switched off":     {setup: func(f *fakeELB) { sticky(f); f.pinned = true }, outcome: shift.Applied, note: "for up to 1h0m0s", green: 0, sticky: true, writes: 2},
		"switches stickiness off though the reply was lost":  {setup: sticky, script: map[string][]fault{"ModifyRule": {{mute: true}}}, outcome: shift.Applied, note: "stickiness was switched off", green: 0, writes: 2},
		"is refused without the right":                       {script: map[string][]fault{"ModifyRule": {{err: apiError("AccessDenied")}}}, outcome: shift.Refused, note: "grant elasticloadbalancing:ModifyRule", green: 25, writes: 1},
		"leaves a third target group alone":                  {setup: thirdGroup, outcome: shift.Applied, note: "1 other target groups keep their weight, 7", green: 0, writes: 1},
		"goes back where other groups keep a rise":           {setup: func(f *fakeELB) { thirdGroup(f); setThird(f, 60, 20) }, outcome: shift.Applied, green: 0, writes: 1},
		"asks nobody for the health of targets":              {script: map[string][]fault{"DescribeTargetHealth": {throttled}}, outcome: shift.Applied, green: 0, writes: 1},
		"goes on where tags can't be read":                   {script: map[string][]fault{"DescribeTags": {throttled}}, outcome: shift.Applied, green: 0, writes: 1},
		"doesn't know when somebody raises green each time":  {script: map[string][]fault{"ModifyRule": slices.Repeat([]fault{{after: setWeights(60, 40)}}, 4)}, outcome: shift.Unknown, note: "somebody changed it", green: 40, writes: 4},
	}
	for name, s := range stories {
		t.Run(name, func(t *testing.T) { s.play(t, 0, shift.Rollback) })
	}
}

func thirdGroup(f *fakeELB) {
	f.rules[ruleARN] = []types.Action{oidc(), forwardTo(map[string]int32{blueTG: 75, greenTG: 25, "arn:third": 7}, false)}
}

func setThird(f *fakeELB, blue, green int32) {
	f.rules[ruleARN] = []types.Action{oidc(), forwardTo(map[string]int32{blueTG: blue, greenTG: green, "arn:third": 7}, false)}
}

func wish(expected shift.EntranceReading, to shift.Share, p shift.Priority) shift.Change {
	m := mark(2, 6, to)
	m.Rollback = p == shift.Rollback
	return shift.Change{Entrance: entrance(), Expected: expected, Wanted: to, Priority: p, Control: m}
}

func (s story) play(t *testing.T, to shift.Share, p shift.Priority) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := webAt(25)
		if s.setup != nil {
			s.setup(f)
		}
		a := newAdapter(f)
		var expected shift.EntranceReading
		if !s.unread {
			expected = readWeb(t, a)
		}
		c := wish(expected, to, p)
		if s.change != nil {
			s.change(&c)
		}
		if s.before != nil {
			s.before(f)
		}
		if s.script != nil {
			f.script = s.script
		}
		f.calls = nil
		started := time.Now()
		got := a.Commit(t.Context(), []shift.Change{c})[0]

		if got.Entrance != "web" || got.Outcome != s.outcome || !strings.Contains(got.Note, s.note) {
			t.Errorf("got %+v, want %s with a note on %q", got, s.outcome, s.note)
		}
		if got.Outcome == shift.Applied && (got.At.Before(started) || got.At.After(time.Now())) {
			t.Errorf("it was applied at %s", got.At)
		}
		if writes := f.count("ModifyRule"); writes != s.writes {
			t.Errorf("%d writes, want %d: %q", writes, s.writes, f.calls)
		}
		s.look(t, f)
		if took := time.Since(started); took > shift.WriteDeadline {
			t.Errorf("it took %s", took)
		}
	})
}

// look checks what stands at AWS at the end.
func (s story) look(t *testing.T, f *fakeELB) {
	t.Helper()
	r := action{arn: ruleARN, actions: f.rules[ruleARN]}
	if w, ok := r.weight(greenTG); !ok || w != int(s.green) {
		t.Errorf("green stands at %d, want %d", w, s.green)
	}
	if on := r.sticky() > 0; on != s.sticky {
		t.Errorf("stickiness is %t, want %t", on, s.sticky)
	}
	if len(r.actions) != 2 || r.actions[0].AuthenticateOidcConfig == nil || f.secrets[ruleARN] != "s3cret" {
		t.Errorf("the login is gone: %+v", r.actions)
	}
	if len(r.groups()) == 3 && *r.groups()[2].Weight != 7 {
		t.Errorf("the third group was touched: %d", *r.groups()[2].Weight)
	}
	if got := f.tags[ruleARN][MarkTag]; !strings.Contains(got, s.marked) {
		t.Errorf("the mark doesn't tell %q: %s", s.marked, got)
	}
	if f.tags[ruleARN]["team"] != "web" {
		t.Errorf("another tag is gone: %v", f.tags[ruleARN])
	}
}

func TestARollbackWithAReadingWritesWithItsFirstCall(t *testing.T) {
	t.Parallel()
	f := webAt(50)
	a := newAdapter(f)
	c := wish(readWeb(t, a), 0, shift.Rollback)
	f.calls = nil
	a.Commit(t.Context(), []shift.Change{c})
	if want := []string{"ModifyRule", "AddTags", "DescribeRules"}; !slices.Equal(f.calls, want) {
		t.Errorf("calls %q, want %q", f.calls, want)
	}
}

func TestARollbackReadsFirstWhenTheRuleIsNotWhatWasDecidedOn(t *testing.T) {
	t.Parallel()
	f := webAt(50)
	a := newAdapter(f)
	c := wish(readWeb(t, a), 0, shift.Rollback)
	editLogin(f)
	readWeb(t, a) // a later tick, which the decision doesn't know
	f.calls = nil
	a.Commit(t.Context(), []shift.Change{c})
	if f.calls[0] != "DescribeRules" {
		t.Errorf("calls %q", f.calls)
	}
}

func TestChangesAreAnsweredInTheOrderGiven(t *testing.T) {
	t.Parallel()
	f := webAt(50)
	other := entrance()
	other.Name, other.Balancer.RuleARN = "other", "arn:other"
	f.rules["arn:other"] = f.rules[ruleARN]
	a := newAdapter(f)
	readings := a.Read(t.Context(), []shift.Entrance{entrance(), other}, shift.Watching)
	rise, back := wish(readings[0], 75, shift.Rise), wish(readings[1], 0, shift.Rollback)
	back.Entrance = other
	foreignKind := shift.Change{Entrance: shift.Entrance{Name: "dns", Route53: &shift.Route53Entrance{}}}
	got := a.Commit(t.Context(), []shift.Change{rise, foreignKind, back})
	want := []shift.Outcome{shift.Applied, shift.Refused, shift.Applied}
	for i, r := range got {
		if r.Outcome != want[i] || r.Entrance != []string{"web", "dns", "other"}[i] {
			t.Errorf("%d: got %+v, want %s", i, r, want[i])
		}
	}
	if w, _ := (action{actions: f.rules["arn:other"]}).weight(greenTG); w != 0 {
		t.Errorf("the rollback left green at %d", w)
	}
}
