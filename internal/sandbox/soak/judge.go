package soak

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

// person is who wrote what came through a person's hands; else it is the name of a
// replica.
const person = "a person"

// writerKey is how a request's context names who sent it.
type writerKey struct{}

// effect is one change of one entrance's weights.
type effect struct {
	entrance string
	by       string
	arrived  time.Time // when the request was there
	at       time.Time // when it was carried out
	from, to weights
	mark     mark
}

// reign is an epoch, and since when the journal was seen to have it.
type reign struct {
	epoch int64
	since time.Time
}

// marking is one change of a mark, for people.
type marking struct {
	entrance, by string
	at           time.Time
	mark         mark
}

// outside is what the judge is told besides what it sees at AWS.
type outside interface {
	// held tells whether a replica's request that arrived then may have been on its
	// way for long: its line held requests, or its process had stood still.
	held(replica string, arrived time.Time) bool
	// successor gives who held the lease instead of a replica at a time; empty: nobody
	// else is known to.
	successor(replica string, at time.Time) string
}

// judge looks at AWS after each write and holds what is there to the rules. It
// shares no code with the daemon.
type judge struct {
	look    func(context.Context) (sight, error)
	outside outside
	steps   []int

	mu         sync.Mutex // guards all below
	armed      bool
	first      sight
	last       sight
	effects    []effect
	marked     []marking
	violations []string
	boundary   int
	asked      time.Time // since when green may be lowered; zero: it may not
	durable    time.Time // since when a rollback is known to be written down
	over       string    // the phase that the attempt ended with
	epochs     []reign   // those that the journal had, in order
	changed    chan struct{}
}

func newJudge(steps []int, o outside) *judge {
	return &judge{steps: steps, outside: o, changed: make(chan struct{})}
}

// begin takes what stands now for what must be kept.
func (j *judge) begin(ctx context.Context, look func(context.Context) (sight, error)) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	now, err := look(ctx)
	if err != nil {
		return err
	}
	j.look, j.first, j.last, j.armed = look, now, now, true
	return nil
}

// applied is called by AWS after each write, before the next.
func (j *judge) applied(ctx context.Context, c aws.Call) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.armed {
		return
	}
	by, _ := ctx.Value(writerKey{}).(string)
	now, err := j.look(context.WithoutCancel(ctx))
	if err != nil {
		j.blame("%v", err)
		return
	}
	j.see(by, c.At, c.Done, now)
	close(j.changed)
	j.changed = make(chan struct{})
}

// blame notes a violation, once; the caller holds mu.
func (j *judge) blame(format string, args ...any) {
	if blame := fmt.Sprintf(format, args...); !slices.Contains(j.violations, blame) {
		j.violations = append(j.violations, blame)
	}
}

// see judges what stands after a write; the caller holds mu.
func (j *judge) see(by string, arrived, at time.Time, now sight) {
	for key, was := range j.first.rest {
		switch is, ok := now.rest[key]; {
		case !ok:
			j.blame("S1: the %s disappeared", key)
		case is != was:
			j.blame("S11: the %s was %s and is %s", key, was, is)
		}
	}
	for key := range now.rest {
		if _, ok := j.first.rest[key]; !ok {
			j.blame("S11: the %s appeared", key)
		}
	}
	for _, entrance := range []string{www, api} {
		j.seeMark(entrance, by, arrived, at, now)
		e := effect{
			entrance: entrance, by: by, arrived: arrived, at: at,
			from: j.last.weights[entrance], to: now.weights[entrance], mark: now.marks[entrance],
		}
		if e.from != e.to {
			j.judge(e)
			j.effects = append(j.effects, e)
		}
	}
	j.last = now
}

// seeMark holds the marks to their order: who took charge later has the last word.
func (j *judge) seeMark(entrance, by string, arrived, at time.Time, now sight) {
	was, had := j.last.marks[entrance]
	is, has := now.marks[entrance]
	switch {
	case had && !has:
		j.blame("S1: the mark of %s disappeared", entrance)
	case has && is.rollback && j.durable.IsZero():
		j.durable = at
	}
	if is != was {
		j.marked = append(j.marked, marking{entrance, by, at, is})
	}
	if !has || !had || is == was || !is.older(was) {
		return
	}
	if entrance == api && j.excused(entrance, by, arrived) {
		j.boundary++
		return
	}
	j.blame("S7: the mark of %s went back from %+v to %+v, by %s", entrance, was, is, by)
}

// excused tells whether a write at the load balancer was on its way when something
// else took effect there, or a rollback was written down: nothing could keep it out.
// It must be undone, which the end shows.
func (j *judge) excused(entrance, by string, arrived time.Time) bool {
	if by != person && j.outside.held(by, arrived) || arrived.Before(j.durable.Add(inFlight)) {
		return true
	}
	for _, e := range slices.Backward(j.effects) {
		if e.entrance == entrance {
			return arrived.Before(e.at)
		}
	}
	return false
}

// judge holds one change of weights to the rules.
func (j *judge) judge(e effect) {
	from, to := e.from.share(), e.to.share()
	blame := func(wrong string) {
		j.blame("%s: %s went from %d %% to %d %%, by %s with mark %+v", wrong, e.entrance, from, to, e.by, e.mark)
	}
	switch {
	case to < 0:
		blame("S1, all weights are zero")
		return
	case e.to != weights{100 - int64(to), int64(to)}:
		blame("S3, weights that nobody planned")
	case e.entrance == www && e.mark == j.last.marks[www]:
		blame("S4, the same decision took effect twice, or without its mark")
	}
	wrongs := j.outOfOrder(e, from, to)
	if len(wrongs) > 0 && e.entrance == api && j.excused(e.entrance, e.by, e.arrived) {
		j.boundary++
		return
	}
	for _, wrong := range wrongs {
		blame(wrong)
	}
}

// outOfOrder gives the rules that a change breaks by who made it, or when.
func (j *judge) outOfOrder(e effect, from, to int) (wrongs []string) {
	add := func(format string, args ...any) { wrongs = append(wrongs, fmt.Sprintf(format, args...)) }
	if j.over != "" && j.asked.IsZero() {
		add("S6, the attempt was %s", j.over)
	}
	if to > from {
		j.wrongRise(e, from, to, add)
	} else if j.asked.IsZero() {
		add("S15, nobody asked for it")
	}
	// Who lost the lease may lower records: the swap keeps it in order. A person needs
	// no lease.
	if e.by != person && (to > from || e.entrance == api) {
		if other := j.outside.successor(e.by, e.arrived); other != "" && (e.entrance == api || !j.excused(e.entrance, e.by, e.arrived)) {
			add("S8, %s holds the lease", other)
		}
	}
	return wrongs
}

func (j *judge) wrongRise(e effect, from, to int, add func(string, ...any)) {
	next := slices.IndexFunc(j.steps, func(share int) bool { return share > from })
	if next < 0 || j.steps[next] != to {
		add("S3, not one planned step")
	}
	if !j.durable.IsZero() && e.at.After(j.durable) {
		add("S5, after the rollback was written down")
	}
	if e.by == person {
		add("S3, a person raises nothing here")
	}
	// Marks of the load balancer follow the weights, so they can't tell who wrote these.
	if newest := j.epochAt(e.arrived); e.entrance == www && e.mark.epoch < newest && !j.outside.held(e.by, e.arrived) {
		add("S7, epoch %d is in charge", newest)
	}
}

func (j *judge) epochAt(at time.Time) (newest int64) {
	for _, r := range j.epochs {
		if r.since.Before(at) {
			newest = max(newest, r.epoch)
		}
	}
	return newest
}

// inFlight is the longest from a look at AWS to a write that follows from it:
// shift.WriteDeadline.
const inFlight = 10 * time.Second

// allow says that green may be lowered from now on.
func (j *judge) allow(at time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.asked.IsZero() {
		j.asked = at
	}
}

// journaled tells the judge what the journal says.
func (j *judge) journaled(phase string, epoch int64, at time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.epochs = append(j.epochs, reign{epoch, at})
	switch phase {
	case "RollingBack", "RolledBack":
		if j.durable.IsZero() {
			j.durable = at
		}
	}
	if j.over == "" && (phase == "Completed" || phase == "RolledBack") {
		j.over = phase
	}
	if j.over == "Completed" && (phase == "RollingBack" || phase == "RolledBack") {
		j.over = "" // a person's rollback after completion opens a new way back
	}
}

// accuse notes what others found.
func (j *judge) accuse(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.blame(format, args...)
}

// stands gives each entrance's share now, and a channel that closes when AWS
// carries out another write.
func (j *judge) stands() (map[string]int, <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	shares := map[string]int{}
	for entrance, w := range j.last.weights {
		shares[entrance] = w.share()
	}
	return shares, j.changed
}

// await waits until the entrances' shares are as wished.
func (j *judge) await(ctx context.Context, what string, wished func(shares map[string]int) bool) error {
	for {
		shares, changed := j.stands()
		if wished(shares) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: www has %d %%, api %d %%: %w", what, shares[www], shares[api], context.Cause(ctx))
		case <-changed:
		}
	}
}

// lastEffect is when the newest change of weights took effect.
func (j *judge) lastEffect() time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.effects) == 0 {
		return time.Time{}
	}
	return j.effects[len(j.effects)-1].at
}

// told gives the story of the weights, for people.
func (j *judge) told(began time.Time) (lines []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range j.effects {
		lines = append(lines, fmt.Sprintf("%6.2fs  %s: %d %% to %d %%, by %s, epoch %d version %d (sent %.2fs)",
			e.at.Sub(began).Seconds(), e.entrance, e.from.share(), e.to.share(), e.by, e.mark.epoch, e.mark.version, e.arrived.Sub(began).Seconds()))
	}
	for _, m := range j.marked {
		lines = append(lines, fmt.Sprintf("%6.2fs  mark of %s: %+v, by %s", m.at.Sub(began).Seconds(), m.entrance, m.mark, m.by))
	}
	slices.Sort(lines)
	return lines
}
