package cli

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
)

// stands is a TrafficSwitch whose daemon has seen all that is asked for.
func stands(phase string, share, attempt int) *v1alpha1.TrafficSwitch {
	t := &v1alpha1.TrafficSwitch{}
	t.Name, t.Generation = "shop", 1
	t.Status = v1alpha1.TrafficSwitchStatus{
		Phase: phase, Share: share, Attempt: attempt, Reason: "Holding", Message: "10m", ObservedGeneration: 1,
		UpdatedAt: metav1.NewTime(storyTime()),
	}
	return t
}

func askedAnew(t *v1alpha1.TrafficSwitch) *v1alpha1.TrafficSwitch {
	t.Generation, t.Spec.Attempt = 2, t.Status.Attempt+1
	return t
}

// seen: the daemon has seen what was asked for anew.
func seen(t *v1alpha1.TrafficSwitch) *v1alpha1.TrafficSwitch {
	t.Generation, t.Status.ObservedGeneration = 2, 2
	return t
}

func sentBack(t *v1alpha1.TrafficSwitch) *v1alpha1.TrafficSwitch {
	t.Status.Rollback = &v1alpha1.Rollback{By: "gate errors", Why: "7 of 90 requests failed"}
	return t
}

func flagged(t *v1alpha1.TrafficSwitch) *v1alpha1.TrafficSwitch {
	t.Spec.Rollback = true
	return t
}

func TestWaitEndsWhenTheShiftDoes(t *testing.T) {
	type looks []any // a *TrafficSwitch or an error each; the last one stays
	for name, c := range map[string]struct {
		goal    string
		looks   looks
		status  int
		says    string // within output and error
		timeout time.Duration
	}{
		"a shift that completes":                      {forCompleted, looks{stands("Shifting", 10, 1), stands("Shifting", 50, 1), stands("Standby", 100, 1), stands("Completed", 100, 1)}, 0, "Standby 100%  Holding: 10m", time.Hour},
		"standby is enough for some":                  {forStandby, looks{stands("Shifting", 10, 1), stands("Standby", 100, 1)}, 0, "shop is standby.", time.Hour},
		"completion comes after standby":              {forStandby, looks{stands("Completed", 100, 1)}, 0, "shop is standby.", time.Hour},
		"a shift that is rolled back":                 {forCompleted, looks{stands("Shifting", 10, 1), sentBack(stands("RollingBack", 10, 1))}, 1, "it was rolled back by gate errors: 7 of 90 requests failed", time.Hour},
		"a planned way back":                          {forCompleted, looks{stands("Returning", 75, 2)}, 1, "planned way back", time.Hour},
		"the end of the attempt before doesn't count": {forCompleted, looks{askedAnew(stands("RolledBack", 0, 1))}, 3, "RolledBack 0%", 10 * time.Second},
		"the end of the one that was asked for does":  {forCompleted, looks{askedAnew(stands("RolledBack", 0, 1)), seen(stands("Completed", 100, 2))}, 0, "shop is completed.", time.Hour},
		"nor does a status from before the flag":      {forRolledBack, looks{askedAnew(stands("RolledBack", 0, 1))}, 3, "is not rolledback within 10s", 10 * time.Second},
		"a rollback that ends":                        {forRolledBack, looks{stands("RollingBack", 30, 1), stands("RolledBack", 0, 1)}, 0, "shop is rolledback.", time.Hour},
		"a rollback of what never began":              {forRolledBack, looks{flagged(stands("Idle", 0, 0))}, 0, "shop is rolledback.", time.Hour},
		"at rest without a flag isn't rolled back":    {forRolledBack, looks{stands("Idle", 0, 0)}, 3, "stands at: Idle 0%", 10 * time.Second},
		"no daemon":                              {forCompleted, looks{&v1alpha1.TrafficSwitch{}}, 3, "no daemon has said anything yet", 10 * time.Second},
		"a daemon that can't see AWS":            {forCompleted, looks{stands("", 0, 0)}, 3, "unknown  Holding: 10m", 10 * time.Second},
		"an API server that is away for a while": {forCompleted, looks{errors.New("connection refused"), errors.New("connection refused"), stands("Completed", 100, 1)}, 0, "WARNING: connection refused; trying again.", time.Hour},
		"an API server that stays away":          {forCompleted, looks{errors.New("connection refused")}, 3, "stands at: connection refused", 10 * time.Second},
		"a pair that nobody has":                 {forCompleted, looks{noPairError{errors.New("there is no pair")}}, 1, "there is no pair", time.Hour},
		"one look":                               {forCompleted, looks{stands("Shifting", 10, 1), stands("Completed", 100, 1)}, 3, "not completed within 0s", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var said bytes.Buffer
				next := 0
				look := func(context.Context) (*v1alpha1.TrafficSwitch, error) {
					answer := c.looks[min(next, len(c.looks)-1)]
					next++
					if err, failed := answer.(error); failed {
						return nil, err
					}
					return answer.(*v1alpha1.TrafficSwitch), nil
				}
				p := &program{out: &paper{w: &said}, err: &paper{w: &said}, begun: true}
				w := waiting{goal: c.goal, pair: "shop", out: p.out, err: p.err, look: look, every: waitLook}
				status := p.exit(p.root(), w.until(t.Context(), c.timeout))
				if status != c.status || !strings.Contains(said.String(), c.says) {
					t.Errorf("exit status %d, want %d; it says, without %q:\n%s", status, c.status, c.says, said.String())
				}
				if n := strings.Count(said.String(), "connection refused; trying"); n > 1 {
					t.Errorf("it says the same trouble %d times:\n%s", n, said.String())
				}
			})
		})
	}
}

func TestWaitSaysThatItWasBrokenOff(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	stop(errors.New("interrupt"))
	w := waiting{
		goal: forCompleted, pair: "shop", out: &paper{w: &bytes.Buffer{}}, err: &paper{w: &bytes.Buffer{}}, every: waitLook,
		look: func(context.Context) (*v1alpha1.TrafficSwitch, error) { return stands("Shifting", 10, 1), nil },
	}
	err := w.until(ctx, time.Hour)
	if err == nil || !strings.Contains(err.Error(), "broken off (interrupt)") {
		t.Errorf("it ends with %v", err)
	}
}

// TestWaitSaysThatNobodyIsThereToDoIt lets a daemon die while it is waited for.
func TestWaitSaysThatNobodyIsThereToDoIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		died := stands("RollingBack", 30, 1)
		died.Status.UpdatedAt = metav1.NewTime(time.Now())
		h := hand{now: time.Now}
		w := waiting{
			goal: forRolledBack, pair: "shop", out: &paper{w: &said}, err: &paper{w: &said}, every: waitLook, silent: h.silent,
			look: func(context.Context) (*v1alpha1.TrafficSwitch, error) { return died, nil },
		}
		err := w.until(t.Context(), 10*time.Minute)
		const warning = "WARNING: the status of shop was last written at 2000-01-01 00:00:00 UTC, 2m0s ago: unless the configured interval is that long, no daemon is running.\n"
		if !isType[unknownError](err) || strings.Count(said.String(), "WARNING") != 1 || !strings.HasSuffix(said.String(), warning) {
			t.Errorf("it ends with %v, and says:\n%s\nwhich should end with\n%s", err, said.String(), warning)
		}
	})
}
