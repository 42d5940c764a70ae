package sim

import (
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// happen lets one thing happen to the world that no call has to do with.
func (w *world) happen() {
	k := Kind(w.rng.IntN(int(kinds)))
	for k < CutOut || k == ClockOff || k == ClockRate || k == OlderBinary || k == Conflicted || k == StaleCache {
		k = Kind(w.rng.IntN(int(kinds)))
	}
	w.plant(k)
}

// worstMoment lets something happen while a write is on its way, or soon after:
// what happens at any time seldom meets one. It tells whether the write is then on
// its way for long: a rise that people want back is the worst that can be.
func (w *world) worstMoment(r *replica, priority shift.Priority) (detained bool) {
	if !w.troubled() || w.rng.IntN(6) > 0 {
		return false
	}
	kinds := []Kind{FlagSet, FlagSet, Paused, CutOut, CutIn, LeaseDeleted, RecordEdited, Direct, ServeChanged, PausedByHand, ConfigChanged, UsersSuffer, TargetsGone, DoubleClick}
	if priority != shift.Rise {
		kinds = []Kind{FlagTaken, Paused, CutOut, CutIn, LeaseDeleted, MarkDeleted, ObjectDeleted, ObjectOlder, NewAttempt, DoubleClick}
	}
	k := kinds[w.rng.IntN(len(kinds))]
	soon := time.Duration(w.rng.Int64N(int64([]time.Duration{40 * time.Millisecond, 3 * time.Second, 20 * time.Second}[w.rng.IntN(3)])))
	w.in(soon, func() {
		switch {
		case !w.troubled():
		case k == Paused:
			w.count(Paused)
			r.pausedUntil = w.now + w.some()
			r.say("stands still until %s", stamp(r.pausedUntil))
		default:
			w.plant(k)
		}
	})
	return k == FlagSet && w.rng.IntN(2) == 0
}

// some is a time that a trouble lasts.
func (w *world) some() time.Duration {
	return time.Duration(w.rng.Int64N(int64([]time.Duration{10 * time.Second, 40 * time.Second, 120 * time.Second}[w.rng.IntN(3)])))
}

// plant plants one trouble.
func (w *world) plant(k Kind) {
	w.count(k)
	r := w.replicas[w.rng.IntN(len(w.replicas))]
	g := w.aws.groups[w.rng.IntN(len(w.aws.groups))]
	until := w.now + w.some()
	w.say("fault", "%s (%s, %s, until %s)", k, r.name, g.e.Name, stamp(until))
	switch {
	case k <= CutIn:
		to := service(w.rng.IntN(int(toMetrics) + 1))
		if k == CutOut {
			r.cutOut[to] = until
		} else {
			r.cutIn[to] = until
		}
	case k <= MarkDeleted:
		w.plantStored(k, g)
	case k <= UsersSuffer:
		w.plantMeasured(k, g, until)
	default:
		w.plantPeople(k)
	}
}

func (w *world) plantStored(k Kind, g *group) {
	s := w.api
	switch k {
	case ObjectDeleted:
		s.made, s.doc = false, nil
	case ObjectRestored:
		s.uid, s.doc = s.uid+1, nil
	case ObjectOlder:
		if n := len(s.old); n > 1 {
			s.doc = s.old[n-1-w.rng.IntN(min(n, 12))]
		}
	case JournalEdited:
		if s.doc != nil && s.doc.garbled == "" {
			edited := *s.doc
			edited.state.Version += int64(w.rng.IntN(3))
			edited.state.Step = max(0, edited.state.Step-1)
			edited.state.Epoch += int64(w.rng.IntN(3))
			s.doc = &edited
		}
	case JournalGarbled:
		s.doc = &document{garbled: "it is no JSON"}
		until := w.some()
		w.in(until, func() {
			if s.unreadable() {
				s.mend()
				w.judge.forget()
			}
		})
	case LeaseDeleted:
		s.lease = leaseObject{}
		return
	case RecordEdited:
		share := shift.Share(w.rng.IntN(101))
		if w.rng.IntN(3) == 0 {
			share = 0
		}
		g.hand(content{w: share.Weights(), mark: g.now.mark, marked: g.now.marked})
		return
	case RecordDeleted:
		g.gone = true
		w.in(w.some(), func() { g.gone = false })
		w.users.follow()
		return
	case MarkEdited:
		c := g.now
		c.mark.Version += int64(w.rng.IntN(5)) - 2
		c.marked = true
		c.mark.Phase = shift.Shifting
		g.hand(c)
		return
	case MarkDeleted:
		g.hand(content{w: g.now.w})
		w.judge.forget()
		return
	}
	s.changed()
	w.judge.forget()
}

func (w *world) plantMeasured(k Kind, g *group, until time.Duration) {
	u := w.users
	switch k {
	case MetricAway:
		u.away = until
	case MetricStale:
		u.stale = until
	case MetricAbsent:
		u.absent = until
	case MetricNonsense:
		u.nonsense = until
	case MetricSwapped:
		u.swapped = until
	case MetricWide:
		u.wide = until
	case MetricReset:
		u.points, u.reset = []point{{at: w.now}}, w.now+countEvery
	case ProbeFails:
		u.probeBad = append(u.probeBad, span{w.now, until})
	case ClusterUnread:
		if w.rng.IntN(2) == 0 {
			u.greenUnread, u.greenSince, u.greenWas = until, w.now, u.greenReady
		} else {
			u.blueUnread, u.blueSince, u.blueWas = until, w.now, u.blueReady
		}
	case GreenShrinks:
		u.greenReady = w.rng.IntN(wantedReady + 1)
		w.at(until, func() { u.greenReady = wantedReady })
	case BlueShrinks:
		u.blueReady = w.rng.IntN(wantedReady + 1)
		w.at(until, func() { u.blueReady = wantedReady })
	case TargetsGone:
		if w.rng.IntN(2) == 0 {
			g.greenTargets = w.rng.IntN(2)
		} else {
			g.blueTargets = w.rng.IntN(2)
		}
		w.at(until, func() { g.blueTargets, g.greenTargets = allTargets, allTargets; u.follow() })
	case UsersSuffer:
		u.green = []float64{0.02, 0.2, 1}[w.rng.IntN(3)]
		w.at(until, func() { u.suffer(0) })
	}
	u.follow()
}

func (w *world) plantPeople(k Kind) {
	p := w.people
	switch k {
	case FlagSet:
		p.flag()
	case FlagTaken:
		p.unflag()
	case ServeChanged:
		serve := map[shift.Side]shift.Side{shift.Blue: shift.Green, shift.Green: shift.Blue}[p.config.serve]
		p.reload(func(c *config) { c.serve = serve })
	case NewAttempt:
		next := max(w.api.state().Attempt, w.api.ask.attempt) + 1
		p.edit(func(s *spec) { s.attempt = next })
	case PausedByHand:
		p.edit(func(s *spec) { s.paused = !s.paused })
	case HandsOff:
		p.edit(func(s *spec) { s.handsOff = true })
		w.in(w.some(), func() { p.edit(func(s *spec) { s.handsOff = false }) })
	case DoubleClick: // set, taken away, and set again by an impatient person
		p.flag()
		w.in(time.Duration(w.rng.Int64N(int64(time.Second))), func() {
			if w.troubled() {
				p.unflag()
			}
		})
		w.in(time.Duration(w.rng.Int64N(int64(3*time.Second))), func() {
			if w.rng.IntN(2) == 0 && w.troubled() {
				p.flag()
			}
		})
	case Answered:
		p.answer([]shift.ResolveHow{shift.Adopt, shift.Restore}[w.rng.IntN(2)])
	case ConfigChanged:
		p.reload(func(c *config) { c.plan.Steps = w.drawSteps() })
	case Direct:
		w.direct()
	}
}

// direct is `rollback --direct`: it reads, and writes past the daemon.
func (w *world) direct() {
	for _, g := range w.aws.groups {
		if g.gone || g.now.w.Green == 0 {
			continue
		}
		m := g.now.mark
		m.Version++
		m.Attempt = max(1, m.Attempt)
		m.Phase, m.Share, m.Rollback = shift.RollingBack, 0, true
		g.hand(content{w: shift.Share(0).Weights(), mark: m, marked: true})
		g.foreign = false
	}
}
