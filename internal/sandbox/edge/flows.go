package edge

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// connectTimeout is how long a target may take to accept a flow.
const connectTimeout = 10 * time.Second

// flows serves one listener of a network load balancer: each new connection is
// sent to a group by weight, and stays there whatever the weights become.
type flows struct {
	balancer *balancer
	network  Network
	address  string
	life     context.Context // of the flows
	cancel   context.CancelFunc
	running  sync.WaitGroup

	mu     sync.Mutex
	accept net.Listener // guarded by mu; nil until it is served
	closed bool         // guarded by mu
}

func newFlows(balancer *balancer, address string, network Network) *flows {
	life, cancel := context.WithCancel(context.Background())
	return &flows{balancer: balancer, network: network, address: address, life: life, cancel: cancel}
}

// Serve takes connections until Shutdown or Close.
func (f *flows) Serve(l net.Listener) error {
	if !f.begin(l) {
		return errors.Join(net.ErrClosed, l.Close())
	}
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		if !f.track() {
			return errors.Join(net.ErrClosed, conn.Close())
		}
		go func() {
			defer f.running.Done()
			f.forward(conn)
		}()
	}
}

func (f *flows) begin(l net.Listener) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.accept = l
	return !f.closed
}

// track counts one flow more, unless they are being ended.
func (f *flows) track() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.running.Add(1)
	}
	return !f.closed
}

// Shutdown takes no more connections and waits for those that are open until
// ctx ends, as a network load balancer leaves flows alone.
func (f *flows) Shutdown(ctx context.Context) error {
	f.stop()
	done := make(chan struct{})
	go func() {
		f.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close breaks all flows and waits for them.
func (f *flows) Close() error {
	f.stop()
	f.cancel()
	f.running.Wait()
	return nil
}

func (f *flows) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	if f.accept != nil {
		_ = f.accept.Close() // it can be closed already
	}
}

// forward carries one flow. A client without a target is reset, as by the load
// balancer whose target group is empty.
func (f *flows) forward(client net.Conn) {
	defer client.Close()
	address, ok := f.choose()
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(f.life, connectTimeout)
	target, err := f.network.DialContext(ctx, "tcp", address)
	cancel()
	if err != nil {
		return
	}
	defer target.Close()
	defer context.AfterFunc(f.life, func() { _, _ = client.Close(), target.Close() })()
	var there sync.WaitGroup
	there.Go(func() { relay(target, client) })
	relay(client, target)
	there.Wait()
}

// choose picks a group by weight and a target of it by turns.
func (f *flows) choose() (address string, ok bool) {
	table := f.balancer.table.Load()
	rules := table.listeners[f.address].Rules
	if len(rules) == 0 {
		return "", false
	}
	forward := rules[len(rules)-1].Forward
	chosen := f.balancer.dice.pick(weightsOf(forward))
	if chosen < 0 {
		return "", false
	}
	return table.groups[forward[chosen].TargetGroupARN].target()
}

func weightsOf(forward []routing.WeightedGroup) []int64 {
	weights := make([]int64, len(forward))
	for i, group := range forward {
		weights[i] = int64(group.Weight)
	}
	return weights
}

// relay copies one direction and hands its end on.
func relay(to, from net.Conn) {
	_, err := io.Copy(to, from)
	half, ok := to.(interface{ CloseWrite() error })
	if err != nil || !ok || half.CloseWrite() != nil {
		_, _ = to.Close(), from.Close()
	}
}
