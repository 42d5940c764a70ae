// Package explore tries everything that two replicas of the daemon can do to one
// entrance in one shift: it runs the real loop (switcher.Step with the real core)
// from each state of a small world into each that can follow, until there is
// none that it hasn't seen. The simulator (package sim) goes far, by chance;
// this one goes everywhere, in a small world.
//
// A world has two replicas, one entrance (Route 53 or a load balancer), a plan of
// three steps, a journal with compare-and-swap, and a lease. In it, wherever that
// can happen, as often as Options say: a replica dies and starts anew; a write to
// AWS or to the journal goes without an answer, and lands later or never; the
// leader can't renew its lease; a person asks for a rollback, and each replica
// hears of that on its own time. Calls of both replicas take effect in every order.
// Time passes only while nothing is due or under way, but for Options.Pauses.
//
// A state is all that decides what can follow: what AWS and the journal hold, the
// replicas' memories, how far each is in its turn and what it was told in it,
// what is under way, and how long ago everything was. Time moves in strides;
// what is older than any bound of the loop's counts as equally old.
package explore
