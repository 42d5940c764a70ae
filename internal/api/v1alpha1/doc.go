// +groupName=clusterswitch.io
// +kubebuilder:object:generate=true

// Package v1alpha1 holds the custom resource TrafficSwitch of API group
// clusterswitch.io: what people ask for one pair of clusters, and what the
// daemon says about it.
//
// The deepcopy functions and the CRD beside this file are made from the types
// by controller-gen ("make gen"); a test fails when they are stale.
package v1alpha1
