package elb

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// StickinessTag is the key of the tag that remembers the stickiness which a
// rollback switched off, as "off since=2026-11-25T10:00:00Z seconds=3600".
const StickinessTag = "clusterswitch.io/stickiness"

// longestStickiness is ELBv2's bound. API reference, TargetGroupStickinessConfig.
const longestStickiness = 604800 * time.Second

// unstick switches the action's stickiness off: clients that hold its cookie
// would go on to green whatever the weights say. A refusal changes nothing, for
// instance where a target group's own stickiness demands the action's. settled
// is false when AWS throttled it until the time was over.
func (a *Adapter) unstick(ctx context.Context, r *retreat, owed debt) (now debt, settled bool) {
	lasts := r.base.sticky()
	if lasts == 0 {
		return owed, true
	}
	for {
		done, ok := a.lane.slot(ctx)
		if !ok {
			return owed, false
		}
		actions := planStickiness(r.base.actions, false, 0)
		f, ok := a.modify(ctx, r.arn(), actions)
		done(throttled(f, ok))
		switch {
		case ok:
			r.base.actions = actions
			r.note("stickiness was switched off")
			return debt{unstuck: lasts}, true
		case f.Class == awsapi.Throttled:
			continue
		case f.Class == awsapi.Unreachable:
			// It may be off by now: then the tag must tell. Where it is on, the tag does no harm, and the next Commit tries again.
			r.note(fmt.Sprintf("stickiness may still be on (%s): clients may stay on green for up to %s", f, lasts))
			return debt{unstuck: lasts, lost: owed.lost + 1}, owed.lost+1 >= lostTries
		}
		r.note(fmt.Sprintf("stickiness stays on (%s): clients may stay on green for up to %s", f, lasts))
		return owed, true
	}
}

// unstuckTags are the tags that tell of stickiness which was switched off.
func unstuckTags(d debt, at time.Time) []types.Tag {
	if d.unstuck == 0 {
		return nil
	}
	text := fmt.Sprintf("off since=%s seconds=%d", at.UTC().Format(time.RFC3339), int(d.unstuck/time.Second))
	return []types.Tag{{Key: aws.String(StickinessTag), Value: aws.String(text)}}
}

// unstuckOf reads what unstuckTags wrote; nil: there is no such tag.
func unstuckOf(tags []types.Tag) (*shift.Unstuck, error) {
	text, ok := valueOf(tags, StickinessTag)
	if !ok {
		return nil, nil //nolint:nilnil // no tag is a valid answer, as in EntranceReading
	}
	since, seconds, err := parseUnstuck(text)
	if err != nil {
		return nil, fmt.Errorf("the tag %s, which tells of stickiness that a rollback switched off, can't be read: %w: switch stickiness on by hand and delete the tag", StickinessTag, err)
	}
	return &shift.Unstuck{At: since, For: seconds}, nil
}

func parseUnstuck(text string) (since time.Time, lasts time.Duration, err error) {
	fields := strings.Fields(text)
	if len(fields) == 0 || fields[0] != "off" {
		return time.Time{}, 0, fmt.Errorf("%q doesn't begin with off", text)
	}
	for _, f := range fields[1:] {
		key, value, _ := strings.Cut(f, "=")
		switch key {
		case "since":
			since, err = time.Parse(time.RFC3339, value)
		case "seconds":
			var n int64
			n, err = strconv.ParseInt(value, 10, 32)
			lasts = time.Duration(n) * time.Second
		}
		if err != nil {
			return time.Time{}, 0, fmt.Errorf("%q: %w", text, err)
		}
	}
	if since.IsZero() || lasts <= 0 || lasts > longestStickiness {
		return time.Time{}, 0, errors.New(strconv.Quote(text) + " lacks since or seconds")
	}
	return since, lasts, nil
}

// restick switches stickiness on again that a rollback switched off, on exactly
// the actions that Expected names, and takes the tag away that tells of it.
// Where a person switched it on or changed it meanwhile, only the tag goes.
func (a *Adapter) restick(ctx context.Context, t *turn) {
	if t.Expected.Unstuck == nil {
		t.answer(shift.Refused, time.Time{}, "nothing was written: no rollback switched stickiness off, as far as was read")
		return
	}
	if !a.asExpected(ctx, t) {
		return
	}
	lasts := t.Expected.Unstuck.For
	at := a.now()
	if on, stands := t.base.stickiness(); on || stands != 0 && stands != lasts {
		t.note("somebody set stickiness meanwhile, which stays as it is")
	} else {
		actions := planStickiness(t.base.actions, true, lasts)
		f, ok := a.modify(ctx, t.arn(), actions)
		at = a.now()
		switch {
		case !ok && f.Class == awsapi.Unreachable:
			t.answer(shift.Unknown, time.Time{}, "%s", f)
			return
		case !ok:
			t.answer(shift.Refused, time.Time{}, "nothing was written: %s", refusal(f, t.arn()))
			return
		}
		t.note(fmt.Sprintf("stickiness is on again, for %s", lasts))
		back, err := a.shown(ctx, t.arn(), func(got action) bool { return got.sticky() == lasts })
		switch {
		case err != nil:
			t.note(fmt.Sprintf("not read back: %s", err))
		case back.sticky() != lasts: // the tag stays, so that the next look can tell
			t.answer(shift.Unknown, at, "it reads back as sticky for %s", back.sticky())
			return
		}
	}
	if f, ok := a.removeTag(ctx, t.arn(), StickinessTag); !ok {
		t.answer(shift.Unknown, time.Time{}, "the tag %s stays: %s", StickinessTag, f)
		return
	}
	t.answer(shift.Applied, at, "")
}
