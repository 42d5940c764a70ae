package awsapi

import (
	"context"
	"fmt"
	"strings"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// Meter is told of every call to AWS. Its methods must not block and may be
// called by several goroutines.
type Meter interface {
	// Called tells of one try, the SDK's own repetitions included. service is the
	// SDK's name in lower case without spaces, as "route53"; operation is AWS's,
	// as "ListResourceRecordSets"; outcome is "ok", "held" for one that the daemon's
	// own budget kept from going out, or the Class of AWS's refusal, with underscores.
	Called(service, operation, outcome string)
	// Waited tells how long a try was held back by the daemon's own budget.
	Waited(service string, waited time.Duration)
}

// The outcomes of a call that aren't a Class.
const (
	outcomeOK   = "ok"
	outcomeHeld = "held"
)

func (c Class) outcome() string { return strings.ReplaceAll(c.String(), " ", "_") }

// silent is the Meter of those who don't measure.
type silent struct{}

func (silent) Called(string, string, string) {}

func (silent) Waited(string, time.Duration) {}

// gate stands in the way of one account's calls.
type gate struct {
	account string
	budgets *budgets
	meter   Meter
	clock   *clock
	// free lets every call pass at once and only counts it.
	free bool
}

// install puts the gate inside of the SDK's loop of tries, so that each of them
// counts, and behind the credentials: fetching those may take a call of its own,
// and a signature must not age in the line.
func (g gate) install(stack *middleware.Stack) error {
	pass := middleware.FinalizeMiddlewareFunc("ClusterswitchBudget", g.pass)
	if err := stack.Finalize.Insert(pass, "Signing", middleware.Before); err != nil {
		return fmt.Errorf("putting the budget in the way of AWS calls: %w", err)
	}
	return nil
}

func (g gate) pass(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	middleware.FinalizeOutput, middleware.Metadata, error,
) {
	service, operation := awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx)
	name := strings.ToLower(strings.ReplaceAll(service, " ", ""))
	if g.free {
		out, metadata, err := send(ctx, in, next)
		g.called(ctx, name, operation, outcomeOf(err))
		return out, metadata, err
	}
	k := bucketKey{account: g.account, service: service, region: awsmiddleware.GetRegion(ctx)}
	if service == serviceRoute53 {
		k.region = "" // one bucket for the account, from wherever it is called
	}
	waited, err := g.budgets.admit(ctx, k)
	if waited > 0 {
		g.meter.Waited(name, waited)
	}
	if err != nil {
		g.called(ctx, name, operation, outcomeHeld)
		return middleware.FinalizeOutput{}, middleware.Metadata{}, err
	}
	sent := time.Now()
	out, metadata, err := send(ctx, in, next)
	g.clock.heard(metadata, sent, time.Now())
	g.called(ctx, name, operation, outcomeOf(err))
	g.budgets.answered(k, answer{urgent: IsUrgent(ctx), sent: sent, err: err})
	return out, metadata, err
}

// send lets a call go whose time isn't over. A process that was paused wakes with
// its timers still to fire, while another may hold its lease by now.
func send(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	middleware.FinalizeOutput, middleware.Metadata, error,
) {
	if end, ok := ctx.Deadline(); ok && !time.Now().Before(end) {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, context.DeadlineExceeded
	}
	return next.HandleFinalize(ctx, in)
}

func outcomeOf(err error) string {
	if err == nil {
		return outcomeOK
	}
	return Classify(err).Class.outcome()
}
