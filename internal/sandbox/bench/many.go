package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

const (
	// upWithin bounds the way up of a crowd, and goneBackWithin its way back.
	upWithin       = 10 * time.Minute
	goneBackWithin = 5 * time.Minute
	// idleSpan is how long the calls of a crowd at rest are counted.
	idleSpan = time.Minute
	// limit and burst are AWS's own for calls to load balancers. ELB user guide,
	// "API throttling".
	elbPerSecond, elbBurst = 10, 40
)

// crowds measures rollbacks of many names, pairs and rules at once.
func crowds(ctx context.Context, o Options, w *world.World) error {
	if err := measureNames(ctx, o, w, "one-pair", 1, 200); err != nil {
		return err
	}
	if err := measureNames(ctx, o, w, "many-pairs", 1000, 1000); err != nil {
		return err
	}
	return measureRules(ctx, o, w)
}

// during runs a measurement with a daemon, and stops both.
func (c *crowd) during(ctx context.Context, asked string, measure func(context.Context) error) (err error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	defer func() { err = errors.Join(err, c.close()) }()
	if err := c.start(asked, fail); err != nil {
		return err
	}
	return measure(ctx)
}

// goUp waits until green has everything and the daemon only holds.
func (c *crowd) goUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, upWithin, fmt.Errorf("%s was not up within %s", c.name, upWithin))
	defer cancel()
	began := time.Now()
	err := c.await(ctx, "all pairs are up", func(s v1alpha1.TrafficSwitchStatus) bool { return s.Share == 100 && s.Reason == "Holding" })
	if err == nil {
		c.say("%s: all traffic on green after %.1f s", c.name, time.Since(began).Seconds())
	}
	return err
}

// back is what a rollback of a whole crowd took.
type back struct {
	took   time.Duration // from the change of the configuration to the last acknowledged write of weights
	writes int           // calls that set weights and were applied
	failed int           // calls that set weights and were refused
}

// goBack asks for a rollback of all pairs by one change of the configuration.
func (c *crowd) goBack(ctx context.Context, operation string) (back, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, goneBackWithin, fmt.Errorf("%s was not back within %s", c.name, goneBackWithin))
	defer cancel()
	asked := time.Now()
	if err := c.ask("serve: green\n    rollback: true"); err != nil {
		return back{}, err
	}
	if err := c.awaitGreen(ctx, 0); err != nil {
		return back{}, fmt.Errorf("waiting for the way back of %s: %w", c.name, err)
	}
	var b back
	stood := time.Now()
	for _, call := range c.cloud.Calls() {
		switch {
		case call.Operation != operation || call.At.Before(asked) || call.Done.After(stood):
		case !call.Applied:
			b.failed++
		default:
			b.writes, b.took = b.writes+1, call.Done.Sub(asked)
		}
	}
	return b, nil
}

func (c *crowd) say(format string, args ...any) {
	_, _ = fmt.Fprintf(c.options.Out, format+"\n", args...)
}

func measureNames(ctx context.Context, o Options, w *world.World, name string, pairs, names int) error {
	c, err := crowdOf(ctx, o, w, name, pairs, names, 0)
	if err != nil {
		return err
	}
	return c.during(ctx, "serve: green", func(ctx context.Context) error {
		if err := c.goUp(ctx); err != nil {
			return err
		}
		floor, err := c.rawBatches(ctx)
		if err != nil {
			return err
		}
		b, err := c.goBack(ctx, "ChangeResourceRecordSets")
		if err != nil {
			return err
		}
		c.say("rollback of %d names of %d pairs in one zone: %d batches (%d refused) in %.2f s", names, pairs, b.writes, b.failed, b.took.Seconds())
		c.say("  the fewest that AWS's limits allow: %d (%d record elements, %d value characters, marks included)", floor.batches, floor.elements, floor.chars)
		c.say("  raw SDK calls, those batches one after the other: %.2f s; ÷ %.1f", floor.took.Seconds(), b.took.Seconds()/floor.took.Seconds())
		return nil
	})
}

func measureRules(ctx context.Context, o Options, w *world.World) error {
	const rules = 1000
	c, err := crowdOf(ctx, o, w, "many-rules", rules, 0, rules)
	if err != nil {
		return err
	}
	return c.during(ctx, "serve: green", func(ctx context.Context) error {
		if err := c.goUp(ctx); err != nil {
			return err
		}
		floor, err := c.rawRules(ctx)
		if err != nil {
			return err
		}
		b, err := c.goBack(ctx, "ModifyRule")
		if err != nil {
			return err
		}
		c.say("rollback of %d rules of %d pairs: %d calls of ModifyRule (%d refused) until the last weights stood, in %.2f s", rules, rules, b.writes, b.failed, b.took.Seconds())
		c.say("  raw SDK calls, %d calls of ModifyRule, 8 at a time: %.2f s; ÷ %.1f", rules, floor.Seconds(), b.took.Seconds()/floor.Seconds())
		c.say("  AWS's own limit of %d calls a second after a burst of %d would make it %.0f s, whoever calls", elbPerSecond, elbBurst, float64(rules-elbBurst)/elbPerSecond)
		return nil
	})
}

// idle counts the calls of crowds of both kinds, at rest and, for the
// largest, while a share is held.
func idle(ctx context.Context, o Options, w *world.World) error {
	for _, pairs := range []int{1, 100, 1000} {
		for kind, of := range map[string][2]int{"names": {pairs, 0}, "rules": {0, pairs}} {
			c, err := crowdOf(ctx, o, w, fmt.Sprintf("idle-%s-%d", kind, pairs), pairs, of[0], of[1])
			if err != nil {
				return err
			}
			err = c.during(ctx, "serve: blue", func(ctx context.Context) error { return c.countIdle(ctx, kind, pairs == 1000) })
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *crowd) countIdle(ctx context.Context, kind string, held bool) error {
	if err := c.await(ctx, "all pairs rest", func(s v1alpha1.TrafficSwitchStatus) bool { return s.Reason == "NothingToDo" }); err != nil {
		return err
	}
	counts, err := c.callsFor(ctx, idleSpan)
	if err != nil {
		return err
	}
	c.say("%d pairs of %s at rest, looked at every 10 s: %s", c.pairs, kind, spell(counts))
	if !held {
		return nil
	}
	if err := c.ask("serve: green"); err != nil {
		return err
	}
	if err := c.goUp(ctx); err != nil {
		return err
	}
	if counts, err = c.callsFor(ctx, idleSpan); err != nil {
		return err
	}
	c.say("%d pairs of %s while a share is held: %s", c.pairs, kind, spell(counts))
	return nil
}

// spell gives counts of a minute as "12 calls a minute (DescribeRules 6, …)".
func spell(counts map[string]int) string {
	total := 0
	var parts []string
	for _, operation := range slices.Sorted(maps.Keys(counts)) {
		total += counts[operation]
		parts = append(parts, fmt.Sprintf("%s %d", operation, counts[operation]))
	}
	return fmt.Sprintf("%d calls a minute (%s)", total, strings.Join(parts, ", "))
}
