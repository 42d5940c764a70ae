// Package probes runs probes on a schedule and keeps their recent history.
//
// A probe is a function that returns nil when what it looked at is good. The package knows HTTP, TCP,
// TLS, gRPC, DNS and WebSocket, and a Service through a Kubernetes API server. A Runner runs each probe by itself, never twice at the same time, and hands
// out what it saw as plain values. It judges only whether a probe passes; what that means for the traffic is decided
// elsewhere.
package probes
