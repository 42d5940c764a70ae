package app

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	zapobserver "go.uber.org/zap/zaptest/observer"
)

// A bubble ends only when all its goroutines have: nobody leaks.
func TestStagesStopInReverseOrderOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		life := newLifecycle(zap.NewNop(), make(chan error, 1))
		var stopped []string
		ctx, cancel := context.WithCancel(t.Context())
		for _, name := range []string{"pages", "journal watch", "pairs"} {
			life.start(ctx, name, func(ctx context.Context) error {
				<-ctx.Done()
				time.Sleep(time.Second) // the next one must wait for it
				stopped = append(stopped, name)
				return nil
			})
		}
		cancel() // the program's end alone stops no stage
		synctest.Wait()
		if len(stopped) != 0 {
			t.Errorf("%v stopped before their turn", stopped)
		}
		began := time.Now()
		life.stop()
		if diff := cmp.Diff([]string{"pairs", "journal watch", "pages"}, stopped); diff != "" {
			t.Errorf("order of stopping (-want +got):\n%s", diff)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("stopping took %s, want each second after the other", took)
		}
		life.stop() // once more does nothing
	})
}

func TestStageThatEndsByItselfIsAFailure(t *testing.T) {
	broken := errors.New("address in use")
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"with an error":    {broken, "running pages: address in use"},
		"without an error": {nil, "running pages: pages ended by itself"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				failed := make(chan error, 1)
				life := newLifecycle(zap.NewNop(), failed)
				life.start(t.Context(), "pages", func(context.Context) error { return test.err })
				life.start(t.Context(), "pairs", func(ctx context.Context) error { <-ctx.Done(); return nil })
				if err := <-failed; err.Error() != test.want || !errors.Is(err, test.err) && test.err != nil {
					t.Errorf("the failure is %q, want %q", err, test.want)
				}
				// A second failure, of another lifecycle, blocks nobody.
				failed <- broken
				other := newLifecycle(zap.NewNop(), failed)
				other.start(t.Context(), "probes", func(context.Context) error { return broken })
				other.stop()
				life.stop()
			})
		})
	}
}

// Others get the lease as soon as nothing is written any more. Last words to those who
// are told of things may take a while, and must not keep it from them.
func TestTheLeaseIsGivenBackBeforeTheLastWords(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	t.Chdir(t.TempDir())
	kubeconfigAt(t, "management.yaml", "http://127.0.0.1:1")
	core, logs := zapobserver.New(zap.DebugLevel)
	c := parsed(t, document("shop", ""))
	a, err := New(t.Context(), Options{Config: c, Version: "v0.0.0", Logger: zap.New(core)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := a.Run(ctx); err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, line := range logs.FilterMessage("stage stopped").All() {
		if stage := fmt.Sprint(line.ContextMap()["stage"]); stage == "pairs" || stage == "lease" || stage == "notifications" {
			order = append(order, stage)
		}
	}
	if diff := cmp.Diff([]string{"pairs", "lease", "notifications"}, order); diff != "" {
		t.Errorf("the order of stopping (-want +got):\n%s", diff)
	}
}
