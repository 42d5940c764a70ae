//go:build e2e

package controlplane_test

import (
	"context"
	"errors"
	"net"
	"net/url"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
)

// After a crash the API server is gone, and comes back where it was, with its
// objects, for the users that it had; frozen, it answers nothing until it goes on.
func TestE2EAnAPIServerThatCrashedComesBackAsItWas(t *testing.T) {
	cp, err := controlplane.Start(t.Context(), controlplane.Options{Name: "crashing", Assets: repositoryAssets(t), UnsafeNoFsync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cp.Stop(); err != nil {
			t.Error(err)
		}
	})
	maps := cptest.Client(t, cp).CoreV1().ConfigMaps("default")
	if _, err := maps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "kept"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	get := func(patience time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		_, err := maps.Get(ctx, "kept", metav1.GetOptions{})
		return err
	}
	for _, takenFor := range []time.Duration{0, time.Second} {
		if err := cp.CrashAPIServer(); err != nil {
			t.Fatal(err)
		}
		if err := get(time.Minute); err == nil {
			t.Error("a crashed API server answered")
		}
		if takenFor > 0 { // another program came upon its port
			taken := listenInPlaceOf(t, cp)
			time.AfterFunc(takenFor, func() { _ = taken.Close() }) // a second time in the end
		}
		if err := cp.RestartAPIServer(); err != nil {
			t.Fatal(err)
		}
		if err := get(time.Minute); err != nil {
			t.Errorf("after the restart: %v", err)
		}
	}
	if err := cp.FreezeAPIServer(); err != nil {
		t.Fatal(err)
	}
	if err := get(200 * time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a frozen API server: got %v, want no answer", err)
	}
	if err := cp.ThawAPIServer(); err != nil {
		t.Fatal(err)
	}
	if err := get(time.Minute); err != nil {
		t.Errorf("after the thaw: %v", err)
	}
}

func listenInPlaceOf(t *testing.T, cp *controlplane.ControlPlane) net.Listener {
	t.Helper()
	where, err := url.Parse(cp.RESTConfig().Host)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", where.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}
