// Package ready shows what becomes of users when autoscalers shrink the cluster
// that they left, and that blue stays ready to take them all back.
//
// Blue and green are real control planes with their controllers; kwok plays the
// kubelets. For each ready pod that carries users a server answers at the pod's
// address, which can do so much a second and no more. What it really served is the
// pod's use of CPU in metrics.k8s.io, by which the real controllers of
// HorizontalPodAutoscalers scale. The daemon is the real one, too.
package ready
