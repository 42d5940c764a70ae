package shift

import (
	"testing"
	"time"
)

// journaled is what was found of a journal at 50 %, changed a little.
func journaled(change func(s *State)) Found {
	w := newWorld()
	s := State{
		Schema: Schema, Attempt: 2, Epoch: 3, Version: 10, Phase: Shifting, Steps: w.plan.Steps, Step: 2, Share: 50,
		Entrances: freeze(w.plan.Entrances, 50), Baseline: Baseline{Ready: 10},
	}
	if change != nil {
		change(&s)
	}
	return Found{State: s, Present: true}
}

func marked(attempt int, version int64, phase Phase, share Share, rollback bool) *Mark {
	return &Mark{Attempt: attempt, Epoch: 3, Version: version, Phase: phase, Share: share, Rollback: rollback}
}

// TestRecover joins a journal at 50 % (attempt 2, epoch 3, version 10) with what
// the entrances show.
func TestRecover(t *testing.T) {
	type want struct {
		phase     Phase
		attempt   int
		share     Share
		question  Reason // empty: none
		rollback  bool
		automatic bool
		notFinal  bool
	}
	for name, test := range map[string]struct {
		found  Found
		mark   *Mark
		shows  Share
		unread bool
		want   want
	}{
		"the journal and its own mark agree":     {found: journaled(nil), mark: marked(2, 10, Shifting, 50, false), shows: 50, want: want{phase: Shifting, attempt: 2, share: 50}},
		"the journal is ahead of its mark":       {found: journaled(nil), mark: marked(2, 9, Shifting, 25, false), shows: 25, want: want{phase: Shifting, attempt: 2, share: 50}},
		"there is no mark":                       {found: journaled(nil), shows: 50, want: want{phase: Shifting, attempt: 2, share: 50}},
		"the journal is a step behind":           {found: journaled(nil), mark: marked(2, 12, Shifting, 100, false), shows: 100, want: want{phase: Shifting, attempt: 2, share: 100}},
		"the mark's share is not of the plan":    {found: journaled(nil), mark: marked(2, 12, Shifting, 33, false), shows: 33, want: want{phase: Shifting, attempt: 2, share: 50, question: JournalsDisagree}},
		"the mark is of a later attempt":         {found: journaled(nil), mark: marked(3, 12, Shifting, 25, false), shows: 25, want: want{phase: Shifting, attempt: 2, share: 50, question: JournalsDisagree}},
		"the mark tells of a rollback":           {found: journaled(nil), mark: marked(2, 11, RollingBack, 0, true), shows: 0, want: want{phase: RollingBack, attempt: 2, share: 50, rollback: true}},
		"even an older mark does":                {found: journaled(nil), mark: marked(2, 9, RollingBack, 0, true), shows: 50, want: want{phase: RollingBack, attempt: 2, share: 50, rollback: true}},
		"a limited rollback stays one":           {found: journaled(nil), mark: marked(2, 11, RollingBack, 30, true), shows: 30, want: want{phase: RollingBack, attempt: 2, share: 50, rollback: true, automatic: true}},
		"a rollback of a former attempt is past": {found: journaled(nil), mark: marked(1, 5, RollingBack, 0, true), shows: 50, want: want{phase: Shifting, attempt: 2, share: 50}},
		"a rollback came after completion": {
			found: journaled(func(s *State) { s.Phase, s.Share, s.Step = Completed, 100, 3 }), mark: marked(3, 12, RollingBack, 0, true), shows: 0,
			want: want{phase: RollingBack, attempt: 3, share: 100, rollback: true},
		},
		"the attempt ended, whatever a mark says": {
			found: journaled(func(s *State) { s.Phase, s.Share, s.Rollback = RolledBack, 0, &RollbackRecord{By: "x"} }), mark: marked(2, 12, Shifting, 25, false), shows: 0,
			want: want{phase: RolledBack, attempt: 2, share: 0, rollback: true},
		},
		"nothing was ever":                             {shows: 0, want: want{phase: Idle}},
		"no journal, and green has traffic":            {shows: 10, want: want{phase: Idle, question: JournalMissing}},
		"no journal, and a mark is there":              {mark: marked(2, 10, Shifting, 0, false), shows: 0, want: want{phase: Idle, attempt: 2, question: JournalMissing}},
		"no journal, and the mark tells of a rollback": {mark: marked(2, 10, RollingBack, 0, true), shows: 20, want: want{phase: Idle, attempt: 2, question: JournalMissing, rollback: true}},
		"no journal, and AWS can't be read":            {unread: true, want: want{phase: Idle, question: EntranceUnknown, notFinal: true}},
		"the journal can't be read":                    {found: Found{Unreadable: "forbidden"}, mark: marked(2, 10, Shifting, 50, false), shows: 50, want: want{phase: Idle, attempt: 2, question: JournalUnreadable, notFinal: true}},
		"a newer binary wrote the journal":             {found: journaled(func(s *State) { s.Schema = Schema + 1 }), shows: 50, want: want{phase: Idle, question: JournalUnreadable, notFinal: true}},
		"the journal's phase doesn't exist":            {found: journaled(func(s *State) { s.Phase = "Dancing" }), shows: 50, want: want{phase: Idle, question: JournalUnreadable, notFinal: true}},
		"the journal's step is beyond the plan":        {found: journaled(func(s *State) { s.Step = 4 }), shows: 50, want: want{phase: Idle, question: JournalUnreadable, notFinal: true}},
		"the journal shifts nothing":                   {found: journaled(func(s *State) { s.Entrances = nil }), shows: 50, want: want{phase: Idle, question: JournalUnreadable, notFinal: true}},
		"the journal goes back without saying why":     {found: journaled(func(s *State) { s.Phase = RollingBack }), shows: 50, want: want{phase: Idle, question: JournalUnreadable, notFinal: true}},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
			r := EntranceReading{Name: "dns", At: now, Weights: test.shows.Weights(), Mark: test.mark}
			if test.unread {
				r = EntranceReading{Name: "dns", Err: "AccessDenied"}
			}
			s, final := Recover(test.found, Observation{Entrances: []EntranceReading{r}}, now)
			got := want{phase: s.Phase, attempt: s.Attempt, share: s.Share, rollback: s.Rollback != nil, automatic: s.Rollback != nil && s.Rollback.Automatic, notFinal: !final}
			if s.Question != nil {
				got.question = s.Question.Reason
			}
			if got != test.want {
				t.Errorf("\n got %+v\nwant %+v", got, test.want)
			}
			if test.mark != nil && s.Epoch <= test.mark.Epoch {
				t.Errorf("S7: epoch %d doesn't outrank the mark's %d", s.Epoch, test.mark.Epoch)
			}
			if test.found.Present && final && s.Version < test.found.State.Version {
				t.Errorf("version %d falls behind the journal's %d", s.Version, test.found.State.Version)
			}
		})
	}
}

// A daemon that went back while the journal was away says afterwards who asked
// for it, although the mark that it wrote tells of the rollback too.
func TestRecoverKeepsWhoAskedForTheRollback(t *testing.T) {
	now := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	found := journaled(nil)
	memory := found.State.clone()
	memory.Phase, memory.Share, memory.Version = RollingBack, 0, 11
	memory.Rollback = &RollbackRecord{By: "the configuration", Why: "the rollback flag is set in the configuration", At: now}
	found.Memory = &memory
	mark := memory.Mark()
	r := EntranceReading{Name: "dns", At: now, Weights: Share(0).Weights(), Mark: &mark}
	s, final := Recover(found, Observation{Entrances: []EntranceReading{r}}, now)
	if !final || s.Phase != RollingBack || s.Question != nil || s.Rollback == nil || s.Rollback.By != "the configuration" || s.Version < 11 {
		t.Errorf("got %+v, final %t", s, final)
	}
}

// Who rolls back past the daemon counts on from the last mark, while the
// daemon's own count went on: here by a question. Where the entrance then stands
// as intended, the mark alone tells.
func TestAMarkOfARollbackIsObeyedWhateverItsVersion(t *testing.T) {
	for version := range int64(12) {
		w := newWorld()
		s := journaled(func(s *State) {
			s.Share, s.Step, s.Entrances = 0, 0, freeze(w.plan.Entrances, 0)
			s.Question = &Question{ID: "2-1", Reason: Drift, Entrance: "dns", Message: "somebody set it to 30 %"}
		}).State
		o := w.observe(s)
		o.Request = Request{Serve: Green, Attempt: 2}
		o.Entrances[0].Mark = marked(2, version, RollingBack, 0, true)
		if d := Decide(w.plan, s, o, w.now); d.Next.Phase != RollingBack && d.Next.Phase != RolledBack {
			t.Errorf("with a mark of version %d it is in phase %s: %s", version, d.Next.Phase, d.Message)
		}
	}
}
