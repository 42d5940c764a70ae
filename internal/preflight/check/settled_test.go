package check

import (
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func deploymentNamed(name string) facts.Object {
	return facts.Object{GroupKind: appsKind("Deployment"), Name: facts.Name{Namespace: "shop", Name: name}}
}

func inShop(name string) facts.Name { return facts.Name{Namespace: "shop", Name: name} }

// settledPair are two clusters with one Deployment web, of which both have ten ready.
func settledPair() *facts.Facts {
	cluster := func(side shift.Side) facts.Cluster {
		return facts.Cluster{Side: side, Objects: wholeLists(), Settled: facts.Settled{
			Workloads:   map[facts.Object]facts.Workload{deploymentNamed("web"): {Wanted: 10, Ready: 10}},
			Pods:        map[facts.Object][]facts.Trouble{},
			Jobs:        map[facts.Object]facts.Job{},
			Autoscalers: map[facts.Name]facts.Autoscaler{},
			Claims:      map[facts.Name]facts.Claim{},
			Selecting:   map[facts.Name]struct{}{inShop("web"): {}},
			Endpoints:   map[facts.Name]int{inShop("web"): 10},
			Terminating: map[string]time.Time{},
			Unavailable: map[string]string{},
		}}
	}
	return &facts.Facts{Settings: facts.Settings{ReplicasAtLeast: 90}, Blue: cluster(shift.Blue), Green: cluster(shift.Green)}
}

type settledCase struct {
	with func(f *facts.Facts, blue, green *facts.Settled)
	want []string
}

func runSettled(t *testing.T, cases map[string]settledCase) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := settledPair()
			c.with(f, &f.Blue.Settled, &f.Green.Settled)
			compareBrief(t, settledCheck(), f, c.want)
			// Whatever is wrong with green: with a blue that is just so, it is no worse.
			f.Blue = f.Green
			for _, x := range settled(f) {
				if x.Blocks() {
					t.Errorf("two that are alike block: %s %s", x.ID, x.Message)
				}
			}
		})
	}
}

func TestWorkloadsOfGreen(t *testing.T) {
	t.Parallel()
	web := deploymentNamed("web")
	hpa := func(maximum int) facts.Autoscaler {
		return facts.Autoscaler{Target: web, Min: 2, Max: maximum, Seen: true}
	}
	runSettled(t, map[string]settledCase{
		"two that are alike": {func(_ *facts.Facts, _, _ *facts.Settled) {}, []string{}},
		"not ready, with the reasons of its pods": {
			func(_ *facts.Facts, _, g *facts.Settled) {
				g.Workloads[web] = facts.Workload{Wanted: 10, Ready: 7, NotReady: "7 of 10 replicas are ready"}
				g.Pods[web] = []facts.Trouble{
					{Reason: "Unschedulable", Count: 1, Message: "0/3 nodes are available: 3 Insufficient cpu."}, {Reason: "ImagePullBackOff", Count: 2},
				}
			},
			[]string{"block WorkloadNotReady/Deployment.apps/shop/web: it is not ready in green: 7 of 10 replicas are ready (2 pods ImagePullBackOff; 1 pod Unschedulable: 0/3 nodes are available: 3 Insufficient cpu); blue has 10 of 10 ready"},
		},
		"not ready, and in green alone": {
			func(_ *facts.Facts, b, g *facts.Settled) {
				delete(b.Workloads, web)
				g.Workloads[web] = facts.Workload{Wanted: 1, NotReady: "0 of 1 replicas are ready"}
			},
			[]string{"block WorkloadNotReady/Deployment.apps/shop/web: it is not ready in green: 0 of 1 replicas are ready"},
		},
		"not ready in both, and green is no worse": {
			func(_ *facts.Facts, b, g *facts.Settled) {
				b.Workloads[web] = facts.Workload{Wanted: 10, Ready: 2, NotReady: "2 of 10 replicas are ready"}
				g.Workloads[web] = facts.Workload{Wanted: 10, Ready: 2, NotReady: "2 of 10 replicas are ready"}
			},
			[]string{"warn WorkloadNotReady/Deployment.apps/shop/web: it is not ready in green: 2 of 10 replicas are ready; nor is it in blue: 2 of 10 replicas are ready"},
		},
		"not ready in both, and green is worse": {
			func(_ *facts.Facts, b, g *facts.Settled) {
				b.Workloads[web] = facts.Workload{Wanted: 10, Ready: 9, NotReady: "9 of 10 replicas are ready"}
				g.Workloads[web] = facts.Workload{Wanted: 10, Ready: 8, NotReady: "8 of 10 replicas are ready"}
			},
			[]string{"block WorkloadNotReady/Deployment.apps/shop/web: it is not ready in green: 8 of 10 replicas are ready; blue has 9 of 10 ready"},
		},
		"few replicas, whose autoscaler's floor the shift raises with the share": {
			func(f *facts.Facts, _, g *facts.Settled) {
				f.Settings.Pinned, g.Autoscalers[inShop("web")] = true, hpa(20)
				g.Workloads[web] = facts.Workload{Wanted: 2, Ready: 2}
			}, []string{},
		},
		"few replicas, whose autoscaler may not become as large": {
			func(f *facts.Facts, _, g *facts.Settled) {
				f.Settings.Pinned, g.Autoscalers[inShop("web")] = true, hpa(5)
				g.Workloads[web] = facts.Workload{Wanted: 2, Ready: 2}
			},
			[]string{"block TooFewReplicas/Deployment.apps/shop/web: green has 2 ready replicas of it, blue has 10; at least 9 are needed"},
		},
		"just enough replicas": {
			func(_ *facts.Facts, _, g *facts.Settled) { g.Workloads[web] = facts.Workload{Wanted: 9, Ready: 9} }, []string{},
		},
		"the part of a replica is a replica": {
			func(_ *facts.Facts, b, g *facts.Settled) {
				b.Workloads[web] = facts.Workload{Wanted: 11, Ready: 11}
				g.Workloads[web] = facts.Workload{Wanted: 9, Ready: 9}
			},
			[]string{"block TooFewReplicas/Deployment.apps/shop/web: green has 9 ready replicas of it, blue has 11; at least 10 are needed"},
		},
		"scaled to zero in green, and blue serves with one": {
			func(_ *facts.Facts, b, g *facts.Settled) {
				b.Workloads[web] = facts.Workload{Wanted: 1, Ready: 1}
				g.Workloads[web] = facts.Workload{}
			},
			[]string{"block TooFewReplicas/Deployment.apps/shop/web: green has 0 ready replicas of it, blue has 1; at least 1 are needed"},
		},
		"scaled to zero in both": {
			func(_ *facts.Facts, b, g *facts.Settled) {
				b.Workloads[web], g.Workloads[web] = facts.Workload{}, facts.Workload{}
			}, []string{},
		},
		"no part of blue's replicas is asked for": {
			func(f *facts.Facts, _, g *facts.Settled) {
				f.Settings.ReplicasAtLeast = 0
				g.Workloads[web] = facts.Workload{}
			}, []string{},
		},
		"blue has grown by its load": {
			func(_ *facts.Facts, b, g *facts.Settled) {
				b.Workloads[web] = facts.Workload{Wanted: 40, Ready: 40}
				b.Autoscalers[inShop("web")], g.Autoscalers[inShop("web")] = hpa(50), hpa(20)
			},
			[]string{"block TooFewReplicas/Deployment.apps/shop/web: green has 10 ready replicas of it, blue has 40, scaled by its load between 2 and 50; at least 36 are needed"},
		},
		"left out by name": {
			func(f *facts.Facts, _, g *facts.Settled) {
				f.Settings.IgnoreWorkloads = []string{"shop/w*"}
				g.Workloads[web] = facts.Workload{Wanted: 1, NotReady: "0 of 1 replicas are ready"}
				g.Pods[web] = []facts.Trouble{{Reason: "Restarting", Count: 1, Past: true}}
			}, []string{},
		},
		"left out by pattern": {
			func(f *facts.Facts, _, g *facts.Settled) {
				f.Settings.Ignore = []facts.Ignore{{Kind: "Deployment", Name: "web"}}
				g.Workloads[web] = facts.Workload{Wanted: 1, NotReady: "0 of 1 replicas are ready"}
			}, []string{},
		},
		"in a namespace that doesn't count": {
			func(f *facts.Facts, _, g *facts.Settled) {
				f.Settings.Namespaces = []string{"pay"}
				g.Workloads[web] = facts.Workload{Wanted: 1, NotReady: "0 of 1 replicas are ready"}
				g.Terminating["shop"] = time.Time{}
			}, []string{},
		},
		"a green that can't be read": {
			func(f *facts.Facts, _, _ *facts.Settled) { f.Green = facts.Cluster{Fault: "connection refused"} }, []string{},
		},
	})
}

func TestPodsOfGreen(t *testing.T) {
	t.Parallel()
	web := deploymentNamed("web")
	bare := facts.Object{GroupKind: coreKind("Pod"), Name: inShop("debug")}
	runSettled(t, map[string]settledCase{
		"a pod of nobody that can't start": {
			func(_ *facts.Facts, _, g *facts.Settled) {
				g.Pods[bare] = []facts.Trouble{{Reason: "CrashLoopBackOff", Count: 1, Message: "back-off 5m0s\n restarting failed container"}}
			},
			[]string{"block PodsNotReady/Pod/shop/debug: in green: 1 pod CrashLoopBackOff: back-off 5m0s restarting failed container"},
		},
		"a pod of nobody that can't start in either": {
			func(_ *facts.Facts, b, g *facts.Settled) {
				b.Pods[bare] = []facts.Trouble{{Reason: "CrashLoopBackOff", Count: 1}}
				g.Pods[bare] = []facts.Trouble{{Reason: "CrashLoopBackOff", Count: 1}}
			},
			[]string{"warn PodsNotReady/Pod/shop/debug: in green: 1 pod CrashLoopBackOff; in blue: 1 pod CrashLoopBackOff"},
		},
		"pods beside a workload that is ready": {
			func(_ *facts.Facts, _, g *facts.Settled) {
				g.Pods[web] = []facts.Trouble{{Reason: "NotReady", Count: 1}}
			},
			[]string{"warn PodsNotReady/Deployment.apps/shop/web: in green: 1 pod NotReady"},
		},
		"pods that end again and again": {
			func(_ *facts.Facts, _, g *facts.Settled) {
				g.Pods[web] = []facts.Trouble{
					{Reason: "Restarting", Count: 2, Message: "container web ended 4 times, the last time with exit code 1", Past: true},
					{Reason: "OOMKilled", Count: 1, Past: true},
					{Reason: "Evicted", Count: 5, Past: true},
				}
			},
			[]string{
				"block PodsUnsteady/Deployment.apps/shop/web: in green within the last minutes: 2 pods Restarting: container web ended 4 times, the last time with exit code 1; 1 pod OOMKilled",
				"warn PodsLost/Deployment.apps/shop/web: left over in green: 5 pods Evicted",
			},
		},
		"pods that end again and again in both": {
			func(_ *facts.Facts, b, g *facts.Settled) {
				b.Pods[web] = []facts.Trouble{{Reason: "Restarting", Count: 3, Past: true}}
				g.Pods[web] = []facts.Trouble{{Reason: "Restarting", Count: 1, Past: true}}
			},
			[]string{"warn PodsUnsteady/Deployment.apps/shop/web: in green within the last minutes: 1 pod Restarting; in blue: 3 pods Restarting"},
		},
		"a pod that ran out of memory once": {
			func(_ *facts.Facts, _, g *facts.Settled) {
				g.Pods[web] = []facts.Trouble{{Reason: "OOMKilled", Count: 1, Message: "container web ran out of memory", Past: true}}
			},
			[]string{"warn PodsUnsteady/Deployment.apps/shop/web: in green within the last minutes: 1 pod OOMKilled: container web ran out of memory"},
		},
	})
}

func TestJobsOfGreen(t *testing.T) {
	t.Parallel()
	job := facts.Object{GroupKind: facts.GroupKind{Group: "batch", Kind: "Job"}, Name: inShop("migrate")}
	cron := facts.Object{GroupKind: facts.GroupKind{Group: "batch", Kind: "CronJob"}, Name: inShop("report")}
	pulling := []facts.Trouble{{Reason: "ErrImagePull", Count: 1}}
	runSettled(t, map[string]settledCase{
		"one failed": {
			func(_ *facts.Facts, b, g *facts.Settled) {
				b.Jobs[job] = facts.Job{Complete: true}
				g.Jobs[job] = facts.Job{Failed: "BackoffLimitExceeded: Job has reached the specified backoff limit"}
			},
			[]string{"block JobFailed/Job.batch/shop/migrate: it failed in green: BackoffLimitExceeded: Job has reached the specified backoff limit"},
		},
		"one failed in both": {
			func(_ *facts.Facts, b, g *facts.Settled) {
				b.Jobs[job], g.Jobs[job] = facts.Job{Failed: "DeadlineExceeded"}, facts.Job{Failed: "BackoffLimitExceeded"}
			},
			[]string{"warn JobFailed/Job.batch/shop/migrate: it failed in green: BackoffLimitExceeded; in blue too: DeadlineExceeded"},
		},
		"the newest of a CronJob failed": {
			func(_ *facts.Facts, _, g *facts.Settled) { g.Jobs[cron] = facts.Job{Failed: "BackoffLimitExceeded"} },
			[]string{"block JobFailed/CronJob.batch/shop/report: its newest Job that ended failed in green: BackoffLimitExceeded"},
		},
		"one that can't run its pods": {
			func(_ *facts.Facts, _, g *facts.Settled) { g.Jobs[job], g.Pods[job] = facts.Job{}, pulling },
			[]string{"block JobStuck/Job.batch/shop/migrate: its pods don't run in green: 1 pod ErrImagePull"},
		},
		"one of a CronJob that can't run in either": {
			func(_ *facts.Facts, b, g *facts.Settled) { b.Pods[cron], g.Pods[cron] = pulling, pulling },
			[]string{"warn JobStuck/CronJob.batch/shop/report: its pods don't run in green: 1 pod ErrImagePull; in blue: 1 pod ErrImagePull"},
		},
		"suspended, complete and under way": {
			func(_ *facts.Facts, _, g *facts.Settled) {
				g.Jobs[job], g.Pods[job] = facts.Job{Complete: true}, pulling
				suspended := job
				suspended.Name.Name = "later"
				g.Jobs[suspended] = facts.Job{Suspended: true}
				running := job
				running.Name.Name = "now"
				g.Jobs[running] = facts.Job{}
			}, []string{},
		},
	})
}

func TestWhatWorkloadsRestOn(t *testing.T) {
	t.Parallel()
	scaler := facts.Autoscaler{Target: deploymentNamed("web"), Min: 2, Max: 20, Seen: true}
	broken := with(scaler, func(a *facts.Autoscaler) { a.Broken = "FailedGetResourceMetric: no metrics" })
	began := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	slices := facts.GroupKind{Group: "discovery.k8s.io", Kind: "EndpointSlice"}
	runSettled(t, map[string]settledCase{
		"an autoscaler without metrics": {
			func(_ *facts.Facts, b, g *facts.Settled) {
				b.Autoscalers[inShop("web")], g.Autoscalers[inShop("web")] = scaler, broken
			},
			[]string{"block AutoscalerStuck/HorizontalPodAutoscaler.autoscaling/shop/web: it doesn't scale web in green: FailedGetResourceMetric: no metrics"},
		},
		"an autoscaler without metrics in either": {
			func(_ *facts.Facts, b, g *facts.Settled) {
				b.Autoscalers[inShop("web")], g.Autoscalers[inShop("web")] = broken, broken
			},
			[]string{"warn AutoscalerStuck/HorizontalPodAutoscaler.autoscaling/shop/web: it doesn't scale web in green: FailedGetResourceMetric: no metrics; nor does it in blue"},
		},
		"an autoscaler that nobody looked at": {
			func(_ *facts.Facts, _, g *facts.Settled) {
				g.Autoscalers[inShop("web")] = with(scaler, func(a *facts.Autoscaler) { a.Seen = false })
			},
			[]string{"block AutoscalerStuck/HorizontalPodAutoscaler.autoscaling/shop/web: it doesn't scale web in green: nobody wrote its status yet"},
		},
		"an autoscaler of a workload that doesn't count": {
			func(f *facts.Facts, _, g *facts.Settled) {
				f.Settings.IgnoreWorkloads = []string{"shop/web"}
				g.Autoscalers[inShop("grow")] = broken
			}, []string{},
		},
		"a claim that a pod waits for": {
			func(_ *facts.Facts, _, g *facts.Settled) {
				g.Claims[inShop("data")] = facts.Claim{Phase: "Pending", Class: "gp3", Used: true}
			},
			[]string{"block ClaimNotBound/PersistentVolumeClaim/shop/data: it is Pending in green, with StorageClass gp3"},
		},
		"a claim that waits for its first pod": {
			func(_ *facts.Facts, _, g *facts.Settled) {
				g.Claims[inShop("data")] = facts.Claim{Phase: "Pending", Class: "gp3"}
			},
			[]string{"note ClaimNotBound/PersistentVolumeClaim/shop/data: it is Pending in green, with StorageClass gp3, and no pod wants it yet"},
		},
		"a claim that lost its volume": {
			func(_ *facts.Facts, _, g *facts.Settled) { g.Claims[inShop("data")] = facts.Claim{Phase: "Lost"} },
			[]string{"block ClaimNotBound/PersistentVolumeClaim/shop/data: it is Lost in green, with no StorageClass of its own"},
		},
		"a claim that waits in both": {
			func(_ *facts.Facts, b, g *facts.Settled) {
				b.Claims[inShop("data")] = facts.Claim{Phase: "Pending", Used: true}
				g.Claims[inShop("data")] = facts.Claim{Used: true}
			},
			[]string{"warn ClaimNotBound/PersistentVolumeClaim/shop/data: it is new in green, with no StorageClass of its own; in blue it is not bound either"},
		},
		"a Service that lost its endpoints": {
			func(_ *facts.Facts, _, g *facts.Settled) { g.Endpoints[inShop("web")] = 0 },
			[]string{"block ServiceWithoutEndpoints/Service/shop/web: it has no ready endpoint in green, and 10 in blue"},
		},
		"a Service without endpoints in both": {
			func(_ *facts.Facts, b, g *facts.Settled) { b.Endpoints, g.Endpoints = nil, nil }, []string{},
		},
		"endpoints that were not read": {
			func(f *facts.Facts, _, g *facts.Settled) {
				delete(f.Green.Objects, slices)
				g.Endpoints = nil
			}, []string{},
		},
		"a namespace that goes away": {
			func(f *facts.Facts, _, g *facts.Settled) {
				f.Blue.Objects[coreKind("Namespace")][facts.Name{Name: "shop"}] = struct{}{}
				g.Terminating["shop"] = began
			},
			[]string{"block NamespaceTerminating/Namespace/shop: it is being deleted in green since 2026-11-25T09:00:00Z; in blue it stays"},
		},
		"namespaces that go away and blue has not, or not for long": {
			func(f *facts.Facts, b, g *facts.Settled) {
				f.Blue.Objects[coreKind("Namespace")][facts.Name{Name: "both"}] = struct{}{}
				g.Terminating["old"], g.Terminating["both"], b.Terminating["both"] = began, began, began
			},
			[]string{
				"warn NamespaceTerminating/Namespace/old: it is being deleted in green since 2026-11-25T09:00:00Z",
				"warn NamespaceTerminating/Namespace/both: it is being deleted in green since 2026-11-25T09:00:00Z, and in blue too",
			},
		},
		"parts of the API that don't answer": {
			func(_ *facts.Facts, b, g *facts.Settled) {
				g.Unavailable["v1beta1.metrics.k8s.io"] = "MissingEndpoints: endpoints for service/metrics-server have no addresses"
				g.Unavailable["v1.custom.metrics.k8s.io"], b.Unavailable["v1.custom.metrics.k8s.io"] = "FailedDiscoveryCheck", "MissingEndpoints"
			},
			[]string{
				"block APIServiceUnavailable/APIService.apiregistration.k8s.io/v1beta1.metrics.k8s.io: it doesn't answer in green: MissingEndpoints: endpoints for service/metrics-server have no addresses",
				"warn APIServiceUnavailable/APIService.apiregistration.k8s.io/v1.custom.metrics.k8s.io: it doesn't answer in green: FailedDiscoveryCheck; nor does it in blue",
			},
		},
	})
}

func TestThePersonIsToldWhichLeverToPull(t *testing.T) {
	t.Parallel()
	f := settledPair()
	web := deploymentNamed("web")
	f.Blue.Settled.Workloads[web] = facts.Workload{Wanted: 40, Ready: 40}
	tell := func(want string) {
		t.Helper()
		found := settled(f)
		if len(found) != 1 || found[0].Do != "Scale it up in green before users come: "+want+"." {
			t.Errorf("got %+v, want to do %q", found, want)
		}
	}
	tell("raise its replicas")
	f.Green.Settled.Workloads[web] = facts.Workload{}
	tell("raise its replicas, or annotate it with clusterswitch.io/singleton: \"true\" in both clusters if it must not run in two at a time")
	f.Green.Settled.Workloads[web] = facts.Workload{Wanted: 10, Ready: 10}
	f.Green.Settled.Autoscalers[inShop("web")] = facts.Autoscaler{Target: web, Max: 36, Seen: true}
	tell("raise minReplicas of its HorizontalPodAutoscaler for the time of the shift, as green has no load yet")
	f.Green.Settled.Autoscalers[inShop("web")] = facts.Autoscaler{Target: web, Max: 35, Seen: true}
	tell("its HorizontalPodAutoscaler allows 35 at most, so raise maxReplicas and minReplicas")
}
