// Package controlplane runs real Kubernetes control planes on this machine:
// one etcd and one kube-apiserver each, nothing else. The sandbox gives its
// management, blue and green clusters one each; tests share one per package
// (see package cptest).
//
// What is real: the API with its storage, validation, watches, RBAC, custom
// resources and the service proxy. What is missing: there is no
// controller-manager, no scheduler and no kubelet, so nothing creates pods for a
// Deployment and nothing removes a namespace. Package fleet plays these parts.
//
// The binaries come from KUBEBUILDER_ASSETS when that is set, else they are
// built once from the nested Go module internal/tools/controlplane into the
// repository's ignored folder .cache/bin; see Assets.
package controlplane
