// Package kube watches one cluster and hands out snapshots of its workloads.
//
// A snapshot is known to be current only as long as three things hold at the
// same time: the API server answers, every kind of object was listed, and every
// watch is open since before the API server was asked. Otherwise the cluster is
// unknown: a cache that nobody refreshes looks healthy for ever.
package kube
