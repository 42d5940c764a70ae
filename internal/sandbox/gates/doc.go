// Package gates plays hours of made-up traffic against the gates by evidence, as
// they are in switcher/evidence, and beside them what others judge a release by: a
// threshold with a count of failed checks, a Mann–Whitney test, and a z-test that
// is repeated. It says how often each goes back from a green that is no worse, how
// soon each finds one that is, and how often a bad one passes.
//
// Everything is drawn from a seed. An hour's draws depend on the seed, the row and
// the number of the hour only, so that a run can be repeated whatever the machine
// does in the meantime.
package gates
