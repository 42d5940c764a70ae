// Package doctest fails the tests when a document tells something that the code
// doesn't: a configuration that isn't loaded, a command or a make target that
// isn't there, a test that has gone, a link that leads nowhere.
//
// What is generated (docs/config.md, docs/metrics.md and others) is held fresh
// by the package that it is made from.
package doctest
