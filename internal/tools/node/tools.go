//go:build tools

// Package node pins the versions of the programs that make a real node of a
// machine. They are of the same Kubernetes as the one that the module
// controlplane pins, but stand apart from it and from the controllers: only the
// proof on a real node needs them, and what they need is no reason to build the
// others anew.
package node

import (
	_ "k8s.io/kubernetes/cmd/kube-proxy"
	_ "k8s.io/kubernetes/cmd/kubelet"
)
