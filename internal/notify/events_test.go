package notify_test

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/notify"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
)

var cluster cptest.Shared

func TestMain(m *testing.M) {
	crd, err := v1alpha1.CRD()
	if err != nil {
		panic(err)
	}
	cluster.Options = cptest.Options{Name: "notify", CRDs: []*apiextensionsv1.CustomResourceDefinition{crd}}
	os.Exit(cluster.Run(m))
}

// kubectl describe finds Events by the object's name and UID.
func TestNewsIsAnEventOfTheObject(t *testing.T) {
	cp := cluster.Start(t)
	namespace := cptest.Namespace(t, cp)
	objects, err := v1alpha1.RESTClient(cp.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	object := &v1alpha1.TrafficSwitch{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}
	if err := objects.Post().Namespace(namespace).Resource(v1alpha1.Resource).Body(object).Do(t.Context()).Into(object); err != nil {
		t.Fatal(err)
	}
	events := cptest.Client(t, cp).CoreV1().Events(namespace)
	watch, err := events.Watch(t.Context(), metav1.ListOptions{FieldSelector: "involvedObject.name=shop,involvedObject.uid=" + string(object.UID)})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Stop()
	e, err := notify.NewEvents(notify.EventsOptions{Config: cp.RESTConfig(), Namespace: namespace, Logger: zaptest.NewLogger(t)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = e.Run(ctx) })
	e.Tell(rollback())
	select {
	case told := <-watch.ResultChan():
		event, is := told.Object.(*corev1.Event)
		if !is || event.Reason != "RollbackBegan" || event.Type != corev1.EventTypeWarning || event.Source.Component != "clusterswitch" {
			t.Errorf("the API server tells %+v", told.Object)
		}
	case <-time.After(30 * time.Second):
		t.Error("no Event within 30 s")
	}
	stop()
	running.Wait()
}
