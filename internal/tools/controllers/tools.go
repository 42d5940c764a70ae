//go:build tools

// Package controllers pins the versions of the programs that bring a cluster to
// life beside its API server, and of kubectl. They are of the same Kubernetes
// as the one that the module controlplane pins, but stand apart from it: what
// they need is no reason to build etcd and kube-apiserver anew.
package controllers

import (
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
	_ "k8s.io/kubernetes/cmd/kube-scheduler"
	_ "k8s.io/kubernetes/cmd/kubectl"
)
