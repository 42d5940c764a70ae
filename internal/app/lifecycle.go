package app

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/internal/logkey"
)

// lifecycle owns goroutines: each stage runs until it is told to stop, and
// stages stop in the reverse order of their start, one after the other, so
// that what a stage uses outlives it.
type lifecycle struct {
	log *zap.Logger
	// failed receives the first error of a stage that ended by itself. Several
	// lifecycles may share it.
	failed chan<- error

	mu     sync.Mutex // guards stages
	stages []*stage
}

type stage struct {
	name string
	stop context.CancelFunc
	done chan struct{}
}

func newLifecycle(log *zap.Logger, failed chan<- error) *lifecycle {
	return &lifecycle{log: log, failed: failed}
}

// start runs a stage in a goroutine of its own. The stage must return when its
// context ends.
func (l *lifecycle) start(ctx context.Context, name string, run func(context.Context) error) {
	// The stage ends when its turn in the order of stopping comes, not when
	// the program's context does.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &stage{name: name, stop: cancel, done: make(chan struct{})}
	l.mu.Lock()
	l.stages = append(l.stages, s)
	l.mu.Unlock()
	go func() {
		defer close(s.done)
		err := run(ctx)
		if err == nil && ctx.Err() != nil {
			return
		}
		if err == nil {
			err = fmt.Errorf("%s ended by itself", name)
		}
		select {
		case l.failed <- fmt.Errorf("running %s: %w", name, err):
		default: // the first failure stops the program; later ones follow from it
		}
	}()
}

// stop ends all stages, the last started first.
func (l *lifecycle) stop() {
	l.mu.Lock()
	stages := l.stages
	l.stages = nil
	l.mu.Unlock()
	for _, s := range slices.Backward(stages) {
		s.stop()
		<-s.done
		l.log.Debug("stage stopped", logkey.Stage(s.name))
	}
}
