// Package realnode makes a real Kubernetes node of this machine for a while, installs
// the chart there with the image of the Dockerfile, and shifts a pair from it.
//
// What stands on the node is real: containerd and runc, kubelet, kube-proxy, the CNI
// plugins, cgroups, seccomp and pod security. The management cluster's API server,
// controller-manager and scheduler are those of package controlplane, without kwok.
// Blue, green, AWS, edge and users are those of package world.
//
// Run builds what is needed and then starts this program twice more: once as the
// first process of namespaces of its own (Host), which mounts what a node needs and
// collects what ends, and below that once as the one who plays (Play). The network
// is the namespace's own and leads nowhere. With the first process every other one ends,
// and the mounts, bridges and rules of iptables go away with their namespaces; Run
// removes the cgroups. It needs root, and Linux.
package realnode
