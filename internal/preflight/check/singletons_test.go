package check

import (
	"testing"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func TestNothingRunsInBothClustersThatMayRunOnce(t *testing.T) {
	deployments := facts.GroupKind{Group: "apps", Kind: "Deployment"}
	queue := facts.Object{GroupKind: deployments, Name: nameOf("shop", "queue")}
	both := func(change func(c *facts.Cluster)) func(*facts.Facts) {
		return func(f *facts.Facts) { change(&f.Blue); change(&f.Green) }
	}
	job := func(change func(j *facts.CronJob)) func(*facts.Facts) {
		return func(f *facts.Facts) { f.Green.Network.Jobs[0].Suspended = false; change(&f.Green.Network.Jobs[0]) }
	}
	singleton := func(blue, green int) func(*facts.Facts) {
		return func(f *facts.Facts) {
			f.Blue.Network.Singletons = []facts.Singleton{{Object: queue, Replicas: blue}}
			f.Green.Network.Singletons = []facts.Singleton{{Object: queue, Replicas: green}}
		}
	}
	backup := facts.Object{GroupKind: facts.GroupKind{Group: "velero.io", Kind: "Schedule"}, Name: nameOf("velero", "daily")}
	tell(t, singletons, singletonsCheck(), map[string]story{
		"a job that is active in both": {
			change: job(func(*facts.CronJob) {}), want: []string{"block RunsTwice/CronJob.batch/shop/clean"},
			says: `CronJob shop/clean is active in both clusters (blue at "@daily", green at "@daily")`,
		},
		"a job that may run twice":            {change: job(func(j *facts.CronJob) { j.Allowed = true })},
		"a job that clusterswitch hands over": {change: job(func(j *facts.CronJob) { j.Handed = true })},
		"a job that was handed over": {change: func(f *facts.Facts) {
			f.Blue.Network.Jobs[0].Suspended, f.Green.Network.Jobs[0].Suspended = true, false
		}},
		"a job of the cluster's own":            {change: both(func(c *facts.Cluster) { c.Network.Jobs[0].Suspended, c.Network.Jobs[0].Local = false, true })},
		"a job that green alone has":            {change: func(f *facts.Facts) { f.Green.Network.Jobs[0] = facts.CronJob{Name: nameOf("shop", "new")} }},
		"a singleton that runs in both":         {change: singleton(1, 2), want: []string{"block SingletonTwice/Deployment.apps/shop/queue"}, says: "1 replicas in blue, 2 replicas in green"},
		"a singleton that waits in green":       {change: singleton(1, 0)},
		"a singleton that clusterswitch scales": {change: func(f *facts.Facts) { singleton(1, 1)(f); f.Green.Network.Singletons[0].Handed = true }},
		"a singleton that is marked in blue alone": {
			change: func(f *facts.Facts) { singleton(1, 0)(f); f.Green.Network.Singletons = nil },
			want:   []string{"block SingletonTwice/Deployment.apps/shop/queue"}, says: "in green it isn't annotated",
		},
		"a singleton that green doesn't have": {change: func(f *facts.Facts) {
			singleton(1, 0)(f)
			f.Green.Network.Singletons = nil
			delete(f.Green.Objects[deployments], queue.Name)
		}},
		"backups in both": {
			change: both(func(c *facts.Cluster) { c.Network.Schedules = []facts.Schedule{{Object: backup}} }),
			want:   []string{"warn BackupsTwice/Schedule.velero.io/velero/daily"},
		},
		"backups that are paused in green": {change: func(f *facts.Facts) {
			f.Blue.Network.Schedules = []facts.Schedule{{Object: backup}}
			f.Green.Network.Schedules = []facts.Schedule{{Object: backup, Paused: true}}
		}},
		"green can't be read": {change: func(f *facts.Facts) {
			job(func(*facts.CronJob) {})(f)
			f.Green.Fault = "nobody answers"
			f.Green.Side = shift.Green
		}},
	})
}

func TestControllersOfBothClustersAreTwo(t *testing.T) {
	controllers := func(program string, blue, green map[string][]string, unknown ...string) func(*facts.Facts) {
		return func(f *facts.Facts) {
			o := facts.Object{GroupKind: facts.GroupKind{Group: "apps", Kind: "Deployment"}, Name: nameOf("kube-system", "it")}
			f.Blue.Network.Controllers = []facts.OutsideController{{Object: o, Program: program, Settings: blue}}
			f.Green.Network.Controllers = []facts.OutsideController{{Object: o, Program: program, Settings: green, Unknown: unknown}}
		}
	}
	type settings = map[string][]string
	const twice, share, unknown = "block ControllerTwice/Deployment.apps/kube-system/it/", "warn ControllersShareDomain/Deployment.apps/kube-system/it/external-dns", "warn ControllerIdentityUnknown/Deployment.apps/kube-system/it/"
	tell(t, singletons, singletonsCheck(), map[string]story{
		"external-dns with one owner": {
			change: controllers(facts.ExternalDNS, settings{"txt-owner-id": {"shop"}, "domain-filter": {"example.com"}}, settings{"txt-owner-id": {"shop"}, "domain-filter": {"eu.example.com"}}),
			want:   []string{twice + "external-dns"}, says: "the same owner id shop for eu.example.com",
		},
		"external-dns with the owner of all who name none": {
			change: controllers(facts.ExternalDNS, settings{}, settings{}), want: []string{twice + "external-dns"}, says: "the same owner id default for all domains",
		},
		"external-dns of other domains": {change: controllers(facts.ExternalDNS, settings{"domain-filter": {"example.com"}}, settings{"domain-filter": {"example.org", "notexample.com"}})},
		"external-dns of other zones":   {change: controllers(facts.ExternalDNS, settings{"zone-id-filter": {"Z1"}}, settings{"zone-id-filter": {"Z2"}})},
		"external-dns with two owners": {
			change: controllers(facts.ExternalDNS, settings{"txt-owner-id": {"blue"}}, settings{"txt-owner-id": {"green"}, "policy": {"upsert-only"}}), want: []string{share},
			says: "as owner blue in blue (policy sync) and as owner green in green (policy upsert-only)",
		},
		"external-dns without a registry": {
			change: controllers(facts.ExternalDNS, settings{"txt-owner-id": {"blue"}}, settings{"txt-owner-id": {"green"}, "registry": {"noop"}}), want: []string{twice + "external-dns"},
		},
		"external-dns whose owner stands in a Secret": {
			change: controllers(facts.ExternalDNS, settings{"txt-owner-id": {"blue"}}, settings{}, "txt-owner-id"), want: []string{unknown + "external-dns"},
			says: "the txt-owner-id of green's (kube-system/it)",
		},
		"a load balancer controller with blue's name": {
			change: controllers(facts.LoadBalancers, settings{"cluster-name": {"shop"}}, settings{"cluster-name": {"shop"}}), want: []string{twice + "aws-load-balancer-controller"}, says: "the cluster name shop",
		},
		"Karpenter with blue's name":                   {change: controllers(facts.Karpenter, settings{"cluster-name": {"shop"}}, settings{"cluster-name": {"shop"}}), want: []string{twice + "karpenter"}},
		"Karpenter with blue's name in another region": {change: controllers(facts.Karpenter, settings{"cluster-name": {"shop"}, "aws-region": {"a"}}, settings{"cluster-name": {"shop"}, "aws-region": {"b"}})},
		"Karpenter whose name isn't told":              {change: controllers(facts.Karpenter, settings{"cluster-name": {"shop"}}, settings{}), want: []string{unknown + "karpenter"}},
		"an autoscaler that finds the other's nodes":   {change: controllers(facts.ClusterAutoscaler, settings{"node-group-auto-discovery": {"asg:tag=on"}}, settings{"node-group-auto-discovery": {"asg:tag=on"}}), want: []string{twice + "cluster-autoscaler"}},
		"an autoscaler with the other's node group":    {change: controllers(facts.ClusterAutoscaler, settings{"nodes": {"1:9:a", "1:9:b"}}, settings{"nodes": {"1:9:b"}}), want: []string{twice + "cluster-autoscaler"}},
		"an autoscaler with node groups of its own":    {change: controllers(facts.ClusterAutoscaler, settings{"node-group-auto-discovery": {"asg:tag=on,blue"}}, settings{"node-group-auto-discovery": {"asg:tag=on,green"}})},
	})
}
