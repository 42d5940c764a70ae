package awsapi

import "context"

// Counter is told of the calls that somebody caused, beside the Meter. Its method
// must not block and may be called by several goroutines.
type Counter interface {
	// Called is as a Meter's.
	Called(service, operation, outcome string)
}

type counterKey struct{}

// Counted lets a Counter hear of every call that is made with the context, or with one
// that comes of it. A call that answers several at once counts for the one who made it.
func Counted(ctx context.Context, c Counter) context.Context {
	return context.WithValue(ctx, counterKey{}, c)
}

// called tells the Meter of a try, and who caused it.
func (g gate) called(ctx context.Context, service, operation, outcome string) {
	g.meter.Called(service, operation, outcome)
	if c, ok := ctx.Value(counterKey{}).(Counter); ok {
		c.Called(service, operation, outcome)
	}
}
