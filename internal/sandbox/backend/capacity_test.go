package backend_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/backend"
)

// told is what became of one request.
type told struct {
	Status int
	After  time.Duration
}

func TestCapacity(t *testing.T) {
	t.Parallel()
	ask := func(p *backend.Pod, path string, n int) []told {
		results, began := make([]told, n), time.Now()
		var asking sync.WaitGroup
		for i := range n {
			asking.Go(func() {
				answer := httptest.NewRecorder()
				p.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
				results[i] = told{answer.Code, time.Since(began)}
			})
			synctest.Wait() // one after the other, at the same instant
		}
		asking.Wait()
		return results
	}
	at := func(status int, each time.Duration, places ...int) (all []told) {
		for _, place := range places {
			all = append(all, told{status, time.Duration(place) * each})
		}
		return all
	}
	const ok, shed = http.StatusOK, http.StatusServiceUnavailable
	tests := map[string]struct {
		capacity backend.Capacity
		path     string
		want     []told
	}{
		"a pod without limit answers all at once": {want: at(ok, 0, 0, 0, 0, 0), path: "/"},
		"ten a second come out a tenth of a second apart, and what finds the queue full is shed at once": {
			capacity: backend.Capacity{PerSecond: 10, Queue: 2}, path: "/",
			want: append(at(ok, 100*time.Millisecond, 1, 2, 3), at(shed, 0, 0, 0)...),
		},
		"health checks pass the queue by": {
			capacity: backend.Capacity{PerSecond: 1}, path: "/healthz", want: at(ok, 0, 0, 0, 0),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p, err := backend.Start(backend.Options{Cluster: "blue", Address: "10.0.0.1:80", Network: &pipes{}, Capacity: test.capacity})
				if err != nil {
					t.Fatal(err)
				}
				got := ask(p, test.path, len(test.want))
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("answers (-want +got):\n%s", diff)
				}
				// After a while of rest all of its capacity is there again.
				time.Sleep(time.Minute)
				if diff := cmp.Diff(test.want[:1], ask(p, test.path, 1)); diff != "" {
					t.Errorf("after a rest (-want +got):\n%s", diff)
				}
				if err := p.Close(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
