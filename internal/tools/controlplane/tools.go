//go:build tools

// Package controlplane pins the versions of the real Kubernetes control plane
// that the sandbox and the tests run. It is a module of its own so that none of
// this enters the product's dependency list.
package controlplane

import (
	_ "go.etcd.io/etcd/server/v3"
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
)
