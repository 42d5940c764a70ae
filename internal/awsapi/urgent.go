package awsapi

import "context"

type urgentKey struct{}

// Urgent marks the calls of a rollback. They may take the reserve of a budget
// and are never held back by the daemon; while AWS throttles them, all other
// calls wait.
func Urgent(ctx context.Context) context.Context {
	return context.WithValue(ctx, urgentKey{}, true)
}

// IsUrgent tells whether the context was marked with Urgent.
func IsUrgent(ctx context.Context) bool {
	return ctx.Value(urgentKey{}) != nil
}
