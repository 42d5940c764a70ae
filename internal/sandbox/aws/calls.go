package aws

import (
	"slices"
	"sync"
	"time"
)

// maxCalls bounds the call log, so that a sandbox can run for days.
const maxCalls = 100_000

// Call is one API call in the record that tests and benchmarks read.
type Call struct {
	Service   Service
	Operation string
	Resource  string    // zone id, ARN or name that the call was about
	At        time.Time // when the request had arrived
	Done      time.Time // when its answer was ready: applied, or refused
	Code      string    // AWS error code, empty when accepted
	Write     bool      // the operation changes something
	Applied   bool      // it was carried out, even if the answer was then lost
	Lost      bool      // a fault cut the connection instead of an answer
}

// callLog is append-only; only its oldest entries are forgotten.
type callLog struct {
	mu    sync.Mutex
	calls []Call // guarded by mu
}

func (l *callLog) add(c Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.calls) >= 2*maxCalls {
		l.calls = slices.Clone(l.calls[maxCalls:])
	}
	l.calls = append(l.calls, c)
}

func (l *callLog) list() []Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.calls[max(0, len(l.calls)-maxCalls):])
}
