// Package logkey names every log key once, so that one fact is found under one
// key wherever it was logged.
package logkey

import (
	"time"

	"go.uber.org/zap"
)

// Pair is the pair that the line is about.
func Pair(name string) zap.Field { return zap.String("pair", name) }

// Attempt is the shift's attempt.
func Attempt(n int) zap.Field { return zap.Int("attempt", n) }

// Epoch counts the daemons that took charge of the pair.
func Epoch(n int64) zap.Field { return zap.Int64("epoch", n) }

// Phase is the pair's phase.
func Phase(p string) zap.Field { return zap.String("phase", p) }

// Share is the intended share in percent.
func Share(s int) zap.Field { return zap.Int("share", s) }

// Step is the step that was entered, from 1; 0 before the first.
func Step(n int) zap.Field { return zap.Int("step", n) }

// Reason is the decision's reason.
func Reason(r string) zap.Field { return zap.String("reason", r) }

// Explanation is the decision's sentence for people.
func Explanation(m string) zap.Field { return zap.String("explanation", m) }

// Entrance is the entrance that was written or read.
func Entrance(name string) zap.Field { return zap.String("entrance", name) }

// Wanted is the share that a write asked for, in percent.
func Wanted(s int) zap.Field { return zap.Int("wanted", s) }

// Priority is the write's priority.
func Priority(p string) zap.Field { return zap.String("priority", p) }

// Outcome is what became of a write.
func Outcome(o string) zap.Field { return zap.String("outcome", o) }

// Note is what the adapter adds to an outcome.
func Note(n string) zap.Field { return zap.String("note", n) }

// Duration is how long something took.
func Duration(d time.Duration) zap.Field { return zap.Duration("duration", d) }

// Cluster is blue or green, or how the configuration names the cluster.
func Cluster(side string) zap.Field { return zap.String("cluster", side) }

// Probe is the probe's name.
func Probe(name string) zap.Field { return zap.String("probe", name) }

// Address is what a server listens on.
func Address(a string) zap.Field { return zap.String("address", a) }

// File is the configuration file.
func File(path string) zap.Field { return zap.String("file", path) }

// Version is the build's version.
func Version(v string) zap.Field { return zap.String("version", v) }

// Cause is why the program stops.
func Cause(err error) zap.Field { return zap.NamedError("cause", err) }

// Stage is the part of the program that is started or stopped.
func Stage(name string) zap.Field { return zap.String("stage", name) }

// Resource is a kind of Kubernetes objects, and their namespace where one is named: "pods in shop".
func Resource(what string) zap.Field { return zap.String("resource", what) }

// Key is a key of the configuration.
func Key(name string) zap.Field { return zap.String("key", name) }

// Holder is the process that holds the lease.
func Holder(identity string) zap.Field { return zap.String("holder", identity) }

// Term counts how often this process won the lease.
func Term(n int64) zap.Field { return zap.Int64("term", n) }

// Stack is the stack of a goroutine that panicked.
func Stack(stack []byte) zap.Field { return zap.ByteString("stack", stack) }

// Target is who is notified, by its name in the configuration.
func Target(name string) zap.Field { return zap.String("target", name) }
