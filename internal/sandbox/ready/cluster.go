package ready

import (
	"context"
	"errors"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/backend"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/vnet"
)

const (
	// perPod is how many requests a second one pod answers, with a queue of half a
	// second.
	perPod   = 20
	podQueue = 10
	// port is where pods that carry users listen.
	port = 8080
	// carriesLabel marks pods that carry users.
	carriesLabel = "sandbox.clusterswitch.io/carries"
)

// cluster is one of the two clusters.
type cluster struct {
	*controlplane.ControlPlane
	name   string
	client kubernetes.Interface
	// answering are the servers at the addresses of ready pods.
	answering *backend.Cluster
	meter     *meter

	pods   cache.SharedIndexInformer
	listed corelisters.PodLister

	metrics *metricsAPI
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// startCluster joins what answers users to a control plane that runs; metricsAt is
// the address of its metrics API.
func startCluster(ctx context.Context, name, metricsAt string, plane *controlplane.ControlPlane, network *vnet.Network) (*cluster, error) {
	client, err := kubernetes.NewForConfig(plane.RESTConfig())
	if err != nil {
		return nil, fmt.Errorf("making a client for %s: %w", name, err)
	}
	c := &cluster{ControlPlane: plane, name: name, client: client, answering: backend.NewCluster(name, network)}
	c.answering.SetCapacity(backend.Capacity{PerSecond: perPod, Queue: podQueue})
	c.meter = newMeter(c.answering.Served)
	factory := informers.NewSharedInformerFactory(client, 0)
	c.pods, c.listed = factory.Core().V1().Pods().Informer(), factory.Core().V1().Pods().Lister()
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.cancel = cancel
	factory.Start(life.Done())
	c.running.Go(func() { <-life.Done(); factory.Shutdown() })
	c.running.Go(func() { c.meter.run(life) })
	if !cache.WaitForCacheSync(ctx.Done(), c.pods.HasSynced) {
		return c, fmt.Errorf("listing pods of %s: %w", name, context.Cause(ctx))
	}
	if c.metrics, err = startMetricsAPI(ctx, c, network, metricsAt); err != nil {
		return c, fmt.Errorf("serving metrics.k8s.io of %s: %w", name, err)
	}
	return c, nil
}

func (c *cluster) close(ctx context.Context) error {
	c.cancel()
	c.running.Wait()
	errs := []error{c.answering.Close(ctx)}
	if c.metrics != nil {
		errs = append(errs, c.metrics.close())
	}
	return errors.Join(errs...)
}

// carrying lists the pods of a namespace that carry users and are ready.
func (c *cluster) carrying(namespace string) ([]*corev1.Pod, error) {
	pods, err := c.listed.Pods(namespace).List(labels.SelectorFromSet(labels.Set{carriesLabel: "users"}))
	if err != nil {
		return nil, fmt.Errorf("listing pods of %s in %s: %w", namespace, c.name, err)
	}
	var ready []*corev1.Pod
	for _, p := range pods {
		if p.DeletionTimestamp == nil && p.Status.PodIP != "" && podReady(p) {
			ready = append(ready, p)
		}
	}
	return ready, nil
}

func podReady(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
