package shift

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const singletonsGate = "singletons"

// batonMatter is what is to be said of one singleton. Pass: it is where it shall
// be, or there is nothing to hand over.
type batonMatter struct {
	Judgement
	reason Reason
	text   string
}

func matter(j Judgement, reason Reason, format string, args ...any) batonMatter {
	return batonMatter{j, reason, fmt.Sprintf(format, args...)}
}

// singletonsHanded lets no rise go on between the step after which singletons
// are handed over and the end of that, and none while one is on in both clusters.
func singletonsHanded(t *turn, _ Share) []Verdict {
	due := t.batonWant() == Green
	switch {
	case t.p.Singletons.At <= 0 && len(t.next.Baton) == 0:
		return nil
	case due && len(t.o.Singletons) == 0:
		return one(singletonsGate, Unmeasured, "they were not read yet")
	case t.tooManySingletons():
		return one(singletonsGate, Fail, "more than %d run: that many can be handed over", batonMost)
	}
	w, more := t.worstMatter()
	switch {
	case w.Judgement != Pass:
		return one(singletonsGate, w.Judgement, "%s%s", w.text, more)
	case due:
		return one(singletonsGate, Pass, "%d run in green", len(t.next.Baton))
	}
	return one(singletonsGate, Pass, "they are handed over at %s", t.p.Singletons.At)
}

// batonReason is the reason of a gate that doesn't pass.
func (t *turn) batonReason() Reason {
	w, _ := t.worstMatter()
	switch {
	case t.tooManySingletons():
		return SingletonsStuck
	case w.Judgement == Pass: // they were not read
		return SingletonsUnknown
	}
	return w.reason
}

// worstMatter finds what is to be said first, and how many more there are.
func (t *turn) worstMatter() (w batonMatter, more string) {
	all := map[Judgement][]batonMatter{}
	for _, key := range t.singletonKeys() {
		m := t.matterOf(key)
		all[m.Judgement] = append(all[m.Judgement], m)
	}
	for _, j := range []Judgement{Fail, Unmeasured, Wait} {
		if n := len(all[j]); n > 1 {
			return all[j][0], fmt.Sprintf(" (and %d more)", n-1)
		} else if n == 1 {
			return all[j][0], ""
		}
	}
	return batonMatter{Judgement: Pass}, ""
}

func (t *turn) matterOf(key string) batonMatter {
	r := t.singleton(key)
	i := slices.IndexFunc(t.next.Baton, func(e BatonState) bool { return e.Key == key })
	if i < 0 {
		return t.untouched(r)
	}
	e := t.next.Baton[i]
	blue, known := t.single(r, Blue)
	green, alsoKnown := t.single(r, Green)
	if known && alsoKnown && blue.On && green.On && blue.At.After(e.Since) && green.At.After(e.Since) {
		return matter(Fail, SingletonTwice, "%s is on in both clusters%s", key, changedBy(r))
	}
	switch e.Stage {
	case BatonHeld:
		return t.heldMatter(e, r)
	case BatonGiving:
		return t.givingMatter(e, r)
	case BatonTaking:
		return t.takingMatter(e, r)
	case BatonBack:
	}
	return matter(Wait, SingletonsDraining, "%s is being given back as it was before attempt %d", key, t.next.Attempt)
}

// untouched judges a singleton that this pair has not handed over.
func (t *turn) untouched(r SingletonReading) batonMatter {
	blue, known := t.single(r, Blue)
	green, alsoKnown := t.single(r, Green)
	due := t.batonWant() == Green && t.next.Phase != Completed
	switch {
	case t.p.Singletons.At <= 0:
	case known && alsoKnown && blue.On && green.On:
		return matter(Fail, SingletonTwice, "%s is on in both clusters, so it is not handed over", r.Key)
	case !due:
	case !known:
		return matter(Unmeasured, SingletonsUnknown, "%s: blue can't be read: %s", r.Key, t.singleUnreadable(r, Blue))
	case !blue.On: // there is nothing to hand over
	case !alsoKnown:
		return matter(Unmeasured, SingletonsUnknown, "%s: green can't be read: %s", r.Key, t.singleUnreadable(r, Green))
	case green.Absent:
		return matter(Fail, SingletonsStuck, "%s runs in blue and isn't in green", r.Key)
	case green.Running > 0:
		return matter(Wait, SingletonsDraining, "%s is on in blue, and %s still in green", r.Key, running(r.Key, green.Running))
	default:
		return matter(Wait, SingletonsDraining, "%s is to be handed to green", r.Key)
	}
	return batonMatter{Judgement: Pass}
}

func (t *turn) heldMatter(e BatonState, r SingletonReading) batonMatter {
	own, known := t.single(r, e.Side)
	known = known && !own.At.Before(e.Since)
	switch to := t.heading(e); {
	case e.Settled && t.next.Phase == Completed && e.Side == Green:
	case e.Failed != "" && to == Green:
		return matter(Fail, SingletonsStuck, "%s went back to blue: %s%s", e.Key, e.Failed, t.triedAgain(e))
	case to != e.Side:
		return t.untouched(r)
	case known && own.Absent:
		return matter(Fail, SingletonsStuck, "%s isn't in %s any more, where it shall run", e.Key, e.Side)
	case known && !own.On:
		return matter(Fail, SingletonsStuck, "%s is off in both clusters: it was switched off in %s%s", e.Key, e.Side, changedBy(r))
	case !known && t.next.Active() && e.Side == Green:
		return matter(Unmeasured, SingletonsUnknown, "%s: whether it is on in green is not known: %s", e.Key, t.singleUnreadable(r, Green))
	}
	return batonMatter{Judgement: Pass}
}

func (t *turn) triedAgain(e BatonState) string {
	switch {
	case t.next.Phase == Completed:
		return "; the shift is over, so it stays there"
	case strings.HasPrefix(e.Key, "CronJob "):
		return "; it is tried again when nothing of it runs"
	}
	return "; it is tried again after a while"
}

func (t *turn) givingMatter(e BatonState, r SingletonReading) batonMatter {
	own, known := t.single(r, e.Side)
	heard := known && own.At.After(e.Since)
	to := t.heading(e)
	late := to == Blue && !e.Since.Add(max(t.p.Singletons.Drain, batonBegins)).After(t.now)
	switch {
	case to == e.Side:
		return matter(Wait, SingletonsDraining, "%s goes back to %s", e.Key, to)
	case !known && to == Blue:
		return t.greenUnseen(e, r)
	case !known:
		return matter(Unmeasured, SingletonsUnknown, "%s is to be off in blue, which can't be read: %s", e.Key, t.singleUnreadable(r, Blue))
	case late && heard && own.On:
		return matter(Fail, SingletonsStuck, "%s can't be switched off in green%s; until then it isn't switched on in blue", e.Key, changedBy(r))
	case late && own.Running > 0:
		return matter(Fail, SingletonsStuck, "%s is off in both clusters since %s: %s in green did not end within %s; end it, or %s", e.Key, clock(e.OffSince), running(e.Key, own.Running), t.p.Singletons.Drain, t.vouchHint())
	case heard && !own.On && own.Running > 0:
		return matter(Wait, SingletonsDraining, "%s goes to %s when what runs in %s is over: %s, since %s", e.Key, to, e.Side, running(e.Key, own.Running), clock(e.Since))
	}
	return matter(Wait, SingletonsDraining, "%s is being switched off in %s", e.Key, e.Side)
}

// greenUnseen says that blue can't have back what green may still run.
func (t *turn) greenUnseen(e BatonState, r SingletonReading) batonMatter {
	if r.Green.At.IsZero() && r.Green.Err == "" { // the daemon just began
		return matter(Unmeasured, SingletonsUnknown, "%s is off in both clusters since %s; green was not read yet", e.Key, clock(e.OffSince))
	}
	return matter(Fail, SingletonsStuck, "%s stays off in blue since %s: green can't be read (%s), so it may still run there; %s", e.Key, clock(e.OffSince), t.singleUnreadable(r, Green), t.vouchHint())
}

func (t *turn) takingMatter(e BatonState, r SingletonReading) batonMatter {
	if e.Since.Add(batonBegins).After(t.now) {
		return matter(Wait, SingletonsDraining, "%s is being switched on in %s", e.Key, e.Side)
	}
	own, known := t.single(r, e.Side)
	why := "it is still off there"
	switch {
	case !known:
		why = t.singleUnreadable(r, e.Side)
	case own.Absent:
		why = "it isn't there"
	}
	return matter(Fail, SingletonsStuck, "%s is off in both clusters since %s: it shall be on in %s, but %s%s", e.Key, clock(e.OffSince), e.Side, why, changedBy(r))
}

func (t *turn) vouchHint() string {
	return fmt.Sprintf("if nothing of it runs there, say so: clusterswitch singletons %s --take blue", t.p.Pair)
}

// changedBy names who changed a singleton against this pair, and why this pair
// can't, as the end of a sentence.
func changedBy(r SingletonReading) string {
	var by []string
	for _, s := range []Side{Blue, Green} {
		if who := r.of(s).ChangedBy; who != "" {
			by = append(by, fmt.Sprintf("%s changed it in %s", who, s))
		}
		if why := r.of(s).Refused; why != "" {
			by = append(by, fmt.Sprintf("it can't be written in %s: %s", s, why))
		}
	}
	if len(by) == 0 {
		return ""
	}
	return " (" + strings.Join(by, ", ") + ")"
}

func running(key string, n int) string {
	what := "pod"
	if strings.HasPrefix(key, "CronJob ") {
		what = "job"
	}
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func clock(at time.Time) string { return at.UTC().Format(time.TimeOnly) }

// sayBaton adds to a decision what there is to say of the singletons. It moves
// nothing; the reason of the traffic stays wherever that is on its way.
func (t *turn) sayBaton(d Decision, s State) Decision {
	before := s.Baton
	w, more := t.worstMatter()
	calm := d.Reason.Severity() == Normal && len(d.Changes) == 0 && s.Phase == t.next.Phase
	handed := handedNow(before, t.next.Baton)
	if stagesMoved(before, t.next.Baton) {
		d = d.wakeAt(t.now.Add(time.Second), t.now)
	}
	switch {
	case handed != "" && calm && w.Judgement != Fail:
		if d.Reason == SingletonsDraining { // the gate spoke of what was before
			d.Message = w.text + more
		}
		d.Reason, d.Message = SingletonsHandedOver, strings.TrimSuffix(handed+"; "+d.Message, "; ")
	case slices.Contains([]Reason{SingletonsDraining, SingletonsUnknown, SingletonsStuck, SingletonTwice}, d.Reason): // the gate says it
	case strings.Contains(d.Message, w.text) && w.Judgement != Pass:
	case w.Judgement == Fail:
		d.Message += "; " + w.text + more
		if calm {
			d.Reason = w.reason
		}
	case handed != "":
		d.Message += "; " + handed
	case w.Judgement != Pass && len(t.next.Baton) > 0:
		d.Message += "; " + w.text + more
	}
	return d
}

// stagesMoved tells whether any began, or is at another stage.
func stagesMoved(before, after []BatonState) bool {
	return slices.ContainsFunc(after, func(e BatonState) bool {
		i := slices.IndexFunc(before, func(b BatonState) bool { return b.Key == e.Key })
		return i < 0 || before[i].Stage != e.Stage
	})
}

// handedNow names those that were just seen on at the end of their way.
func handedNow(before, after []BatonState) string {
	var keys []string
	var side Side
	for _, e := range after {
		i := slices.IndexFunc(before, func(b BatonState) bool { return b.Key == e.Key })
		if i >= 0 && before[i].Stage == BatonTaking && e.Stage == BatonHeld {
			keys, side = append(keys, e.Key), e.Side
		}
	}
	switch len(keys) {
	case 0:
		return ""
	case 1:
		return keys[0] + " runs in " + string(side) + " now"
	}
	return fmt.Sprintf("%s and %d more run in %s now", keys[0], len(keys)-1, side)
}
