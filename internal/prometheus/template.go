package prometheus

import "fmt"

// Queries are what a template, or a user, says to count by.
type Queries struct {
	Requests, Errors, Buckets string
	// ErrorsMayBeAbsent as in CounterQuery.
	ErrorsMayBeAbsent bool
}

// Template gives the queries of a template: istio, linkerd, ingress-nginx or
// envoy-gateway. match are labels that every series must have.
func Template(name string, match map[string]string) (Queries, error) {
	return Queries{}, fmt.Errorf("there is no template %q", name)
}
