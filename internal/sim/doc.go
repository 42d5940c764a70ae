// Package sim is a world in one goroutine: two or three replicas of the real
// loop (switcher.Step) with the real core, simulated AWS, API server, metrics,
// people and clocks, and every fault that a seed draws. A judge of its own holds
// what takes effect in the simulated AWS against docs/rules.md.
//
// Nothing in it reads the wall clock, the order of a map or the scheduler of
// goroutines: the same seed gives the same trace, byte for byte. Replicas are
// coroutines that give up control at each call to a port, where the scheduler
// lets time pass and faults happen.
package sim
