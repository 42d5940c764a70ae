package sim

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// TestTheJudgeCanFail plants what no daemon may do, and sees that it is named.
func TestTheJudgeCanFail(t *testing.T) {
	t.Parallel()
	steps := []shift.Step{{Share: 25}, {Share: 100}}
	tests := map[string]struct {
		spoil func(j *judge, x *write, before *content)
		want  []string
	}{
		"a rise that was granted and written down": {spoil: func(*judge, *write, *content) {}},
		"weights that are all zero":                {spoil: func(_ *judge, x *write, _ *content) { x.wanted.w = shift.Weights{} }, want: []string{"S1"}},
		"a step over a step": {
			spoil: func(j *judge, x *write, _ *content) {
				x.change.Wanted, x.wanted.w = 100, shift.Full.Weights()
				j.intents[intent{order{1, 2}, 100}] = true
			},
			want: []string{"S3"},
		},
		"a share that isn't planned": {
			spoil: func(j *judge, x *write, _ *content) {
				x.change.Wanted, x.wanted.w = 30, shift.Share(30).Weights()
				j.intents[intent{order{1, 2}, 30}] = true
			},
			want: []string{"S3"},
		},
		"a rise that was not written down":       {spoil: func(j *judge, _ *write, _ *content) { clear(j.intents) }, want: []string{"journal"}},
		"a rise that takes effect again":         {spoil: func(j *judge, _ *write, _ *content) { j.done[effect{0, order{1, 2}}] = 1 }, want: []string{"S4"}},
		"a rise over the mark of a rollback":     {spoil: func(_ *judge, _ *write, b *content) { b.marked, b.mark = true, shift.Mark{Attempt: 1, Rollback: true} }, want: []string{"S5"}},
		"a rise after the way back is over":      {spoil: func(j *judge, _ *write, _ *content) { j.attempt(1).rolledBack, j.attempt(1).over = true, true }, want: []string{"S5"}},
		"a rise after the attempt was complete":  {spoil: func(j *judge, _ *write, _ *content) { j.attempt(1).over = true }, want: []string{"S6"}},
		"a rise over the mark of a newer daemon": {spoil: func(_ *judge, _ *write, b *content) { b.marked, b.mark = true, shift.Mark{Attempt: 1, Epoch: 7} }, want: []string{"S7"}},
		"a rise over somebody's edit":            {spoil: func(_ *judge, x *write, _ *content) { x.g.foreign = true }, want: []string{"S12"}},
		"a rise by a step that lacked samples":   {spoil: func(j *judge, _ *write, _ *content) { j.granted[order{1, 2}] = "by old samples" }, want: []string{"S2"}},
		"a rise while green is small":            {spoil: func(_ *judge, x *write, _ *content) { x.evidence.greenReady = 3 }, want: []string{"S2"}},
		"a rise while a cluster is unknown":      {spoil: func(_ *judge, x *write, _ *content) { x.evidence.blueReady = -1 }, want: []string{"S9"}},
		"a rise while an entrance is unknown":    {spoil: func(_ *judge, x *write, _ *content) { x.evidence.read[0] = false }, want: []string{"S9"}},
		"a write back that raises": {
			spoil: func(_ *judge, x *write, _ *content) { x.change.Priority = shift.Rollback }, want: []string{"S5"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(Options{Calm: true, Seed: 2, Trace: true})
			j := w.judge
			j.attempt(1).steps = steps
			j.intents[intent{order{1, 2}, 25}] = true
			rec := record{read: [2]bool{true, true}, greenReady: 10, blueReady: 10, greenTargets: [2]int{3, 3}}
			x := &write{
				g: w.aws.groups[0], r: w.replicas[0], wanted: content{w: shift.Share(25).Weights()}, evidence: &rec,
				change: shift.Change{Wanted: 25, Priority: shift.Rise, Control: shift.Mark{Attempt: 1, Version: 2}},
			}
			before := content{w: shift.Share(0).Weights()}
			test.spoil(j, x, &before)
			j.landed(x, before)
			var got []string
			for _, v := range w.result.Violations {
				got = append(got, v.Rule)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
		})
	}
}
