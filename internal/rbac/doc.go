// Package rbac knows the rights that clusterswitch needs at the API servers of
// blue and green: for everything that the code asks of them a line with its
// why, and for what a configuration names the least manifest that allows it.
package rbac
