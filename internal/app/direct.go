package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Direct does a person's work at AWS without the management cluster: it needs
// the configuration and credentials only.
type Direct struct {
	aws      *aws
	config   *config.Config
	sessions *awsapi.Sessions
}

// NewDirect reads credentials but asks nobody anything yet. An error says that no
// region is set, or what of the environment can't be read.
func NewDirect(ctx context.Context, c *config.Config) (*Direct, error) {
	return newDirect(ctx, c, sessionsOf(c.AWS, nil))
}

// NewDirectWayBack is NewDirect for RollBack and Runbook alone. They need no region:
// ARNs name that of load balancers, and Route 53 has none.
func NewDirectWayBack(ctx context.Context, c *config.Config) (*Direct, error) {
	o := sessionsOf(c.AWS, nil)
	o.Fallback = fallbackRegion(c)
	return newDirect(ctx, c, o)
}

// fallbackRegion is where roles are asked for when nobody says: beside the first load
// balancer, else where Route 53 itself is.
func fallbackRegion(c *config.Config) string {
	for _, p := range c.Pairs {
		for _, e := range p.Traffic {
			if b := entranceOf(e).Balancer; b != nil && b.Region() != "" {
				return b.Region()
			}
		}
	}
	return "us-east-1"
}

func newDirect(ctx context.Context, c *config.Config, o awsapi.SessionsOptions) (*Direct, error) {
	sessions, err := awsapi.NewSessions(ctx, o)
	if err != nil {
		return nil, err
	}
	return &Direct{aws: newAWS(adaptersOf(sessions, c.Interval)), config: c, sessions: sessions}, nil
}

// DirectOptions say what goes back to blue, and how.
type DirectOptions struct {
	// Pairs are names of the configuration's pairs.
	Pairs []string
	// Force goes back even where a fresh reading proves that blue has no healthy
	// target and green has some.
	Force bool
	// Say is told, in one sentence each, what holds an entrance up while it is
	// tried again; nil: nobody is.
	Say func(sentence string)
}

// DirectResult is what became of one entrance.
type DirectResult struct {
	Pair     string
	Entrance string
	// Was is green's share as it was first read, Now as it was last read; nil:
	// it could not be read.
	Was, Now *shift.Share
	// Back: it was freshly read, and green has nothing.
	Back bool
	// Wrote: AWS acknowledged a write.
	Wrote bool
	// Marked: a mark stands there that tells of the rollback.
	Marked bool
	// TTL is how long resolvers may give out the old answer; zero for a load
	// balancer.
	TTL time.Duration
	// Note says what a write left out, or why it isn't back.
	Note string
}

const (
	// firstLook bounds the look before the first write: credentials may have to
	// be fetched for it, but a rollback doesn't wait for what it can do without.
	firstLook = 5 * time.Second
	// laterLook bounds each look after it.
	laterLook = 10 * time.Second
)

// RollBack sends all traffic of the pairs to blue: all entrances at once, again
// and again until each is seen to stand there or ctx ends, but at least once
// unless ctx is canceled. What can't be read is written all the same; what is
// proven to have no healthy target on blue waits, unless forced. A write or look
// that is under way when ctx ends is finished: 10 more seconds at most for each.
//
// The mark of each write lets a daemon that comes back, or runs, go on with the
// rollback: it follows the newest mark that was read.
func (d *Direct) RollBack(ctx context.Context, o DirectOptions) ([]DirectResult, error) {
	r := &directRun{aws: d.aws, force: o.Force, say: o.Say}
	if r.say == nil {
		r.say = func(string) {}
	}
	for _, name := range o.Pairs {
		pair, err := d.pair(name)
		if err != nil {
			return nil, err
		}
		r.add(pair)
	}
	ctx = awsapi.Urgent(ctx) // nothing of ours holds these calls back
	for try := 0; ; try++ {
		r.look(ctx, try)
		open := r.open()
		// However short the time was, one write goes out; but not for a person who gave up.
		if len(open) == 0 || ctx.Err() != nil && (try > 0 || errors.Is(ctx.Err(), context.Canceled)) {
			break
		}
		if try > 1 && !awsapi.Pause(ctx, try-1) { // the first is the look at what the first write did
			break
		}
		r.write(ctx, open)
	}
	results := make([]DirectResult, len(r.targets))
	for i, t := range r.targets {
		results[i] = t.result()
	}
	return results, nil
}

func (d *Direct) pair(name string) (config.Pair, error) {
	i := slices.IndexFunc(d.config.Pairs, func(p config.Pair) bool { return p.Name == name })
	if i < 0 {
		return config.Pair{}, fmt.Errorf("the configuration has no pair %s; it has %s", name, pairNames(d.config))
	}
	return d.config.Pairs[i], nil
}

// directRun is one rollback past the daemon.
type directRun struct {
	aws     *aws
	force   bool
	say     func(string)
	targets []*target
}

// target is one entrance on its way back.
type target struct {
	pair     string
	entrance shift.Entrance
	mark     *trace
	first    *shift.EntranceReading // the first that could be used
	last     shift.EntranceReading
	wrote    bool
	note     string // of the last write
	said     string // what was last said of it
}

// trace is the mark that the writes of one pair carry.
type trace struct {
	next  shift.Mark
	found bool // next follows one that was read
}

func (r *directRun) add(p config.Pair) {
	mark := &trace{next: shift.Mark{Attempt: 1, Version: 1, Phase: shift.RollingBack, Rollback: true}}
	for _, e := range p.Traffic {
		r.targets = append(r.targets, &target{pair: p.Name, entrance: entranceOf(e), mark: mark})
	}
}

// heed makes the mark follow a newer one. Its own is none.
func (m *trace) heed(read *shift.Mark) {
	if read == nil || *read == m.next || m.found && read.Compare(m.next) < 0 {
		return
	}
	m.next.Attempt, m.next.Epoch, m.next.Version = read.Attempt, read.Epoch, read.Version+1
	m.found = true
}

// look reads what isn't back yet.
func (r *directRun) look(ctx context.Context, try int) {
	bound := laterLook
	if try == 0 {
		bound = firstLook
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), bound)
	defer cancel()
	waiting := slices.DeleteFunc(slices.Clone(r.targets), (*target).back)
	list := make([]shift.Entrance, len(waiting))
	for i, t := range waiting {
		list[i] = t.entrance
	}
	for i, reading := range r.aws.read(ctx, list, shift.Urgent) {
		t := waiting[i]
		t.last = reading
		t.mark.heed(reading.Mark)
		if t.first == nil && t.known() {
			t.first = &reading
		}
	}
}

func (t *target) known() bool { return t.last.Err == "" && !t.last.At.IsZero() }

// back tells whether the entrance was seen to stand where it shall.
func (t *target) back() bool { return t.known() && t.last.StandsAt(0) }

// open gives what isn't back yet.
func (r *directRun) open() []*target {
	var open []*target
	for _, t := range r.targets {
		if !t.back() {
			open = append(open, t)
		}
	}
	return open
}

// write sends everything that may go, at the same time. The marks are those of
// the newest reading, so all targets were looked at before.
func (r *directRun) write(ctx context.Context, open []*target) {
	var going []*target
	for _, t := range open {
		if t.known() && t.last.ProvesBlueDead() && !r.force {
			t.note = "blue has no healthy target there and green has some, so nothing was written; --force overrules that"
			r.tell(t, "it waits: blue has no healthy target there and green has some; --force overrules that")
			continue
		}
		going = append(going, t)
	}
	changes := make([]shift.Change, len(going))
	for i, t := range going {
		changes[i] = shift.Change{Entrance: t.entrance, Expected: t.last, Wanted: 0, Control: t.mark.next, Priority: shift.Rollback}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shift.WriteDeadline)
	defer cancel()
	for i, result := range r.aws.Commit(ctx, changes) {
		t := going[i]
		t.note = result.Note
		if result.Outcome == shift.Applied {
			t.wrote = true
			continue
		}
		t.note = fmt.Sprintf("%s: %s", result.Outcome, result.Note)
		r.tell(t, t.note)
	}
}

// tell says something of an entrance once for as long as nothing else is to be
// said of it.
func (r *directRun) tell(t *target, what string) {
	if t.said != what {
		r.say(fmt.Sprintf("%s, entrance %s: %s", t.pair, t.entrance.Name, what))
	}
	t.said = what
}

func (t *target) result() DirectResult {
	r := DirectResult{Pair: t.pair, Entrance: t.entrance.Name, Back: t.back(), Wrote: t.wrote, Note: t.note}
	if t.first != nil {
		r.Was = new(t.first.Share())
	}
	if !t.known() {
		switch {
		case r.Note == "":
			r.Note = "it can't be read: " + t.last.Err
		case !strings.Contains(r.Note, t.last.Err):
			r.Note += "; it can't be read: " + t.last.Err
		}
		return r
	}
	r.Now, r.TTL = new(t.last.Share()), t.last.TTL
	r.Marked = t.last.Mark != nil && t.last.Mark.Rollback && t.last.Mark.Attempt == t.mark.next.Attempt
	return r
}

// Runbook writes the commands that take one pair back by hand, as the daemon
// does when a shift starts. An entrance that could not be read has none, and
// whole is then false. The attempt is that of the newest mark at AWS.
func (d *Direct) Runbook(ctx context.Context, name, version string) (text string, whole bool, err error) {
	pair, err := d.pair(name)
	if err != nil {
		return "", false, err
	}
	ctx, cancel := context.WithTimeout(ctx, laterLook)
	defer cancel()
	attempt := 0
	var list []shift.Entrance
	for _, e := range pair.Traffic {
		list = append(list, entranceOf(e))
	}
	readings := d.aws.read(ctx, list, shift.Urgent)
	for _, r := range readings {
		if r.Mark != nil {
			attempt = max(attempt, r.Mark.Attempt)
		}
	}
	book := d.aws.bookOf(name, version, attempt, list, time.Now())
	for i, r := range readings {
		if part := &book.Entrances[i]; part.Fault != "" && r.Err != "" {
			part.Fault = r.Err
		}
	}
	return book.Markdown(), book.Whole(), nil
}
