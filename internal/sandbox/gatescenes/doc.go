// Package gatescenes plays shifts whose gates count users' requests: by a real
// Prometheus that scrapes the pods, and by the CloudWatch of the embedded AWS. Green
// fails, both sides fail, and what counts goes wrong in every way it does in life.
// The daemon is the real one.
package gatescenes
