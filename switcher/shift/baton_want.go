package shift

import (
	"slices"
	"strings"
	"time"
)

const (
	// batonBegins is how long a side may take to do what it was told: after that
	// green is told to stop again, and of blue it is said.
	batonBegins = 2 * time.Minute
	// batonRetry is the least time before a hand-over that failed is tried again,
	// unless what stood in its way is known to be gone. It doubles with each try.
	batonRetry = 5 * time.Minute
	// batonMost is how many singletons fit into a journal of 32 KiB beside the rest.
	batonMost = 40
	// batonGaps is how many former gaps are remembered.
	batonGaps = 20
)

func (s Side) other() Side {
	if s == Blue {
		return Green
	}
	return Blue
}

// of gives the side's part of a reading.
func (r SingletonReading) of(s Side) SingletonSide {
	if s == Blue {
		return r.Blue
	}
	return r.Green
}

// singleton gives what was read of one; it is empty, and so unknown, where
// nothing was.
func (t *turn) singleton(key string) SingletonReading {
	for _, r := range t.o.Singletons {
		if r.Key == key {
			return r
		}
	}
	return SingletonReading{Key: key}
}

// single gives one side of a singleton; false is unknown.
func (t *turn) single(r SingletonReading, s Side) (SingletonSide, bool) {
	side := r.of(s)
	return side, side.Err == "" && t.fresh(side.At, t.p.StaleAfter)
}

// singleUnreadable says why a side is unknown.
func (t *turn) singleUnreadable(r SingletonReading, s Side) string {
	switch side, known := t.single(r, s); {
	case side.Err != "":
		return side.Err
	case side.At.IsZero():
		return "it was not read yet"
	case known:
		return "it was not read since it was written"
	}
	return "it was not read within " + t.p.StaleAfter.String()
}

// batonDue tells whether the step after which singletons are handed over was
// reached. It stays so while a later step is on its way.
func (t *turn) batonDue() bool {
	n, at := &t.next, t.p.Singletons.At
	if at <= 0 {
		return false
	}
	later := n.Step >= 2 && n.Step <= len(n.Steps) && n.Steps[n.Step-2].Share >= at
	return later || n.Share >= at && !n.ReachedAt.IsZero()
}

// batonWant is the side that shall have the singletons; empty: it is open, so
// that each stays where it is, or goes on to where it is going.
func (t *turn) batonWant() Side {
	at := t.p.Singletons.At
	switch t.next.Phase {
	case RollingBack, RolledBack:
		return Blue
	case Returning:
		if t.next.Share < at {
			return Blue
		}
	case Shifting:
		if t.batonDue() {
			return Green
		}
	case OnStandby, Completed:
		if at > 0 {
			return Green
		}
	case Idle, InPreflight:
	}
	return ""
}

// heading is where one singleton is going.
func (t *turn) heading(e BatonState) Side {
	way := map[BatonStage]Side{BatonHeld: e.Side, BatonGiving: e.Side.other(), BatonTaking: e.Side, BatonBack: Blue}[e.Stage]
	underWay := e.Stage == BatonGiving || e.Stage == BatonTaking
	switch want := t.batonWant(); {
	case e.Stage == BatonBack, underWay && e.Failed != "":
		return Blue // first of all it comes home
	case want != "":
		return want
	case underWay && t.next.Phase == Returning:
		return Blue
	}
	return way
}

// mayHandOver tells whether a hand-over to green may begin. People who hold
// rises back hold this back too; what began is finished.
func (t *turn) mayHandOver() bool {
	ask := t.o.Request
	rising := t.next.Phase == Shifting || t.next.Phase == OnStandby
	return rising && t.p.Singletons.At > 0 && t.next.Question == nil && !t.tooManySingletons() &&
		!ask.Paused && ask.Unknown == "" && ask.Serve == Green
}

// handable tells whether what was read of both sides lets green have it: it runs
// in blue, and nothing of it in green.
func (t *turn) handable(r SingletonReading) bool {
	blue, known := t.single(r, Blue)
	green, alsoKnown := t.single(r, Green)
	return known && alsoKnown && blue.On && !green.On && !green.Absent && green.Running == 0
}

// triedEnough tells whether a hand-over that failed may be tried again: when
// nothing runs any more of what did not end in time, or after a while.
func (t *turn) triedEnough(e BatonState, r SingletonReading) bool {
	if e.Failed == "" {
		return true
	}
	wait := max(t.p.Singletons.Drain, batonRetry) << min(max(e.Tries-1, 0), 3)
	waited := !e.Since.Add(wait).After(t.now)
	blue, known := t.single(r, Blue)
	idle := strings.HasPrefix(e.Key, "CronJob ") && known && blue.At.After(e.Since) && blue.Running == 0
	return waited || idle && e.Tries <= 1
}

// tooManySingletons tells whether there are more to hand over than a journal
// can hold.
func (t *turn) tooManySingletons() bool {
	n := 0
	for _, key := range t.singletonKeys() {
		if r := t.singleton(key); r.Blue.On || r.Green.On {
			n++
		}
	}
	return n > batonMost
}

// singletonKeys are those that were read, and those that the state knows.
func (t *turn) singletonKeys() []string {
	var keys []string
	for _, e := range t.next.Baton {
		keys = append(keys, e.Key)
	}
	for _, r := range t.o.Singletons {
		keys = append(keys, r.Key)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// vouched tells whether a person says that nothing of it runs on the side that
// gives it: of one that can't be seen, or whose time to end is over.
func (t *turn) vouched(e BatonState, to Side, proven, known bool) bool {
	v := t.o.Request.Vouch
	overdue := proven && !e.Since.Add(t.p.Singletons.Drain).After(t.now)
	return v.Take == to && v.Attempt == t.next.Attempt && (!known || overdue)
}
