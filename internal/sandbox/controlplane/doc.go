// Package controlplane runs real Kubernetes control planes on this machine:
// one etcd and one kube-apiserver each, nothing else unless asked. The sandbox
// gives its management, blue and green clusters one each; tests share one per
// package (see package cptest).
//
// What is real: the API with its storage, validation, watches, RBAC, custom
// resources and the service proxy. Without Options.Controllers there is no
// controller-manager, no scheduler and no kubelet, so nothing creates pods for a
// Deployment and nothing removes a namespace; package fleet plays these parts.
// With it, the real controller-manager and scheduler run, and kwok plays nodes
// and their kubelets, unless real ones are to come (Controllers.RealNodes; package
// realnode has one).
//
// The binaries of the servers come from KUBEBUILDER_ASSETS when that is set, else
// they are built once from the nested Go module internal/tools/controlplane into
// the repository's ignored folder .cache/bin; see Assets. The controllers come
// from the modules controllers and kwok beside it, built once by whoever asks for
// them first: that takes about two minutes for the controller-manager, four for
// kwok.
package controlplane
