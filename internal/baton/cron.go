package baton

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
	batchv1 "k8s.io/api/batch/v1"
)

// How the CronJob controller chooses what it starts, which decides what must be
// written before a CronJob is switched on. It is syncCronJob and
// mostRecentScheduleTime in Kubernetes' pkg/controller/cronjob, as of v1.37:
//
//   - It counts from status.lastScheduleTime; where there is none, from
//     metadata.creationTimestamp. Where startingDeadlineSeconds is set it counts
//     from that long ago, if that is later.
//   - Of all times of the schedule from there to now it starts the last one, at
//     once, and only that one; even if more than 100 were missed, of which it only
//     warns.
//   - It doesn't start one that is equal to lastScheduleTime, or that is longer ago
//     than startingDeadlineSeconds.
//   - It looks at once when suspend is taken away.
//
// So a CronJob that was made in green days ago, and never ran there, would repeat
// blue's last run as soon as it is switched on. With blue's lastScheduleTime it
// starts what is due since then: nothing, or the one run that fell into the gap,
// if startingDeadlineSeconds still allows that.

// seenWithin is how long the CronJob controller may go on by what it read before
// a CronJob was suspended: its watch is behind by the time that an event takes.
const seenWithin = 5 * time.Second

// schedule reads a CronJob's schedule with the parser that Kubernetes uses.
// Without a timeZone Kubernetes takes the zone of kube-controller-manager, which
// can't be asked; it is UTC wherever the control plane is managed. A zone in the
// schedule itself is no longer accepted in new CronJobs, but still obeyed.
func schedule(c *batchv1.CronJob) (s cron.Schedule, err error) {
	text := c.Spec.Schedule
	switch {
	case c.Spec.TimeZone != nil:
		text = "TZ=" + *c.Spec.TimeZone + " " + text
	case !strings.Contains(text, "TZ"):
		text = "TZ=UTC " + text
	}
	defer func() {
		if r := recover(); r != nil { // of a zone with nothing after it; Kubernetes guards the parser likewise
			err = fmt.Errorf("reading the schedule %q: %v", c.Spec.Schedule, r)
		}
	}()
	s, err = cron.ParseStandard(text)
	if err != nil {
		return nil, fmt.Errorf("reading the schedule %q: %w", c.Spec.Schedule, err)
	}
	return s, nil
}

// nextRun is when a CronJob is due next; zero: never, or not known.
func nextRun(c *batchv1.CronJob, now time.Time) time.Time {
	s, err := schedule(c)
	if err != nil {
		return time.Time{}
	}
	return s.Next(now).UTC()
}

// mayStillStart tells whether the controller may be starting a run although the
// CronJob was suspended at the given time: it was due, and the controller may not
// have seen yet that it is off.
func mayStillStart(c *batchv1.CronJob, suspended, now time.Time) bool {
	s, err := schedule(c)
	if err != nil || now.Sub(suspended) >= seenWithin {
		return false
	}
	last := c.CreationTimestamp.Time
	if t := c.Status.LastScheduleTime; t != nil {
		last = t.Time
	}
	due := s.Next(last)
	return !due.IsZero() && due.Before(suspended.Add(seenWithin))
}

// startingDeadline is how late a CronJob may still start; negative: any time.
func startingDeadline(c *batchv1.CronJob) time.Duration {
	if c.Spec.StartingDeadlineSeconds == nil {
		return -1
	}
	return time.Duration(*c.Spec.StartingDeadlineSeconds) * time.Second
}
