// Package baton brings singletons, of which one may run in the world, to what is
// intended for them in one cluster, and tells what they are like there. It knows
// nothing of the other cluster: who has the baton is decided by the core.
//
// A CronJob is handed over by spec.suspend, a Deployment or StatefulSet by
// spec.replicas. Either is set by server-side apply in one write with an
// annotation that says what it was, so that it can be given back exactly
// whenever the daemon ends in between.
//
// A HorizontalPodAutoscaler doesn't wake what was scaled to 0 by somebody else:
// "scaling is disabled since the replica count of the target is zero"
// (reconcileAutoscaler in Kubernetes' pkg/controller/podautoscaler/horizontal.go),
// unless it had scaled it to 0 itself, which takes a minReplicas of 0. That one, and
// KEDA, may wake it: whoever does is overruled once, then named.
package baton
