// Package runbook keeps the way back by hand: the plain AWS CLI commands that
// give blue all traffic of a pair, with what a person must know around them. It
// is for the day when clusterswitch itself can't help.
package runbook
