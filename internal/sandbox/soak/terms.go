package soak

import (
	"context"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// terms follows who held the daemons' lease, and since when.
type terms struct {
	cancel   context.CancelFunc
	watching sync.WaitGroup

	mu   sync.Mutex
	held []tenure // guarded by mu; in order
}

// tenure is one holder's time, until the next one's.
type tenure struct {
	holder string
	since  time.Time // by the holder's own clock, which is this machine's
}

func followTerms(ctx context.Context, config *rest.Config, namespace string) (*terms, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	t := &terms{}
	ctx, t.cancel = context.WithCancel(context.WithoutCancel(ctx))
	t.watching.Go(func() {
		for ctx.Err() == nil {
			watch, err := client.CoordinationV1().Leases(namespace).Watch(ctx, metav1.ListOptions{})
			if err != nil {
				select {
				case <-ctx.Done():
				case <-time.After(50 * time.Millisecond): // the API server is away
				}
				continue
			}
			for event := range watch.ResultChan() {
				if lease, ok := event.Object.(*coordinationv1.Lease); ok {
					t.add(lease.Spec)
				}
			}
		}
	})
	return t, nil
}

func (t *terms) add(s coordinationv1.LeaseSpec) {
	if s.HolderIdentity == nil || *s.HolderIdentity == "" || s.AcquireTime == nil {
		return // it was given back
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	next := tenure{*s.HolderIdentity, s.AcquireTime.Time}
	if n := len(t.held); n == 0 || t.held[n-1] != next {
		t.held = append(t.held, next)
	}
}

// holder is who held the lease at a time; empty: nobody is known to.
func (t *terms) holder(at time.Time) (holder string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, one := range t.held {
		if !one.since.After(at) {
			holder = one.holder
		}
	}
	return holder
}

func (t *terms) close() {
	t.cancel()
	t.watching.Wait()
}
