package baton_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/clusterswitch/clusterswitch/internal/baton"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// put gives the manifest with a value in its spec.
func put(t *testing.T, manifest, field string, value any) *unstructured.Unstructured {
	t.Helper()
	o := parse(t, manifest)
	if err := unstructured.SetNestedField(o.Object, value, "spec", field); err != nil {
		t.Fatal(err)
	}
	return o
}

func statefulSet(t *testing.T, replicas int64) *unstructured.Unstructured {
	o := put(t, workload, "replicas", replicas)
	o.SetKind("StatefulSet")
	return o
}

func TestWhatIsGivenBackIsExactlyAsItWas(t *testing.T) {
	t.Parallel()
	const argo = "argocd-controller"
	for name, test := range map[string]struct {
		make     func(w *world) (key string)
		switched []shift.Switch
		// field and set are what is there while it is switched.
		field string
		set   []any
	}{
		"a CronJob of somebody who says nothing about suspend": {
			make:  func(w *world) string { return w.create(parse(t, cronJob), "kubectl-create") },
			field: "suspend", switched: []shift.Switch{shift.SwitchOff}, set: []any{true},
		},
		"a CronJob that Git wants suspended, on and off": {
			make:  func(w *world) string { return w.apply(put(t, cronJob, "suspend", true), argo) },
			field: "suspend", switched: []shift.Switch{shift.SwitchOn, shift.SwitchOff, shift.SwitchOn}, set: []any{false, true, false},
		},
		"a CronJob whose managers somebody wiped out": {
			make: func(w *world) string {
				key := w.create(parse(t, cronJob), "kubectl-create")
				w.patch("CronJob", "report", "cleaner", `{"metadata":{"managedFields":[{}]}}`)
				return key
			},
			field: "suspend", switched: []shift.Switch{shift.SwitchOff}, set: []any{true},
		},
		"a CronJob with two owners of suspend": {
			make: func(w *world) string {
				w.apply(put(t, cronJob, "suspend", false), argo)
				return w.apply(put(t, cronJob, "suspend", false), "flux")
			},
			field: "suspend", switched: []shift.Switch{shift.SwitchOff}, set: []any{true},
		},
		"a Deployment whose replicas are Git's": {
			make:  func(w *world) string { return w.apply(put(t, workload, "replicas", int64(3)), argo) },
			field: "replicas", switched: []shift.Switch{shift.SwitchOff, shift.SwitchOn}, set: []any{int64(0), int64(3)},
		},
		"a Deployment whose replicas somebody scaled, and owns nothing else": {
			make: func(w *world) string {
				key := w.create(parse(t, workload), "helm")
				w.patch("Deployment", "mailer", "kubectl-scale", `{"spec":{"replicas":2}}`, "scale")
				return key
			},
			field: "replicas", switched: []shift.Switch{shift.SwitchOff}, set: []any{int64(0)},
		},
		"a StatefulSet that waits at nothing": {
			make:  func(w *world) string { return w.create(statefulSet(t, 0), "helm") },
			field: "replicas", switched: []shift.Switch{shift.SwitchOn}, set: []any{int64(2)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			key := test.make(w)
			o := onlyOne(t, w, key)
			side := w.side()
			for i, to := range test.switched {
				read := settle(t, side, order(1, baton.Wish{Key: key, Switch: to, Replicas: 2 + i}), key)
				if read.Err != "" || read.Refused != "" || read.On != (to == shift.SwitchOn) {
					t.Fatalf("switched %s: %+v", to, read)
				}
				same(t, "spec."+test.field, test.set[i], field(t, w.get(o.GetKind(), o.GetName()), "spec", test.field))
			}
			for range 2 { // the second time there is nothing to do
				if read := settle(t, side, order(1, baton.Wish{Key: key, Switch: shift.SwitchBack}), key); read.Err != "" || read.Refused != "" {
					t.Fatalf("given back: %+v", read)
				}
			}
			same(t, "the object", kept(o), kept(w.get(o.GetKind(), o.GetName())))
		})
	}
}

// onlyOne gets the object of a key.
func onlyOne(t *testing.T, w *world, key string) *unstructured.Unstructured {
	t.Helper()
	var kind, name string
	if _, err := fmt.Sscanf(key, "%s "+w.namespace+"/%s", &kind, &name); err != nil {
		t.Fatal(err)
	}
	return w.get(kind, name)
}

// A process is killed before and after each of its writes, and the next one goes
// on: the end is the same.
func TestKilledAtEachWriteItEndsTheSame(t *testing.T) {
	t.Parallel()
	last := now().Add(-7 * time.Hour)
	story := func(key string) []baton.Order {
		return []baton.Order{
			order(1, baton.Wish{Key: key, Switch: shift.SwitchOff}),
			order(1, baton.Wish{Key: key, Switch: shift.SwitchOn, LastRun: last}),
			order(1, baton.Wish{Key: key, Switch: shift.SwitchBack}),
		}
	}
	play := func(l *line) (key string, w *world, before *unstructured.Unstructured) {
		w = newWorld(t)
		key = w.apply(put(t, cronJob, "suspend", true), "argocd-controller")
		before = w.get("CronJob", "report")
		side := w.sideBy(l)
		for i := range story(key) {
			for {
				read := settle(t, side, story(key)[i], key)
				if !l.dead && read.Err == "" && read.Refused == "" {
					break
				}
				side, l.dead = w.side(), false // the next process
			}
		}
		return key, w, before
	}
	undisturbed := &line{}
	play(undisturbed)
	if undisturbed.writes != 4 { // off takes none: it is off; on two, back two
		t.Errorf("%d writes, want 4", undisturbed.writes)
	}
	points := 0
	for at := 1; at <= undisturbed.writes; at++ {
		for _, after := range []bool{false, true} {
			l := &line{at: at, after: after}
			_, w, before := play(l)
			end := w.get("CronJob", "report")
			what := fmt.Sprintf("killed at write %d, after it: %t", at, after)
			same(t, what, kept(before), kept(end))
			same(t, what+": last run", any(last.Format(time.RFC3339)), field(t, end, "status", "lastScheduleTime"))
			points++
		}
	}
	t.Logf("%d points, each with the same end", points)
}

func TestWhoChangesItIsOverruledOnceThenNamed(t *testing.T) {
	t.Parallel()
	for name, dropped := range map[string]string{
		"the annotation stays":         "",
		"the annotation goes likewise": `,"metadata":{"annotations":{"clusterswitch.io/handed":null}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			key := w.create(parse(t, cronJob), "helm")
			side, off := w.side(), order(1, baton.Wish{Key: key, Switch: shift.SwitchOff})
			type seen struct {
				On        bool
				ChangedBy string
			}
			var got []seen
			for range 3 {
				read := settle(t, side, off, key)
				got = append(got, seen{read.On, read.ChangedBy})
				w.patch("CronJob", "report", "gitops", `{"spec":{"suspend":false}`+dropped+`}`)
			}
			read := settle(t, side, off, key)
			got = append(got, seen{read.On, read.ChangedBy})
			same(t, "what was seen", []seen{{}, {}, {true, "gitops"}, {true, "gitops"}}, got)

			// Another wish is another matter, and what others set is theirs in the end.
			if read := settle(t, side, order(2, baton.Wish{Key: key, Switch: shift.SwitchOff}), key); read.On || read.ChangedBy != "" {
				t.Errorf("in the next attempt: %+v", read)
			}
			w.patch("CronJob", "report", "gitops", `{"spec":{"suspend":false}}`)
			settle(t, side, order(2, baton.Wish{Key: key, Switch: shift.SwitchBack}), key)
			if o := w.get("CronJob", "report"); field(t, o, "spec", "suspend") != false || o.GetAnnotations()[baton.Annotation] != "" {
				t.Errorf("given back: %s", text(t, o))
			}
		})
	}
}

func TestOthersValuesStayWhenItIsGivenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.create(put(t, workload, "replicas", int64(3)), "helm")
	side := w.side()
	settle(t, side, order(1, baton.Wish{Key: key, Switch: shift.SwitchOff}), key)
	settle(t, side, order(1, baton.Wish{Key: key, Switch: shift.SwitchOn}), key)
	w.patch("Deployment", "mailer", "kube-controller-manager", `{"spec":{"replicas":5}}`, "scale")
	if read := settle(t, side, order(1, baton.Wish{Key: key, Switch: shift.SwitchOn}), key); read.Replicas != 5 || read.ChangedBy != "" {
		t.Errorf("an autoscaler at work: %+v", read)
	}
	read := settle(t, side, order(1, baton.Wish{Key: key, Switch: shift.SwitchBack}), key)
	if read.Replicas != 5 || read.ChangedBy != "" {
		t.Errorf("given back: %+v", read)
	}
	managers := []string{}
	for _, e := range w.get("Deployment", "mailer").GetManagedFields() {
		managers = append(managers, e.Manager)
	}
	slices.Sort(managers)
	same(t, "managers", []string{"helm", "kube-controller-manager"}, managers)
}

func TestWhatAnotherPairSetIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.create(parse(t, cronJob), "helm")
	other := baton.New(baton.Options{Client: w.client, Pair: "other", Now: now})
	settle(t, other, order(1, baton.Wish{Key: key, Switch: shift.SwitchOff}), key)
	before := w.get("CronJob", "report")
	for _, to := range []shift.Switch{shift.SwitchOn, shift.SwitchBack} {
		read := settle(t, w.side(), order(4, baton.Wish{Key: key, Switch: to}), key)
		same(t, string(to), "pair other has set it, so it is left alone", read.Refused)
	}
	same(t, "the object", before.Object, w.get("CronJob", "report").Object)
}

// A write without an answer must not land once something else is wished.
func TestALateWriteFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.create(put(t, cronJob, "suspend", true), "helm")
	l := &line{at: 1, hold: true}
	side := w.sideBy(l)
	if read := settle(t, side, order(1, baton.Wish{Key: key, Switch: shift.SwitchOn}), key); read.Err == "" {
		t.Fatalf("it is known although the line is cut: %+v", read)
	}
	l.dead = false
	if read := settle(t, side, order(1, baton.Wish{Key: key, Switch: shift.SwitchOff}), key); read.On || read.Refused != "" {
		t.Fatalf("%+v", read)
	}
	response, err := l.through.RoundTrip(l.held)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if response.StatusCode != http.StatusConflict {
		t.Errorf("the late write: %s %s", response.Status, body)
	}
	same(t, "suspend", any(true), field(t, w.get("CronJob", "report"), "spec", "suspend"))
}

func TestWhatIsReadOfSingletons(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	key := w.create(parse(t, cronJob), "helm")
	w.patch("CronJob", "report", "kcm", `{"status":{"lastScheduleTime":"2026-03-02T03:00:00Z"}}`, "status")
	cron, err := w.client.BatchV1().CronJobs(w.namespace).Get(ctx, "report", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "report-1", OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(cron, batchv1.SchemeGroupVersion.WithKind("CronJob"))}},
		Spec:       batchv1.JobSpec{ActiveDeadlineSeconds: new(int64(300)), Template: corev1.PodTemplateSpec{Spec: cron.Spec.JobTemplate.Spec.Template.Spec}},
	}
	if job, err = w.client.BatchV1().Jobs(w.namespace).Create(ctx, job, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	job.Status.StartTime = new(metav1.NewTime(now().Add(-time.Minute)))
	if _, err := w.client.BatchV1().Jobs(w.namespace).UpdateStatus(ctx, job, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	mailer := w.create(put(t, workload, "replicas", int64(2)), "helm")
	w.patch("Deployment", "mailer", "kcm", `{"status":{"observedGeneration":1,"replicas":2}}`, "status")
	all := baton.Order{Patterns: baton.Patterns{
		CronJobs: []string{w.namespace + "/*"}, Deployments: []string{w.namespace + "/mailer", w.namespace + "/gone"},
	}}
	reading := w.side().Settle(ctx, all)
	gone := "Deployment " + w.namespace + "/gone"
	want := []shift.SingletonReading{
		{Key: key, Green: shift.SingletonSide{Err: "it was not read yet"}, Blue: shift.SingletonSide{
			At: now(), On: true, Running: 1, EndsBy: now().Add(-time.Minute + 330*time.Second), StartingDeadline: 10 * time.Minute,
			LastRun: time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC), NextRun: time.Date(2026, 3, 3, 3, 0, 0, 0, time.UTC),
		}},
		{Key: gone, Green: shift.SingletonSide{Err: "it was not read yet"}, Blue: shift.SingletonSide{At: now(), Absent: true}},
		{Key: mailer, Green: shift.SingletonSide{Err: "it was not read yet"}, Blue: shift.SingletonSide{At: now(), On: true, Running: 2, Replicas: 2}},
	}
	if diff := cmp.Diff(want, baton.Join(all, reading, nil)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What can't be read is unknown, by the names that were known before.
func TestWhatCannotBeReadIsUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.create(parse(t, cronJob), "helm")
	o := baton.Order{Patterns: baton.Patterns{CronJobs: []string{w.namespace + "/*"}, StatefulSets: []string{w.namespace + "/db"}}}
	l := &line{dead: true}
	side := w.sideBy(l)
	keys := func(r baton.Reading) (keys []string) {
		for _, s := range baton.Join(o, r, r) {
			keys = append(keys, s.Key)
			if s.Blue.Err == "" {
				t.Errorf("%s is known: %+v", s.Key, s.Blue)
			}
		}
		return keys
	}
	db := "StatefulSet " + w.namespace + "/db"
	same(t, "keys before the first look", []string{"CronJob " + w.namespace + "/*", db}, keys(side.Settle(t.Context(), o)))
	l.dead = false
	if read := settle(t, side, o, key); read.Err != "" || !read.On {
		t.Errorf("%+v", read)
	}
	l.dead = true
	same(t, "keys afterwards", []string{key, db}, keys(side.Settle(t.Context(), o)))
	same(t, "keys before anything was read", []string{"CronJob " + w.namespace + "/*", db}, keys(nil))
	same(t, "keys without a way", []string{"CronJob " + w.namespace + "/*", db}, keys(baton.Unread(o, nil, "no way")))
}
