package aws

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"
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
	// ServiceUnavailable refuses with HTTP 503, code ServiceUnavailable.
	ServiceUnavailable
	// ExpiredCredentials refuses with HTTP 403, code ExpiredToken (EKS and CloudWatch:
	// ExpiredTokenException).
	ExpiredCredentials
	// SlowSync lets a change of a zone stay PENDING for Fault.Delay longer than
	// Options.Propagation. Listings show it at once as ever, and answers follow it
	// when it is INSYNC. Later changes of the zone wait for it. Only for Route 53's
	// ChangeResourceRecordSets.
	SlowSync
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
	// Resource is the one resource whose calls are hit: the id of a hosted zone, a
	// change or a health check (with or without its path before it), or an ARN or
	// name as Call.Resource has it. Empty means every one.
	Resource string
	// RecordType hits only batches that touch record sets of that type, as a policy
	// with the condition route53:ChangeResourceRecordSetsRecordTypes would; only
	// for ChangeResourceRecordSets. Empty means every call.
	RecordType string
	// Times is how many calls are hit; 0 means until cleared.
	Times int
	// Delay is how long calls wait (kind Delay), how much longer a change is PENDING
	// (SlowSync), or by how much reads lag (StaleReads).
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
	if f.Service == Route53 {
		f.Resource = f.Resource[strings.LastIndex(f.Resource, "/")+1:]
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
		case SlowSync:
			req.slowSync += fault.Delay
		case Throttle, ServerError, PriorRequestNotComplete, AccessDenied, ServiceUnavailable, ExpiredCredentials:
			if f.err == nil {
				f.err = fault.refusal(req)
			}
		case StaleReads: // is the load balancers' store's, not the board's
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
		if !f.hits(req) {
			return false
		}
		hit = append(hit, f)
		a.left--
		return f.Times > 0 && a.left == 0
	})
	return hit
}

// hits reports whether a call is one of those that the fault is for.
func (f Fault) hits(req *request) bool {
	switch {
	case f.Service != req.service, f.Operation != "" && f.Operation != req.operation:
		return false
	case f.Resource != "" && f.Resource != req.resource:
		return false
	}
	return f.RecordType == "" || touchesType(req.body, f.RecordType)
}

// touchesType reports whether a batch has a change of a record type. One that
// isn't a batch has none.
func touchesType(body []byte, typ string) bool {
	var in xmlChangeRequest
	return xml.Unmarshal(body, &in) == nil &&
		slices.ContainsFunc(in.Changes, func(c xmlChange) bool { return c.ResourceRecordSet.Type == typ })
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

// changesSets reports whether the fault is for batches of changes alone.
func (f Fault) changesSets() bool {
	return f.Service == Route53 && f.Operation == "ChangeResourceRecordSets"
}

func (f Fault) validate() error {
	switch f.Service {
	case Route53, ELB, CloudWatch, STS, EKS, IAM:
	default:
		return fmt.Errorf("fault for the service %q: not a service of this AWS", f.Service)
	}
	switch {
	case f.Resource != "" && f.Service != Route53 && f.Service != ELB:
		return fmt.Errorf("fault for the resource %s of %s: calls of this service have none", f.Resource, f.Service)
	case f.RecordType != "" && !f.changesSets():
		return fmt.Errorf("fault for the record type %s of %s %q: only ChangeResourceRecordSets has record types", f.RecordType, f.Service, f.Operation)
	case f.Times < 0:
		return fmt.Errorf("fault with the count %d: it can't be negative", f.Times)
	}
	return f.validateKind()
}

func (f Fault) validateKind() error {
	switch f.Kind {
	case Throttle, ServerError, AccessDenied, LostReply, LostRequest, ServiceUnavailable, ExpiredCredentials:
	case Delay, SlowSync:
		if f.Delay <= 0 {
			return fmt.Errorf("fault of the kind Delay or SlowSync: the delay %s is not positive", f.Delay)
		}
		if f.Kind == SlowSync && !f.changesSets() {
			return fmt.Errorf("fault SlowSync for %s %q: only ChangeResourceRecordSets makes a change that propagates", f.Service, f.Operation)
		}
	case PriorRequestNotComplete:
		if !f.changesSets() && (f.Service != Route53 || f.Operation != "DeleteHostedZone") {
			return fmt.Errorf("fault PriorRequestNotComplete for %s %q: AWS never answers it there", f.Service, f.Operation)
		}
	default:
		return fmt.Errorf("fault of the unknown kind %d", f.Kind)
	}
	return nil
}

func (f Fault) refusal(req *request) error {
	switch f.Kind {
	case Throttle:
		return rateExceeded()
	case PriorRequestNotComplete:
		return priorRequestNotComplete()
	case AccessDenied:
		return accessDenied(req)
	case ExpiredCredentials:
		return expiredToken(req.service)
	case ServiceUnavailable:
		return refusal(http.StatusServiceUnavailable, "ServiceUnavailable", "Service is unavailable. Please try again.")
	default:
		return refusal(http.StatusInternalServerError, "InternalFailure", "We encountered an internal error. Please try again.")
	}
}

// rateExceeded is how calls are refused that are too many.
func rateExceeded() error { return badRequest("Throttling", "Rate exceeded") }

// priorRequestNotComplete is how a zone refuses changes while it works on one.
func priorRequestNotComplete() error {
	return badRequest("PriorRequestNotComplete",
		"The request was rejected because Route 53 was still processing a prior request.")
}

func accessDenied(req *request) error {
	resource := "*"
	if req.service == Route53 && len(req.segments) > 1 {
		resource = "arn:aws:route53:::" + req.segments[0] + "/" + req.segments[1]
	}
	return refusal(http.StatusForbidden, "AccessDenied",
		"User: %s is not authorized to perform: %s:%s on resource: %s because no identity-based policy allows the %[2]s:%[3]s action",
		req.caller.arn, req.service, req.operation, resource)
}

func unknownFaultError(f Fault) error {
	return fmt.Errorf("fault for %s %q: not an operation of this AWS", f.Service, f.Operation)
}
