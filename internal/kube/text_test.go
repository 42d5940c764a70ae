package kube_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/internal/kube"
)

// A change of a ConfigMap is known within seconds, others of the namespace are
// nobody's business, and one that loses its text or goes away changes nothing.
func TestAChangedTextIsToldAtOnce(t *testing.T) {
	w := newWorld(t)
	maps := w.client.CoreV1().ConfigMaps(w.namespace)
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "mine"}, Data: map[string]string{"text": "first"}}
	other := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "other"}, Data: map[string]string{"text": "another's"}}
	for _, o := range []*corev1.ConfigMap{object, other} {
		if _, err := maps.Create(t.Context(), o, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	text, err := kube.NewText(kube.TextOptions{Config: w.config, Namespace: w.namespace, Name: "mine", Key: "text", Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan string, 10)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- text.Follow(ctx, func(text string) { told <- text }) }()
	hear := func(want string) {
		t.Helper()
		select {
		case got := <-told:
			if got != want {
				t.Errorf("told %q, want %q", got, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%q was not told", want)
		}
	}
	put := func(data map[string]string) {
		t.Helper()
		object.Data = data
		if _, err := maps.Update(t.Context(), object, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	hear("first")
	put(map[string]string{"text": "second"})
	began := time.Now()
	hear("second")
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the change took %s, want seconds", took)
	}
	put(map[string]string{"other": "x"})
	if _, err := text.Read(t.Context()); err == nil || !strings.Contains(err.Error(), "it has no key text") {
		t.Errorf("without the key, reading gives %v", err)
	}
	if err := maps.Delete(t.Context(), "mine", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	object.Data = map[string]string{"text": "third"}
	if _, err := maps.Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	hear("third")
	if got, err := text.Read(t.Context()); err != nil || got != "third" {
		t.Errorf("reading gives %q, %v", got, err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestATextThatMayNotBeReadSaysWhatToGrant(t *testing.T) {
	w := newWorld(t)
	nobody := rest.CopyConfig(w.config)
	nobody.Impersonate = rest.ImpersonationConfig{UserName: "nobody"}
	text, err := kube.NewText(kube.TextOptions{Config: nobody, Namespace: w.namespace, Name: "mine", Key: "text", Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := text.Read(t.Context()); err == nil || !strings.Contains(err.Error(), "grant it get, list and watch on this ConfigMap") {
		t.Errorf("reading gives %v", err)
	}
}
