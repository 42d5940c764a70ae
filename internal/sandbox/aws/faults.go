package aws

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// FaultKind is what goes wrong with a call.
type FaultKind int

// The faults that can be switched on.
const (
	// Throttle refuses with HTTP 400, code Throttling, "Rate exceeded".
	Throttle FaultKind = iota + 1
	// ServerError refuses with HTTP 500, code InternalFailure.
	ServerError
	// PriorRequestNotComplete refuses as Route 53 does while it still works on an
	// earlier change of the zone; only for operations that change a zone.
	PriorRequestNotComplete
	// AccessDenied refuses with HTTP 403.
	AccessDenied
	// LostReply carries the call out, then cuts the connection.
	LostReply
	// LostRequest cuts the connection without carrying the call out.
	LostRequest
	// Delay makes the call wait for Fault.Delay before it is carried out.
	Delay
	// StaleReads makes Describe calls of ELB answer what was true before the newest
	// writes, as its eventual consistency does: the state of Fault.Delay ago, or,
	// without a delay, the state before the first write since it was switched on.
	// Times counts the answers that really were stale; one of the two must be set.
	// Only writes of the API are held back, never what the edge is told.
	StaleReads
)

// Fault is one thing that goes wrong, on purpose.
type Fault struct {
	Kind    FaultKind
	Service Service
	// Operation is the API's name of the call, as ChangeResourceRecordSets.
	// Empty means every call of the service.
	Operation string
	// Times is how many calls are hit; 0 means until cleared.
	Times int
	// Delay is how long calls wait (kind Delay), or by how much reads lag (StaleReads).
	Delay time.Duration
}

// fate is what the switched-on faults do to one call.
type fate struct {
	err         error
	lostReply   bool
	lostRequest bool
}

type armed struct {
	fault Fault
	left  int // calls still to hit; 0 with Times 0 means no limit
}

type faultBoard struct {
	mu    sync.Mutex
	armed []*armed // guarded by mu
}

func (b *faultBoard) add(f Fault) (func(), error) {
	if err := f.validate(); err != nil {
		return nil, err
	}
	a := &armed{fault: f, left: f.Times}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.armed = append(b.armed, a)
	return func() { b.remove(a) }, nil
}

func (b *faultBoard) remove(a *armed) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.armed = slices.DeleteFunc(b.armed, func(other *armed) bool { return other == a })
}

func (b *faultBoard) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.armed = nil
}

// meet uses up the faults that are switched on for a call and waits where they say so.
func (b *faultBoard) meet(ctx context.Context, req *request) fate {
	var f fate
	for _, fault := range b.take(req) {
		switch fault.Kind {
		case Delay:
			if !wait(ctx, fault.Delay) {
				f.lostRequest = true
			}
		case LostReply:
			f.lostReply = true
		case LostRequest:
			f.lostRequest = true
		case Throttle, ServerError, PriorRequestNotComplete, AccessDenied:
			if f.err == nil {
				f.err = fault.refusal(req)
			}
		}
	}
	return f
}

func (b *faultBoard) take(req *request) []Fault {
	b.mu.Lock()
	defer b.mu.Unlock()
	var hit []Fault
	b.armed = slices.DeleteFunc(b.armed, func(a *armed) bool {
		f := a.fault
		if f.Service != req.service || (f.Operation != "" && f.Operation != req.operation) {
			return false
		}
		hit = append(hit, f)
		a.left--
		return f.Times > 0 && a.left == 0
	})
	return hit
}

// wait reports whether the time passed before the client hung up.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (f Fault) validate() error {
	switch f.Service {
	case Route53, ELB, CloudWatch, STS, EKS:
	default:
		return fmt.Errorf("fault for the service %q: not a service of this AWS", f.Service)
	}
	switch f.Kind {
	case Throttle, ServerError, AccessDenied, LostReply, LostRequest:
	case Delay:
		if f.Delay <= 0 {
			return fmt.Errorf("fault of the kind Delay: the delay %s is not positive", f.Delay)
		}
	case PriorRequestNotComplete:
		if f.Operation != "ChangeResourceRecordSets" && f.Operation != "DeleteHostedZone" {
			return fmt.Errorf("fault PriorRequestNotComplete for %s %q: AWS never answers it there", f.Service, f.Operation)
		}
	default:
		return fmt.Errorf("fault of the unknown kind %d", f.Kind)
	}
	if f.Times < 0 {
		return fmt.Errorf("fault with the count %d: it can't be negative", f.Times)
	}
	return nil
}

func (f Fault) refusal(req *request) error {
	switch f.Kind {
	case Throttle:
		return badRequest("Throttling", "Rate exceeded")
	case PriorRequestNotComplete:
		return badRequest("PriorRequestNotComplete",
			"The request was rejected because Route 53 was still processing a prior request.")
	case AccessDenied:
		return refusal(http.StatusForbidden, "AccessDenied",
			"User is not authorized to perform: %s:%s because no identity-based policy allows the action", req.service, req.operation)
	default:
		return refusal(http.StatusInternalServerError, "InternalFailure", "We encountered an internal error. Please try again.")
	}
}

func unknownFaultError(f Fault) error {
	return fmt.Errorf("fault for %s %q: not an operation of this AWS", f.Service, f.Operation)
}
