package shift

import (
	"slices"
	"time"
)

// hands are two clusters with singletons, and what carries the core's intent out
// there: writes that get lost or land late, and readings that come late. Like the
// real one it goes by what it was told last, until it is told otherwise.
type hands struct {
	now    time.Time
	told   ClusterIntent
	sides  map[Side]*hand
	judge  func(now time.Time) // each second of the true world
	fate   func() fate         // of a write; nil: it lands at once
	slow   func() time.Duration
	frozen bool // nothing is carried out
}

// hand is one cluster.
type hand struct {
	side  Side
	err   string // neither read nor written
	dead  bool   // nothing new begins there, what runs goes on
	deaf  bool   // read, not written
	work  map[string]*work
	seen  map[string]SingletonSide // what the daemon knows by now
	late  []lateWrite
	reads []lateRead
	next  time.Time // of its next round
}

// work is one object as the cluster keeps it.
type work struct {
	absent           bool
	cron             bool
	replicas         int // a workload's; a CronJob's is 0 (suspended) or 1
	last             time.Time
	every            time.Duration
	takes            time.Duration // how long a job runs, or a pod until it is gone
	bounded          bool          // Kubernetes ends it by then
	startingDeadline time.Duration
	ends             []time.Time // of what runs
	pods             int         // of a workload that is on
	since            time.Time   // when it was last switched, for the controller's lag
	version          int         // of the object: a write is refused when it isn't as it was read

	handed bool
	was    int
	made   []time.Time // the runs that were made
}

type lateWrite struct {
	at time.Time
	to func()
}

type lateRead struct {
	at   time.Time
	seen map[string]SingletonSide
}

func newHands(start time.Time) *hands {
	h := &hands{now: start, told: ClusterIntent{Leave: true}, sides: map[Side]*hand{}}
	for _, s := range []Side{Blue, Green} {
		h.sides[s] = &hand{side: s, work: map[string]*work{}, seen: map[string]SingletonSide{}, next: start}
	}
	return h
}

// add puts the same object into both clusters, on in blue and off in green.
func (h *hands) add(key string, w work) {
	if blue := w; true {
		blue.replicas, blue.pods = max(1, w.replicas), max(1, w.replicas)
		if blue.last = h.now; blue.cron {
			blue.pods = 0
		}
		h.sides[Blue].work[key] = &blue
	}
	green := w
	green.replicas = 0
	green.last = h.now.Add(-24 * time.Hour) // it was made a day ago
	h.sides[Green].work[key] = &green
}

func (w *work) on() bool { return !w.absent && w.replicas > 0 }

// active tells whether it does anything, or may begin to.
func (w *work) active() bool { return w.on() || len(w.ends) > 0 || w.pods > 0 }

// pass lets the true world go on, second by second.
func (h *hands) pass(to time.Time) {
	for h.now.Before(to) {
		h.now = h.now.Add(time.Second)
		for _, s := range []Side{Blue, Green} {
			h.live(h.sides[s])
		}
		if h.judge != nil {
			h.judge(h.now)
		}
	}
}

func (h *hands) live(c *hand) {
	for _, w := range c.work {
		w.live(h.now, c.dead)
	}
	c.late = slices.DeleteFunc(c.late, func(l lateWrite) bool {
		if l.at.After(h.now) {
			return false
		}
		l.to()
		return true
	})
	c.reads = slices.DeleteFunc(c.reads, func(r lateRead) bool {
		if r.at.After(h.now) {
			return false
		}
		c.seen = r.seen
		return true
	})
	if !h.frozen && !c.next.After(h.now) {
		h.round(c)
		c.next = h.now.Add(3 * time.Second)
	}
}

// lag is how far a controller is behind what is stored.
const lag = 2 * time.Second

func (w *work) live(now time.Time, dead bool) {
	w.ends = slices.DeleteFunc(w.ends, func(end time.Time) bool { return !end.After(now) })
	if dead || w.absent {
		return
	}
	sees := w.on()
	if now.Sub(w.since) < lag {
		sees = !sees // it goes by what stood there before
	}
	switch {
	case !w.cron && sees:
		w.pods = max(1, w.replicas)
	case !w.cron:
		for ; w.pods > 0; w.pods-- {
			w.ends = append(w.ends, now.Add(w.takes))
		}
	case sees:
		due := now.Truncate(w.every)
		if due.After(w.last) && (w.startingDeadline < 0 || now.Sub(due) <= w.startingDeadline) {
			w.last, w.made = due, append(w.made, due)
			w.ends = append(w.ends, now.Add(w.takes))
		}
	}
}

// round carries out what was told, then reads.
func (h *hands) round(c *hand) {
	if c.err != "" {
		seen := map[string]SingletonSide{}
		for key, s := range c.seen {
			s.Err = c.err
			seen[key] = s
		}
		for key := range c.work {
			if _, known := seen[key]; !known {
				seen[key] = SingletonSide{Err: c.err}
			}
		}
		c.seen, c.reads = seen, nil
		return
	}
	for _, i := range h.told.Singletons {
		if w := c.work[i.Key]; w != nil && !w.absent && !h.told.Leave && !c.deaf {
			h.carryOut(c, w, i)
		}
	}
	seen := map[string]SingletonSide{}
	for key, w := range c.work {
		seen[key] = w.reading(h.now)
	}
	delay := time.Duration(0)
	if h.slow != nil {
		delay = h.slow()
	}
	c.reads = append(c.reads, lateRead{h.now.Add(delay), seen})
	h.deliver(c)
}

func (h *hands) deliver(c *hand) {
	for len(c.reads) > 0 && !c.reads[0].at.After(h.now) {
		c.seen, c.reads = c.reads[0].seen, c.reads[1:]
	}
}

func (h *hands) carryOut(c *hand, w *work, i SingletonIntent) {
	wish := map[Side]Switch{Blue: i.Blue, Green: i.Green}[c.side]
	switch {
	case wish == SwitchBack && !w.handed, wish == SwitchLeave:
		return
	case w.handed && w.on() == (wish == SwitchOn) && wish != SwitchBack:
		return
	}
	f := fate{}
	if h.fate != nil {
		f = h.fate()
	}
	switch {
	case f.lost:
	case f.late > 0:
		read := w.version
		c.late = append(c.late, lateWrite{h.now.Add(f.late), func() {
			if w.version == read {
				w.obey(h.now, wish, i)
			}
		}})
	default:
		w.obey(h.now, wish, i)
	}
}

func (w *work) obey(now time.Time, wish Switch, i SingletonIntent) {
	if !w.handed && wish != SwitchBack {
		w.handed, w.was = true, w.replicas
	}
	before := w.on()
	w.version++
	switch wish {
	case SwitchOn:
		if i.LastRun.After(w.last) {
			w.last = i.LastRun
		}
		if !w.on() {
			w.replicas = max(1, i.Replicas)
		}
	case SwitchOff:
		w.replicas = 0
	case SwitchBack:
		if w.handed {
			w.replicas, w.handed = w.was, false
		}
	case SwitchLeave:
	}
	if w.on() != before {
		w.since = now
	}
}

func (w *work) reading(now time.Time) SingletonSide {
	if w.absent {
		return SingletonSide{At: now, Absent: true, Running: len(w.ends)}
	}
	s := SingletonSide{At: now, On: w.on(), Running: len(w.ends) + w.pods, Handed: w.handed}
	for _, end := range w.ends {
		if w.bounded && end.After(s.EndsBy) {
			s.EndsBy = end
		}
	}
	if !w.on() && now.Sub(w.since) <= lag { // it may still begin
		s.Running++
		s.EndsBy = time.Time{}
	}
	if w.cron {
		s.LastRun, s.NextRun, s.StartingDeadline = w.last, now.Truncate(w.every).Add(w.every), w.startingDeadline
	} else {
		s.Replicas = w.replicas
	}
	return s
}

// readings are what the daemon knows by now, from memory.
func (h *hands) readings() []SingletonReading {
	var all []SingletonReading
	for key := range h.sides[Blue].work {
		r := SingletonReading{Key: key, Blue: h.sides[Blue].seen[key], Green: h.sides[Green].seen[key]}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b SingletonReading) int { return len(a.Key) - len(b.Key) })
	return all
}
