package awsapi

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/smithy-go/middleware"
)

// woken is the context of a process that was paused: its time is over, and its
// timer has not fired yet.
type woken struct{ context.Context }

func (woken) Deadline() (time.Time, bool) { return time.Now().Add(-time.Millisecond), true }

func TestACallWhoseTimeIsOverNeverLeaves(t *testing.T) {
	t.Parallel()
	for name, free := range map[string]bool{"within the budget": false, "past the budget": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			left := 0
			next := middleware.FinalizeHandlerFunc(func(context.Context, middleware.FinalizeInput) (out middleware.FinalizeOutput, m middleware.Metadata, err error) {
				left++
				return out, m, nil
			})
			g := gate{account: "111122223333", budgets: newBudgets(Budgets{}), meter: silent{}, free: free}
			_, _, err := g.pass(woken{t.Context()}, middleware.FinalizeInput{}, next)
			if left != 0 || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%d calls left, error %v; want none, and that the time is over", left, err)
			}
			if _, _, err := g.pass(t.Context(), middleware.FinalizeInput{}, next); left != 1 || err != nil {
				t.Errorf("in time %d calls left, error %v; want one", left, err)
			}
		})
	}
}
