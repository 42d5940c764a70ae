// Package fleet fills a control plane with nodes and workloads and keeps their
// status, through the ordinary API.
//
// The sandbox's clusters have no controller-manager, no scheduler and no
// kubelets. This package plays their parts as far as a watcher of the cluster
// can see: it writes the objects and the status that the real ones would have
// written. No container runs; a pod's address is any address where the sandbox
// answers. It doesn't react to anybody else's changes: what isn't asked of it
// through Apply and SetReady doesn't happen.
package fleet

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// Kind is a kind of workload.
type Kind string

// The kinds of workload a fleet can run.
const (
	Deployment  Kind = "Deployment"
	StatefulSet Kind = "StatefulSet"
	DaemonSet   Kind = "DaemonSet"
)

// Spec is what a cluster shall hold.
type Spec struct {
	// Nodes is the number of Ready nodes, named node-0, node-1, and so on. Pods
	// are spread over them in turn.
	Nodes int
	// Workloads with the same namespace need different names, whatever their
	// kind, because each may own a Service of its name.
	Workloads []Workload
}

// Workload is one Deployment, StatefulSet or DaemonSet with its pods and, when it
// has a port, a Service and an EndpointSlice.
type Workload struct {
	Kind      Kind
	Namespace string // created when missing
	Name      string
	// Replicas is the wanted number of pods. For a DaemonSet: of nodes that should
	// run one.
	Replicas int
	// Ready is how many pods are Ready; they are the first ones of PodAddresses.
	Ready int
	// PodAddresses holds the IP address of each pod that exists. It may be shorter
	// than Replicas: with none, the workload looks like one whose pods were never
	// created (over quota, say).
	PodAddresses []string
	// Port is the pods' TCP port, also the Service's; 0 means no Service.
	Port int
	// Image of the one container; empty means "example.com/app:1".
	Image string
}

// Fleet is what Apply made. Its methods may be used by several goroutines.
type Fleet struct {
	client kubernetes.Interface

	mu        sync.Mutex // serializes changes, so that status never goes back
	workloads map[key]*placed
}

type key struct{ namespace, name string }

func (k key) String() string { return k.namespace + "/" + k.name }

// placed is a workload with what has happened to it.
type placed struct {
	Workload
	pods     []pod // as many as PodAddresses
	complete bool  // every replica has been ready at some time
}

type pod struct {
	name, node string
	uid        types.UID
}

// maxEndpoints is the API's limit of one EndpointSlice; we write one per Service.
const maxEndpoints = 1000

const defaultImage = "example.com/app:1"

// Apply creates everything in spec and returns when the API has it all. The
// workloads must not exist yet; nodes and namespaces may, so that several fleets
// can live in one cluster. When it fails, what it made so far stays.
func Apply(ctx context.Context, client kubernetes.Interface, spec Spec) (*Fleet, error) {
	f := &Fleet{client: client, workloads: make(map[key]*placed)}
	if err := f.admit(spec); err != nil {
		return nil, err
	}
	if err := f.createNodes(ctx, spec.Nodes); err != nil {
		return nil, err
	}
	if err := f.createNamespaces(ctx); err != nil {
		return nil, err
	}
	for _, declared := range spec.Workloads {
		w := f.workloads[key{declared.Namespace, declared.Name}]
		if err := f.create(ctx, w); err != nil {
			return nil, fmt.Errorf("creating %s %s/%s: %w", w.Kind, w.Namespace, w.Name, err)
		}
	}
	return f, nil
}

// admit checks the whole spec, so that nothing is created from a wrong one.
func (f *Fleet) admit(spec Spec) error {
	if spec.Nodes < 0 {
		return fmt.Errorf("fleet: nodes: %d is below 0", spec.Nodes)
	}
	var faults []error
	next := 0
	for _, w := range spec.Workloads {
		k := key{w.Namespace, w.Name}
		if w.Image == "" {
			w.Image = defaultImage
		}
		p := &placed{Workload: w}
		if _, twice := f.workloads[k]; twice {
			faults = append(faults, fmt.Errorf("fleet: workload %s is declared twice", k))
		}
		if err := w.check(spec.Nodes); err != nil {
			faults = append(faults, fmt.Errorf("fleet: workload %s: %w", k, err))
			continue
		}
		for i := range w.PodAddresses {
			p.pods = append(p.pods, pod{name: w.podName(i), node: nodeName(next % spec.Nodes)})
			next++
		}
		f.workloads[k] = p
	}
	return errors.Join(faults...)
}

func (w Workload) check(nodes int) error {
	switch w.Kind {
	case Deployment, StatefulSet, DaemonSet:
	default:
		return fmt.Errorf("unknown kind %q", w.Kind)
	}
	switch pods := len(w.PodAddresses); {
	case w.Namespace == "" || w.Name == "":
		return errors.New("namespace or name is empty")
	case w.Replicas < pods:
		return fmt.Errorf("%d pod addresses for %d replicas", pods, w.Replicas)
	case pods > 0 && nodes == 0:
		return errors.New("pods need at least one node")
	case w.Port != 0 && pods > maxEndpoints:
		return fmt.Errorf("%d pods don't fit into one EndpointSlice of %d", pods, maxEndpoints)
	case w.Port < 0 || w.Port > 65535:
		return fmt.Errorf("port %d is outside 0..65535", w.Port)
	}
	for _, address := range w.PodAddresses {
		// kube-apiserver refuses to proxy to these.
		if ip, err := netip.ParseAddr(address); err != nil || ip.IsLoopback() || ip.IsLinkLocalUnicast() || !ip.Is4() {
			return fmt.Errorf("pod address %q is not an IPv4 address a pod may have", address)
		}
	}
	return w.checkReady(w.Ready)
}

func (w Workload) checkReady(ready int) error {
	if ready < 0 || ready > len(w.PodAddresses) {
		return fmt.Errorf("ready: %d is outside 0..%d, the number of pods", ready, len(w.PodAddresses))
	}
	return nil
}

// SetReady makes the first ready pods of a workload Ready and the others not, and
// brings the EndpointSlice and the workload's status in line, in the order a real
// cluster does. ready is in 0..len(PodAddresses).
func (f *Fleet) SetReady(ctx context.Context, namespace, name string, ready int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := key{namespace, name}
	w, ok := f.workloads[k]
	if !ok {
		return fmt.Errorf("setting readiness of %s: no such workload", k)
	}
	if err := w.checkReady(ready); err != nil {
		return fmt.Errorf("setting readiness of %s: %w", k, err)
	}
	w.Ready = ready
	if err := f.report(ctx, w); err != nil {
		return fmt.Errorf("setting readiness of %s: %w", k, err)
	}
	return nil
}

// report writes the present readiness of a workload: pods, then endpoints, then
// the workload's own status.
func (f *Fleet) report(ctx context.Context, w *placed) error {
	if err := f.reportPods(ctx, w); err != nil {
		return err
	}
	if err := f.reportEndpoints(ctx, w); err != nil {
		return err
	}
	w.complete = w.complete || (w.Ready == w.Replicas)
	return f.reportWorkload(ctx, w)
}
