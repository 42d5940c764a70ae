package baton

import (
	"maps"
	"slices"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Reading is what the singletons of one cluster are like. Its zero value is that
// of a cluster that was not read yet.
type Reading struct {
	sides map[string]shift.SingletonSide
	// absent is the side of what was looked for and isn't there, by key.place.
	absent map[string]shift.SingletonSide
}

// Unread is the reading of a cluster that there is no way to. why says what is in
// the way; the order says what is unknown by that.
func Unread(o Order, why string) Reading {
	r := Reading{sides: map[string]shift.SingletonSide{}, absent: map[string]shift.SingletonSide{}}
	for _, k := range o.keys() {
		r.sides[k.String()] = shift.SingletonSide{Err: why}
		r.absent[k.place()] = shift.SingletonSide{Err: why}
	}
	return r
}

// Of gives the side of one singleton.
func (r Reading) Of(name string) shift.SingletonSide {
	if s, known := r.sides[name]; known {
		return s
	}
	if k, ok := parseKey(name); ok {
		if s, looked := r.absent[k.place()]; looked {
			return s
		}
	}
	return shift.SingletonSide{Err: "it was not read yet"}
}

// Join gives each singleton that either cluster has, or that was looked for by its
// name, with both its sides; ordered by key.
func Join(blue, green Reading) []shift.SingletonReading {
	keys := maps.Clone(blue.sides)
	if keys == nil {
		keys = map[string]shift.SingletonSide{}
	}
	maps.Copy(keys, green.sides)
	var all []shift.SingletonReading
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		all = append(all, shift.SingletonReading{Key: k, Blue: blue.Of(k), Green: green.Of(k)})
	}
	return all
}
