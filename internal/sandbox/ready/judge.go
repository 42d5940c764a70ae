package ready

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// judge stands in the doorways and looks at each write that switches a singleton: was
// the other side really off, and for how long is nobody on? It asks the API servers
// itself, and lets no two writes to one singleton pass at the same time, so nothing
// can slip through between its look and the write.
type judge struct {
	ground *ground

	mu       sync.Mutex
	each     map[string]*judged // by namespace and name of the singleton
	overlaps []string
	errs     []error
}

// judged is what is known of one singleton.
type judged struct {
	passing sync.Mutex
	sides   map[string]bool // on, by the cluster's name
	since   time.Time       // when nobody was on any more; zero: somebody is
	gaps    []gap
}

// gap is a time in which nobody was on.
type gap struct {
	singleton string
	from, to  time.Time
}

// condition is what one side of a singleton is.
type condition struct {
	on      bool
	running int
}

func newJudge(g *ground) *judge { return &judge{ground: g, each: map[string]*judged{}} }

// singletons are the kinds and names of those that every namespace of a rig has.
func singletons() []string {
	return []string{"cronjobs/report", "deployments/worker", "statefulsets/queue"}
}

// take is the hand on each write.
func (j *judge) take(of write, forward func()) (answered bool) {
	namespace, singleton := switched(of.request.URL.Path)
	if singleton == "" {
		forward()
		return true
	}
	ctx := context.WithoutCancel(of.request.Context())
	key := namespace + "/" + singleton
	s := j.of(key)
	s.passing.Lock()
	defer s.passing.Unlock()
	other := j.ground.blue
	if of.cluster == other {
		other = j.ground.green
	}
	there, err := other.condition(ctx, namespace, singleton)
	j.note(err)
	began := time.Now()
	forward()
	here, err := of.cluster.condition(ctx, namespace, singleton)
	j.note(err)
	turnedOn := here.on && !s.sides[of.cluster.name]
	s.sides[of.cluster.name], s.sides[other.name] = here.on, there.on
	if turnedOn && (there.on || there.running > 0) {
		j.mu.Lock()
		j.overlaps = append(j.overlaps, fmt.Sprintf("%s was switched on in %s while in %s it was on: %t, with %d running", key, of.cluster.name, other.name, there.on, there.running))
		j.mu.Unlock()
	}
	switch {
	case !here.on && !there.on && s.since.IsZero():
		s.since = began
	case (here.on || there.on) && !s.since.IsZero():
		s.gaps = append(s.gaps, gap{key, s.since, time.Now()})
		s.since = time.Time{}
	}
	return true
}

// of gives what is known of a singleton; at first it is on in blue.
func (j *judge) of(key string) *judged {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.each[key]
	if s == nil {
		s = &judged{sides: map[string]bool{"blue": true}}
		j.each[key] = s
	}
	return s
}

func (j *judge) note(err error) {
	if err == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.errs = append(j.errs, err)
}

// gaps are all times in which nobody was on, that are over.
func (j *judge) gaps() (all []gap) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(j.each)) {
		s := j.each[key]
		s.passing.Lock()
		all = append(all, s.gaps...)
		s.passing.Unlock()
	}
	return all
}

// switched tells which singleton a path of the API is of; empty: of none.
func switched(path string) (namespace, singleton string) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	at := slices.Index(parts, "namespaces")
	if at < 0 || len(parts) < at+4 {
		return "", ""
	}
	singleton = parts[at+2] + "/" + parts[at+3]
	if !slices.Contains(singletons(), singleton) {
		return "", ""
	}
	return parts[at+1], singleton
}

// condition asks the API server itself what a side of a singleton is.
func (c *cluster) condition(ctx context.Context, namespace, singleton string) (condition, error) {
	kind, name, _ := strings.Cut(singleton, "/")
	var now condition
	var label string
	switch kind {
	case "cronjobs":
		o, err := c.client.BatchV1().CronJobs(namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return now, fmt.Errorf("judging %s of %s in %s: %w", singleton, namespace, c.name, err)
		}
		now.on = o.Spec.Suspend == nil || !*o.Spec.Suspend
		jobs, err := c.client.BatchV1().Jobs(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return now, fmt.Errorf("judging %s of %s in %s: %w", singleton, namespace, c.name, err)
		}
		for _, job := range jobs.Items {
			if metav1.IsControlledBy(&job, o) && job.Status.CompletionTime == nil {
				now.running++
			}
		}
		return now, nil
	case "deployments":
		o, err := c.client.AppsV1().Deployments(namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return now, fmt.Errorf("judging %s of %s in %s: %w", singleton, namespace, c.name, err)
		}
		now.on, label = *o.Spec.Replicas > 0, o.Spec.Selector.MatchLabels["app"]
	case "statefulsets":
		o, err := c.client.AppsV1().StatefulSets(namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return now, fmt.Errorf("judging %s of %s in %s: %w", singleton, namespace, c.name, err)
		}
		now.on, label = *o.Spec.Replicas > 0, o.Spec.Selector.MatchLabels["app"]
	}
	pods, err := c.client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + label})
	if err != nil {
		return now, fmt.Errorf("judging %s of %s in %s: %w", singleton, namespace, c.name, err)
	}
	now.running = len(pods.Items)
	return now, nil
}
