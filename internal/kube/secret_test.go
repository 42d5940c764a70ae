package kube_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/internal/kube"
)

func TestASecretIsReadAsItIsNow(t *testing.T) {
	w := newWorld(t)
	secrets, err := kube.NewSecrets(w.config, w.namespace)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := secrets.Read(t.Context(), "green", "kubeconfig"); err == nil || !strings.Contains(err.Error(), "reading Secret "+w.namespace+"/green: it isn't there; create it") {
		t.Errorf("a Secret that isn't there: %v", err)
	}
	secret, err := w.client.CoreV1().Secrets(w.namespace).Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "green"}, Data: map[string][]byte{"kubeconfig": []byte("first"), "empty": nil},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"first", "second"} {
		secret.Data["kubeconfig"] = []byte(want)
		if secret, err = w.client.CoreV1().Secrets(w.namespace).Update(t.Context(), secret, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		if got, err := secrets.Read(t.Context(), "green", "kubeconfig"); err != nil || string(got) != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	for _, key := range []string{"empty", "config"} {
		if _, err := secrets.Read(t.Context(), "green", key); err == nil || !strings.Contains(err.Error(), "it has no key "+key+", or an empty one") {
			t.Errorf("key %s: %v", key, err)
		}
	}
	nobody := rest.CopyConfig(w.config)
	nobody.Impersonate = rest.ImpersonationConfig{UserName: "nobody"}
	if secrets, err = kube.NewSecrets(nobody, w.namespace); err != nil {
		t.Fatal(err)
	}
	if _, err := secrets.Read(t.Context(), "green", "kubeconfig"); err == nil || !strings.Contains(err.Error(), "the daemon may not; grant it get on this Secret") {
		t.Errorf("without the right: %v", err)
	}
}
