// Package planted tries the preflight at real clusters. Two control planes with
// their controllers are filled alike with what people really run; the preflight
// must find nothing that blocks. Then differences are planted, one after the other
// of them known by name: each must be found under its own id, and nothing else.
//
// The preflight is the released binary in a process of its own, and what it says
// is read from its JSON.
package planted
