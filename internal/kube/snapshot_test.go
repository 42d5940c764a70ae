package kube

import (
	"testing"
	"time"

	"go.uber.org/zap"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// A thousand pairs may ask for one cluster: between two answers of the API server
// they all get the same reading, with the time of the first.
func TestASnapshotIsMadeOnceForEachAnswer(t *testing.T) {
	t.Parallel()
	c, err := New(Options{Config: &rest.Config{Host: "http://127.0.0.1:1"}, Name: "green", Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	deploy := func(name string) {
		for _, s := range c.sources {
			if _, ok := s.holds.(*appsv1.Deployment); !ok {
				continue
			}
			if err := s.informer.GetStore().Add(&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop"}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	first := time.Now()
	c.keep(verdict{current: first})
	deploy("web")
	one := c.Snapshot()
	deploy("api")
	again := c.Snapshot()
	if len(one.Workloads) != 1 || len(again.Workloads) != 1 || &one.Workloads[0] != &again.Workloads[0] || !again.At.Equal(first) {
		t.Errorf("the reading was made twice: %+v, %+v", one, again)
	}
	c.keep(verdict{current: first.Add(time.Second)})
	if next := c.Snapshot(); len(next.Workloads) != 2 || !next.At.Equal(first.Add(time.Second)) {
		t.Errorf("after the next answer it is still %+v", next)
	}
	c.keep(verdict{fault: "gone"})
	if lost := c.Snapshot(); lost.Err != "gone" {
		t.Errorf("a cluster that went away is %+v", lost)
	}
}
