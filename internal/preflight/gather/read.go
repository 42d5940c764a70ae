package gather

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// readAll lists every kind once, some at a time, and hands each object to the
// topics.
func (r *reader) readAll(ctx context.Context, topics []topic, c *facts.Cluster) {
	kinds := make(chan facts.Kind)
	var reading Crew
	for range atOnce {
		reading.Go(func() {
			for k := range kinds {
				reading.Try(func() { r.readKind(ctx, k, topics, c) })
			}
		})
	}
	for _, k := range c.Kinds {
		if r.lists(c, k.GroupKind, topics) {
			kinds <- k
		}
	}
	close(kinds)
	reading.Wait()
}

// lists tells whether a kind is read: in a full scope all but what nobody may
// see, what is read in another group, and what each cluster makes for itself.
func (r *reader) lists(c *facts.Cluster, k facts.GroupKind, topics []topic) bool {
	if (k == facts.GroupKind{Kind: "Secret"}) && r.options.Settings.Secrets == facts.SecretsOff {
		return false
	}
	for _, t := range topics {
		if t.whole[k] != nil {
			return true
		}
	}
	all := r.options.Scope == facts.Full || slices.ContainsFunc(topics, func(t topic) bool { return t.every != nil }) && searched(r.options, k)
	if !all || facts.LeftOutWhole(k) {
		return false
	}
	first, also := twice(k)
	return !also || c.Serves(first) == nil
}

func (r *reader) readKind(ctx context.Context, k facts.Kind, topics []topic, c *facts.Cluster) {
	deliver, whole := r.deliver(k, topics, c)
	r.mu.Lock()
	err := r.lost
	r.mu.Unlock()
	if err == nil {
		err = r.pages(ctx, selection{Kind: k, whole: whole}, deliver)
	}
	if err != nil {
		r.checkLost(ctx, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		delete(c.Objects, k.GroupKind)
		c.Note(facts.Gap{What: k.Resource + dotted(k.Group), Why: r.whyNotListed(ctx, k.Resource+dotted(k.Group), err)})
	} else if c.Objects[k.GroupKind] == nil {
		c.Objects[k.GroupKind] = map[facts.Name]struct{}{}
	}
}

// deliver makes what gives a kind's pages to the topics, and tells whether a
// topic needs whole objects.
func (r *reader) deliver(k facts.Kind, topics []topic, c *facts.Cluster) (each func([]runtime.Object) error, anyWhole bool) {
	var whole []func(*facts.Cluster, runtime.Object)
	for _, t := range topics {
		if t.whole[k.GroupKind] != nil {
			whole = append(whole, t.whole[k.GroupKind])
		}
	}
	for _, t := range topics {
		if t.every != nil {
			whole = append(whole, func(c *facts.Cluster, o runtime.Object) { t.every(c, k.GroupKind, o) })
		}
	}
	return func(page []runtime.Object) error {
		seen := c.Objects[k.GroupKind]
		if seen == nil {
			seen = make(map[facts.Name]struct{}, len(page))
			c.Objects[k.GroupKind] = seen
		}
		for _, o := range page {
			m, err := meta.Accessor(o)
			if err != nil || m.GetName() == "" {
				return errors.New("the answer has an object without a name")
			}
			name := facts.Name{Namespace: r.namespace(m.GetNamespace()), Name: m.GetName()}
			if _, had := seen[name]; had {
				continue
			}
			seen[name] = struct{}{}
			for _, t := range topics {
				if t.meta != nil {
					t.meta(c, k, m)
				}
			}
			for _, take := range whole {
				take(c, o)
			}
		}
		return nil
	}, len(whole) > 0
}

// namespace gives one copy of a namespace's name for all that are in it.
func (r *reader) namespace(name string) string {
	if kept, ok := r.namespaces[name]; ok {
		return kept
	}
	r.namespaces[name] = name
	return name
}

// checkLost looks, after a request without an answer, whether the cluster is
// still there. Otherwise each of a few hundred kinds would wait for itself.
func (r *reader) checkLost(ctx context.Context, err error) {
	var gone *unreachable
	if !errors.As(err, &gone) || ctx.Err() != nil {
		return
	}
	asking, done := context.WithTimeout(ctx, helloWithin)
	defer done()
	var body bytes.Buffer
	again := r.askOnce(asking, "version", nil, acceptCustom, &body)
	if !errors.As(again, &gone) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost == nil {
		r.lost = fmt.Errorf("the cluster stopped answering: %w", again)
	}
}

func dotted(group string) string {
	if group == "" {
		return ""
	}
	return "." + group
}
