package soak

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// told is what the judge is told of the world outside of AWS.
type told struct {
	late    map[string]bool   // writers whose requests were on their way for long
	holders map[string]string // who holds the lease instead
}

func (o told) held(writer string, _ time.Time) bool { return o.late[writer] }

func (o told) successor(writer string, _ time.Time) string { return o.holders[writer] }

// at is so many seconds after noon.
func at(seconds float64) time.Time {
	return time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC).Add(time.Duration(seconds * float64(time.Second)))
}

// deal is one write, or what the judge hears in between.
type deal struct {
	by       string
	sent, at float64
	entrance string
	green    int64
	of       int64 // the sum of weights; 0: 100
	mark     *mark
	gone     string // of the rest
	edited   string // of the rest
	phase    string
	epoch    int64
	asked    bool
}

func begun(o outside) *judge {
	j := newJudge([]int{10, 50, 100}, o)
	j.first = sight{
		weights: map[string]weights{www: {100, 0}, api: {100, 0}},
		marks:   map[string]mark{}, rest: map[string]string{"rule 10 of api": "to both", "target group api-green": "three"},
	}
	j.last = j.first
	return j
}

func (d deal) happen(j *judge) {
	switch {
	case d.asked:
		j.allow(at(d.at))
		return
	case d.phase != "":
		j.journaled(d.phase, d.epoch, at(d.at))
		return
	}
	now := sight{weights: maps.Clone(j.last.weights), marks: maps.Clone(j.last.marks), rest: maps.Clone(j.last.rest)}
	if d.entrance != "" {
		sum := d.of
		if sum == 0 {
			sum = 100
		}
		now.weights[d.entrance] = weights{sum - d.green, d.green}
	}
	if d.mark != nil {
		now.marks[d.entrance] = *d.mark
	}
	if d.edited != "" {
		now.rest[d.edited] = "something else"
	}
	delete(now.rest, d.gone)
	j.see(d.by, at(d.sent), at(d.at), now)
}

func TestWhatIsWrongAtAWSIsSeen(t *testing.T) {
	t.Parallel()
	m := func(epoch, version int64, rollback bool) *mark {
		return &mark{attempt: 1, epoch: epoch, version: version, rollback: rollback}
	}
	rise := deal{by: "one", sent: 1, at: 1, entrance: www, green: 10, mark: m(1, 1, false)}
	apiRise := deal{by: "one", sent: 2, at: 2, entrance: api, green: 10}
	back := deal{by: "one", sent: 9, at: 9, entrance: www, green: 0, mark: m(1, 2, true)}
	tests := map[string]struct {
		told     told
		deals    []deal
		wrong    []string
		boundary int
	}{
		"a whole shift is right": {deals: []deal{
			rise, apiRise,
			{by: "one", sent: 3, at: 3, entrance: www, green: 50, mark: m(1, 2, false)},
			{by: "one", sent: 4, at: 4, entrance: api, green: 50},
			{by: "two", sent: 5, at: 5, entrance: www, green: 100, mark: m(2, 3, false)},
			{by: "two", sent: 6, at: 6, entrance: api, green: 100, mark: m(2, 3, false)},
		}},
		"a rollback that somebody asked for is right": {deals: []deal{rise, {asked: true, at: 8}, back}},
		"all weights are zero": {
			deals: []deal{{by: "one", at: 1, entrance: www, of: -1, green: -1, mark: m(1, 1, false)}},
			wrong: []string{"S1, all weights are zero: www went from 0 % to -1 %, by one with mark {attempt:1 epoch:1 version:1 rollback:false}"},
		},
		"a target group is gone": {
			deals: []deal{{by: "one", at: 1, gone: "target group api-green"}},
			wrong: []string{"S1: the target group api-green disappeared"},
		},
		"something else of the rule is changed": {
			deals: []deal{{by: "one", at: 1, edited: "rule 10 of api"}},
			wrong: []string{"S11: the rule 10 of api was to both and is something else"},
		},
		"something is made": {
			deals: []deal{{by: "one", at: 1, edited: "rule 11 of api"}},
			wrong: []string{"S11: the rule 11 of api appeared"},
		},
		"a step is left out": {
			deals: []deal{{by: "one", at: 1, entrance: www, green: 50, mark: m(1, 1, false)}},
			wrong: []string{"S3, not one planned step: www went from 0 % to 50 %, by one with mark {attempt:1 epoch:1 version:1 rollback:false}"},
		},
		"weights that are no share": {
			deals: []deal{{by: "one", at: 1, entrance: www, green: 1, of: 10, mark: m(1, 1, false)}},
			wrong: []string{"S3, weights that nobody planned: www went from 0 % to 10 %, by one with mark {attempt:1 epoch:1 version:1 rollback:false}"},
		},
		"the same decision takes effect twice": {
			deals: []deal{rise, {by: "one", sent: 2, at: 2, entrance: www, green: 50, mark: m(1, 1, false)}},
			wrong: []string{"S4, the same decision took effect twice, or without its mark: www went from 10 % to 50 %, by one with mark {attempt:1 epoch:1 version:1 rollback:false}"},
		},
		"a rise after the rollback was written down": {
			deals: []deal{rise, {asked: true, at: 8}, back, {phase: "RollingBack", epoch: 1, at: 9.5}, {by: "one", sent: 20, at: 20, entrance: www, green: 10, mark: m(1, 3, false)}},
			wrong: []string{"S5, after the rollback was written down: www went from 0 % to 10 %, by one with mark {attempt:1 epoch:1 version:3 rollback:false}"},
		},
		"a rise of the load balancer that was on its way when the rollback was written down is counted apart": {
			deals:    []deal{rise, {asked: true, at: 8}, back, {by: "one", sent: 8.5, at: 12, entrance: api, green: 10}},
			boundary: 1,
		},
		"a rise of the load balancer long after is not": {
			deals: []deal{rise, {asked: true, at: 8}, back, {by: "one", sent: 30, at: 30, entrance: api, green: 10}},
			wrong: []string{"S5, after the rollback was written down: api went from 0 % to 10 %, by one with mark {attempt:0 epoch:0 version:0 rollback:false}"},
		},
		"something moves after the end": {
			deals: []deal{rise, {phase: "Completed", epoch: 1, at: 5}, {by: "one", sent: 6, at: 6, entrance: www, green: 50, mark: m(1, 2, false)}},
			wrong: []string{"S6, the attempt was Completed: www went from 10 % to 50 %, by one with mark {attempt:1 epoch:1 version:2 rollback:false}"},
		},
		"an older daemon's mark replaces the newer one's": {
			deals: []deal{
				{by: "two", at: 1, entrance: www, green: 10, mark: m(2, 1, false)},
				{by: "one", sent: 2, at: 2, entrance: www, green: 50, mark: m(1, 9, false)},
			},
			wrong: []string{"S7: the mark of www went back from {attempt:1 epoch:2 version:1 rollback:false} to {attempt:1 epoch:1 version:9 rollback:false}, by one"},
		},
		"an older daemon raises after a newer one wrote its epoch down": {
			deals: []deal{{phase: "Shifting", epoch: 2, at: 0.5}, rise},
			wrong: []string{"S7, epoch 2 is in charge: www went from 0 % to 10 %, by one with mark {attempt:1 epoch:1 version:1 rollback:false}"},
		},
		"it sent that before, and the line held it": {
			told:  told{late: map[string]bool{"one": true}},
			deals: []deal{{phase: "Shifting", epoch: 2, at: 0.5}, rise},
		},
		"who raises has lost the lease": {
			told:  told{holders: map[string]string{"one": "two"}},
			deals: []deal{rise},
			wrong: []string{"S8, two holds the lease: www went from 0 % to 10 %, by one with mark {attempt:1 epoch:1 version:1 rollback:false}"},
		},
		"who lowers a load balancer has lost the lease": {
			told:  told{holders: map[string]string{"two": "one"}},
			deals: []deal{rise, apiRise, {asked: true, at: 20}, {by: "two", sent: 21, at: 21, entrance: api, green: 0}},
			wrong: []string{"S8, one holds the lease: api went from 10 % to 0 %, by two with mark {attempt:0 epoch:0 version:0 rollback:false}"},
		},
		"a person lowers a load balancer without a lease": {
			told:  told{holders: map[string]string{person: "one"}},
			deals: []deal{rise, apiRise, {asked: true, at: 20}, {by: person, sent: 21, at: 21, entrance: api, green: 0}},
		},
		"who lowers records may have lost the lease": {
			told:  told{holders: map[string]string{"two": "one"}},
			deals: []deal{rise, {asked: true, at: 20}, {by: "two", sent: 21, at: 21, entrance: www, green: 0, mark: m(1, 2, true)}},
		},
		"green is lowered and nobody asked": {
			deals: []deal{rise, {by: "one", sent: 2, at: 2, entrance: www, green: 0, mark: m(1, 2, false)}},
			wrong: []string{"S15, nobody asked for it: www went from 10 % to 0 %, by one with mark {attempt:1 epoch:1 version:2 rollback:false}"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := begun(test.told)
			for _, d := range test.deals {
				d.happen(j)
			}
			if diff := cmp.Diff(test.wrong, j.violations); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
			if j.boundary != test.boundary {
				t.Errorf("%d counted apart, want %d", j.boundary, test.boundary)
			}
		})
	}
}

func TestAMarkIsReadAsItIsWritten(t *testing.T) {
	t.Parallel()
	got, err := readMark(`"clusterswitch/v1 attempt=2 epoch=7 version=31 phase=RollingBack share=0 rollback=true"`)
	if err != nil {
		t.Fatal(err)
	}
	if want := (mark{attempt: 2, epoch: 7, version: 31, rollback: true}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if _, err := readMark("clusterswitch/v1 attempt=2"); err == nil {
		t.Error("half a mark was read")
	}
}
