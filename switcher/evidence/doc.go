// Package evidence tells a bad green from bad luck. It judges counts of users'
// requests, interval by interval, by tests that may be looked at after every
// interval and stopped at any: the more often one looks the more an ordinary test
// errs, these don't.
//
// # The comparison
//
// Given that K requests went bad on both sides together, how many of these were
// green's depends only on how many requests each side had and on how much worse
// green is. Whatever both suffer at once cancels: a database that is down, a
// daily wave, weights that change. So
//
//	green's bad | K ~ Binomial(K, θ·nGreen / (θ·nGreen + nBlue))
//
// and the likelihood of several θ above the tolerated one, against the tolerated
// one, is a bet that nobody wins against a green which is no worse: the chance
// that its capital ever reaches 1/α is at most α (Ville's inequality). Capital is
// put in when a step begins and, the rest, from interval to interval: what all was
// well before doesn't slow down what goes wrong late.
//
// Requests that fail together, or come in waves on one side only, make the counts
// more scattered than the binomial has them. How much is measured in blue's own
// past, before the shift, and divides each interval's gain; besides, no interval
// gains more than a bound. With these two the α is found by trying, not proven.
//
// # The limit
//
// The same bet against "green's ratio of bad requests is at most the limit". It
// counts where a limit is given, and where there is nothing to compare with: blue
// has no requests at 100 %.
//
// # Passing
//
// A pass is a claim of its own: the same machinery the other way round, against
// "green is twice as bad as blue" or "green is at its limit". It begins anew with
// each step.
//
// The package reads no clock and does no I/O; the same counts give the same
// answer.
package evidence
