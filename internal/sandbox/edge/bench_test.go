package edge_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/backend"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/edge"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/edge/edgetest"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/vnet"
)

// BenchmarkEdge measures whole requests through one listener: client, edge and
// pod in one process, half to blue and half to green.
func BenchmarkEdge(b *testing.B) {
	network, control := vnet.New(), edgetest.NewControl()
	for cluster, address := range map[string]string{"blue": bluePod, "green": greenPod} {
		pod, err := backend.Start(backend.Options{Cluster: cluster, Address: address, Network: network})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = pod.Close(context.WithoutCancel(b.Context())) })
	}
	control.SetGroups(group(blueGroup, routing.Healthy, bluePod), group(greenGroup, routing.Healthy, greenPod))
	control.SetListeners(listener(front, forward(50, 50)))
	e, err := edge.Start(edge.Options{
		Records: control, LoadBalancers: control, Reports: control, Network: network,
		Rand: rand.New(rand.NewPCG(1, 2)),
	})
	if err != nil {
		b.Fatal(err)
	}
	transport := &http.Transport{DialContext: network.DialContext, MaxIdleConnsPerHost: 64}
	b.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = e.Close(context.WithoutCancel(b.Context()))
	})
	b.SetParallelism(8)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			response, err := transport.RoundTrip(httptest.NewRequest(http.MethodGet, "http://"+front+"/", http.NoBody))
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, response.Body)
			response.Body.Close()
			if response.StatusCode != http.StatusOK {
				b.Errorf("status %d", response.StatusCode)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}
