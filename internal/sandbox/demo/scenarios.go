package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/backend"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/load"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/story"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

// scenario is one story with its expected end.
type scenario struct {
	name  string
	title string
	// play drives the stage. It returns how long a rollback took; 0: there was none.
	play func(ctx context.Context, s *stage) (rollback time.Duration, err error)
	// allowed are the causes of failure that users may meet.
	allowed []load.Cause
}

func scenarios() []scenario {
	return []scenario{
		{name: "healthy", title: "green lacks something at first; then to 100 % through a Route 53 name and an ALB rule", play: healthy},
		{name: "green-fails", title: "green answers errors from 25 % on; the daemon goes back by itself", play: greenFails, allowed: []load.Cause{load.GreenError}},
		{name: "manual-rollback", title: "a person sets the rollback flag at 50 %", play: manualRollback},
		{name: "kill-resume", title: "kill -9 at 50 %; restarted, it goes on where it was", play: killResume},
		{name: "foreign-edit", title: "somebody changes a weight by hand; the daemon stops and names it", play: foreignEdit},
	}
}

func healthy(ctx context.Context, s *stage) (time.Duration, error) {
	from, err := s.incomplete(ctx)
	if err != nil {
		return 0, err
	}
	for _, share := range []int{5, 25, 50, 100} {
		var err error
		if from, err = s.held(ctx, from, share); err != nil {
			return 0, err
		}
	}
	return 0, s.completed(ctx, from)
}

func greenFails(ctx context.Context, s *stage) (time.Duration, error) {
	if err := s.Start(); err != nil {
		return 0, err
	}
	from, err := s.held(ctx, 0, 25)
	if err != nil {
		return 0, err
	}
	s.Story.Tell("half of green's answers are errors from now on")
	failing := time.Now()
	if err := s.world.Green.Pods.SetFaults(backend.Faults{ErrorRatio: 0.5}); err != nil {
		return 0, err
	}
	if _, err := s.Story.Await(ctx, from, "the daemon goes back by itself for what users feel", func(m story.Moment) bool {
		return m.Phase == "RollingBack" && m.Reason == "UsersSuffer"
	}); err != nil {
		return 0, err
	}
	return s.rolledBack(ctx, from, failing)
}

func manualRollback(ctx context.Context, s *stage) (time.Duration, error) {
	if err := s.Start(); err != nil {
		return 0, err
	}
	from, err := s.held(ctx, 0, 50)
	if err != nil {
		return 0, err
	}
	asked := time.Now()
	if err := s.Command(ctx, "rollback", pairName); err != nil {
		return 0, err
	}
	return s.rolledBack(ctx, from, asked)
}

func killResume(ctx context.Context, s *stage) (time.Duration, error) {
	if err := s.Start(); err != nil {
		return 0, err
	}
	from, err := s.held(ctx, 0, 50)
	if err != nil {
		return 0, err
	}
	s.Story.Tell("kill -9: the daemon is gone")
	if err := s.Kill(); err != nil {
		return 0, err
	}
	// Users go on without a daemon; nothing may move meanwhile.
	if err := s.quiet(ctx, time.Second); err != nil {
		return 0, err
	}
	s.Story.Tell("nothing moved without it; the daemon is started again")
	if err := s.Start(); err != nil {
		return 0, err
	}
	if err := s.completed(ctx, from); err != nil {
		return 0, err
	}
	moments, _ := s.Story.All()
	for _, m := range moments[from:] {
		if m.Share < 50 {
			return 0, fmt.Errorf("after the restart the share fell to %d %%", m.Share)
		}
	}
	return 0, nil
}

func foreignEdit(ctx context.Context, s *stage) (time.Duration, error) {
	if err := s.Start(); err != nil {
		return 0, err
	}
	from, err := s.held(ctx, 0, 25)
	if err != nil {
		return 0, err
	}
	s.Story.Tell("somebody sets the records of " + world.WebName + " to blue 90, green 10 by hand")
	err = s.region.ChangeRecords(ctx,
		r53types.Change{Action: r53types.ChangeActionUpsert, ResourceRecordSet: world.WebRecord("blue", 90)},
		r53types.Change{Action: r53types.ChangeActionUpsert, ResourceRecordSet: world.WebRecord("green", 10)},
	)
	if err != nil {
		return 0, err
	}
	from, err = s.Story.Await(ctx, from, "the daemon names the foreign edit", func(m story.Moment) bool { return m.Reason == "Drift" })
	if err != nil {
		return 0, err
	}
	if err := s.quiet(ctx, 2*time.Second); err != nil {
		return 0, fmt.Errorf("the daemon fights a foreign edit: %w", err)
	}
	s.Story.Tell("nothing was written for 2 s")
	if err := s.Command(ctx, "resume", pairName, "--restore"); err != nil {
		return 0, err
	}
	return 0, s.completed(ctx, from)
}

// held waits until the share is reached and held.
func (s *stage) held(ctx context.Context, from, share int) (int, error) {
	return s.Story.Await(ctx, from, fmt.Sprintf("%d %% is held", share), func(m story.Moment) bool {
		return m.Phase == "Shifting" && m.Share == share && (m.Reason == "Holding" || m.Reason == "GateWaits")
	})
}

// completed waits for the end of a shift, and until users see it.
func (s *stage) completed(ctx context.Context, from int) error {
	if _, err := s.Story.Await(ctx, from, "the shift is complete", func(m story.Moment) bool { return m.Phase == "Completed" }); err != nil {
		return err
	}
	return s.usersOn(ctx, "green")
}

// rolledBack waits for the end of a rollback and measures it from asked to
// AWS's acknowledgement of the last write of a weight.
func (s *stage) rolledBack(ctx context.Context, from int, asked time.Time) (time.Duration, error) {
	if _, err := s.Story.Await(ctx, from, "blue has all traffic again", func(m story.Moment) bool { return m.Phase == "RolledBack" }); err != nil {
		return 0, err
	}
	last := s.region.LastWeight(asked)
	if last.IsZero() {
		return 0, errors.New("the daemon says RolledBack, but wrote no weight")
	}
	return last.Sub(asked), s.usersOn(ctx, "blue")
}

// quiet watches that nothing is written for a while.
func (s *stage) quiet(ctx context.Context, d time.Duration) error {
	before := len(s.region.Cloud.Calls())
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
	}
	for _, c := range s.region.Cloud.Calls()[before:] {
		if world.SetsWeight(c) {
			return fmt.Errorf("%s was called on %s", c.Operation, c.Resource)
		}
	}
	return nil
}

// usersOn waits until every answer of the last second came from one cluster:
// what AWS stores is not yet what users get.
func (s *stage) usersOn(ctx context.Context, cluster string) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		recent := s.users.Snapshot().Recent
		if recent.Share(cluster) == 100 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until all users are on %s: %.0f %% are: %w", cluster, recent.Share(cluster), context.Cause(ctx))
		case <-tick.C:
		}
	}
}
