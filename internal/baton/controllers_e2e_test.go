//go:build e2e

package baton_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/internal/baton"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// newLivingWorld is a namespace of a cluster with Kubernetes' own controllers.
func newLivingWorld(t *testing.T) *world {
	t.Helper()
	root, err := controlplane.FindRepository(".")
	if err != nil {
		t.Fatal(err)
	}
	cp, err := controlplane.Start(t.Context(), controlplane.Options{
		Name: "batonalive", Assets: controlplane.RepositoryAssets(root), Progress: os.Stderr, UnsafeNoFsync: true,
		Controllers: &controlplane.Controllers{PodCIDR: "10.31.0.1/16", Nodes: []controlplane.Node{{Name: "one", Kubelet: "v1.37.2"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cp.Stop(); err != nil {
			t.Error(err)
		}
	})
	config := rest.CopyConfig(cp.RESTConfig())
	config.QPS = -1
	d, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, config: config, client: cptest.Client(t, cp), dynamic: d, namespace: "default"}
}

// within waits until the answer is yes.
func within(t *testing.T, what string, yes func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !yes() {
		if ctx.Err() != nil {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// The CronJob controller itself decides what is started when a CronJob is switched
// on in green. All of them were last due half an hour ago, and last ran in green
// hours ago: what they start would be a repetition, but for blue's last run.
func TestE2EACronJobThatIsHandedOverRepeatsNoRun(t *testing.T) {
	w := newLivingWorld(t)
	due := time.Now().Add(-30 * time.Minute).Truncate(time.Minute).UTC()
	schedule := fmt.Sprintf("%d * * * *", due.Minute())
	jobs := func(cronJob string) (names []string) {
		list, err := w.client.BatchV1().Jobs(w.namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range list.Items {
			if strings.HasPrefix(j.Name, cronJob+"-") {
				names = append(names, j.Name)
			}
		}
		return names
	}
	side := baton.New(baton.Options{Client: w.client, Pair: "shop"})
	switchOn := func(name string, deadline int64, last time.Time) {
		o := put(t, cronJob, "schedule", schedule)
		o.SetName(name)
		spec := o.Object["spec"].(map[string]any)
		spec["suspend"] = true
		delete(spec, "startingDeadlineSeconds")
		if deadline > 0 {
			spec["startingDeadlineSeconds"] = deadline
		}
		key := w.create(o, "gitops")
		w.patch("CronJob", name, "before", `{"status":{"lastScheduleTime":"`+due.Add(-5*time.Hour).Format(time.RFC3339)+`"}}`, "status")
		read := settle(t, side, order(1, baton.Wish{Key: key, Switch: shift.SwitchOn, LastRun: last}), key)
		if !read.On || read.Refused != "" || read.Err != "" {
			t.Fatalf("%s: %+v", name, read)
		}
	}
	run := func(name string) string { return fmt.Sprintf("%s-%d", name, due.Unix()/60) }
	started := func(name string) { // and so the controller has looked at what came before
		t.Helper()
		within(t, name+" runs", func() bool { return len(jobs(name)) > 0 })
		same(t, "runs of "+name, []string{run(name)}, jobs(name))
	}

	switchOn("made", 0, due)                      // blue has made the run
	switchOn("late", 60, due.Add(-time.Hour))     // it fell into the gap, and may start a minute late
	switchOn("gap", 0, due.Add(-time.Hour))       // it fell into the gap, and may start at any time
	started("gap")                                // once, not once for each hour that green missed
	switchOn("intime", 3600, due.Add(-time.Hour)) // it may start an hour late
	started("intime")
	switchOn("unknowing", 0, time.Time{}) // without blue's last run it is repeated: what is shown here matters
	started("unknowing")
	for _, name := range []string{"made", "late"} {
		if got := jobs(name); len(got) > 0 {
			t.Errorf("%s: it ran: %v", name, got)
		}
	}
	key := w.create(put(t, workload, "replicas", int64(2)), "gitops")
	named := baton.Order{Patterns: baton.Patterns{Deployments: []string{w.namespace + "/mailer"}}}
	within(t, "two pods run", func() bool {
		read := settle(t, side, named, key)
		return read.Err == "" && read.On && read.Running == 2
	})
	off := order(1, baton.Wish{Key: key, Switch: shift.SwitchOff})
	within(t, "no pod is left", func() bool {
		read := settle(t, side, off, key)
		return read.Err == "" && !read.On && read.Running == 0
	})
	pods, err := w.client.CoreV1().Pods(w.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "app=mailer"})
	if err != nil || len(pods.Items) > 0 {
		t.Errorf("nothing was said to run, but there are %d pods (%v)", len(pods.Items), err)
	}
}
