package backend

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// Cluster is the pods of one cluster, which share their faults.
type Cluster struct {
	name    string
	network Listener

	mu       sync.Mutex
	faults   Faults
	capacity Capacity
	pods     map[string]*Pod // by address
}

// NewCluster returns a cluster without pods; the name is blue or green.
func NewCluster(name string, network Listener) *Cluster {
	return &Cluster{name: name, network: network, pods: map[string]*Pod{}}
}

// Add starts a pod at the virtual address, with the faults of the cluster.
func (c *Cluster) Add(podName, address string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pods[address] != nil {
		return fmt.Errorf("adding pod %s: %s is taken", podName, address)
	}
	pod, err := Start(Options{Cluster: c.name, Name: podName, Address: address, Network: c.network, Capacity: c.capacity})
	if err != nil {
		return err
	}
	c.pods[address] = pod
	return pod.SetFaults(c.faults)
}

// Remove closes the pod at the address and waits for its requests until ctx
// ends. An address without a pod is no error.
func (c *Cluster) Remove(ctx context.Context, address string) error {
	c.mu.Lock()
	pod := c.pods[address]
	delete(c.pods, address)
	c.mu.Unlock()
	if pod == nil {
		return nil
	}
	return pod.Close(ctx)
}

// Addresses lists the virtual addresses of the pods in order.
func (c *Cluster) Addresses() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.pods))
}

// Requests is how many requests the present pods got, health checks not counted.
func (c *Cluster) Requests() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	var sum int64
	for _, pod := range c.pods {
		sum += pod.Requests()
	}
	return sum
}

// Served tells of each present pod, by address, how many requests it really
// answered; those that met a full queue are not among them.
func (c *Cluster) Served() map[string]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	served := make(map[string]int64, len(c.pods))
	for address, pod := range c.pods {
		served[address] = pod.Requests() - pod.Shed()
	}
	return served
}

// SetCapacity says how much each pod can do that is added from now on.
func (c *Cluster) SetCapacity(capacity Capacity) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.capacity = capacity
}

// SetFaults replaces the faults of all pods, and of those added later.
func (c *Cluster) SetFaults(f Faults) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = f
	var faults error
	for _, pod := range c.pods {
		faults = errors.Join(faults, pod.SetFaults(f))
	}
	return faults
}

// Close closes all pods and waits for their requests until ctx ends.
func (c *Cluster) Close(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var faults error
	for address, pod := range c.pods {
		faults = errors.Join(faults, pod.Close(ctx))
		delete(c.pods, address)
	}
	return faults
}
