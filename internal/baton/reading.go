package baton

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Reading is what the singletons of one cluster are like, by key. Besides it has
// for each namespace in which CronJobs were looked for the key "CronJob
// NAMESPACE/*": it says whether those that aren't in the reading are absent, or
// unknown. A nil one is that of a cluster that was not read yet.
type Reading map[string]shift.SingletonSide

// Unread is a reading of a cluster that there is no way to. why says what is in
// the way. What the order names, and what was known before, is unknown.
func Unread(o Order, before Reading, why string) Reading {
	r := Reading{}
	for k := range before {
		r[k] = shift.SingletonSide{Err: why}
	}
	for _, k := range o.keys() {
		r[k.String()] = shift.SingletonSide{Err: why}
		r[k.place()] = shift.SingletonSide{Err: why}
	}
	return r
}

// Of gives the side of one singleton.
func (r Reading) Of(name string) shift.SingletonSide {
	if s, known := r[name]; known {
		return s
	}
	if k, ok := parseKey(name); ok {
		if s, looked := r[k.place()]; looked {
			return s
		}
	}
	return shift.SingletonSide{Err: "it was not read yet"}
}

// Trouble says what could not be read or written; nil: nothing.
func (r Reading) Trouble() error {
	var said []string
	for _, k := range slices.Sorted(maps.Keys(r)) {
		if why := cmp.Or(r[k].Err, r[k].Refused); why != "" && !strings.Contains(strings.Join(said, "; "), why) {
			said = append(said, k+": "+why)
		}
	}
	const most = 3
	if n := len(said); n > most {
		said = append(said[:most], fmt.Sprintf("and %d more", n-most))
	}
	if len(said) == 0 {
		return nil
	}
	return errors.New(strings.Join(said, "; "))
}

// Join gives each singleton that the order names, or that either cluster has, with
// both its sides; ordered by key. Where a whole namespace is to be looked at and
// none of its CronJobs is known, because it can't be read, the pattern stands for
// them.
func Join(o Order, blue, green Reading) []shift.SingletonReading {
	keys := map[string]bool{}
	for _, k := range o.keys() {
		keys[k.String()] = true
	}
	for _, r := range []Reading{blue, green} {
		for k := range r {
			keys[k] = true
		}
	}
	for name := range maps.Clone(keys) {
		k, ok := parseKey(name)
		if !ok || k.name == anyName {
			continue
		}
		delete(keys, k.namespaceKey())
	}
	var all []shift.SingletonReading
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		s := shift.SingletonReading{Key: name, Blue: blue.Of(name), Green: green.Of(name)}
		if k, ok := parseKey(name); ok && k.name == anyName && s.Blue.Err == "" && s.Green.Err == "" {
			continue // there is none
		}
		all = append(all, s)
	}
	return all
}
