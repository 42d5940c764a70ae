package facts

// Metrics is which metrics the Prometheus servers of both clusters have.
type Metrics struct{}

// Query is one PromQL expression that somebody relies on.
type Query struct{}
