package kube

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Secrets reads Secrets of one namespace.
type Secrets struct {
	client    kubernetes.Interface
	namespace string
}

// NewSecrets makes Secrets. It doesn't talk to the cluster yet.
func NewSecrets(config *rest.Config, namespace string) (*Secrets, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("making a client for Secrets: %w", err)
	}
	return &Secrets{client: client, namespace: namespace}, nil
}

// Read gives one key of a Secret as it is now. An error says what to do.
func (s *Secrets) Read(ctx context.Context, name, key string) ([]byte, error) {
	secret, err := s.client.CoreV1().Secrets(s.namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, fmt.Errorf("reading Secret %s/%s: it isn't there; create it in the journal's namespace", s.namespace, name)
	case apierrors.IsForbidden(err):
		return nil, fmt.Errorf("reading Secret %s/%s: the daemon may not; grant it get on this Secret: %w", s.namespace, name, err)
	case err != nil:
		return nil, fmt.Errorf("reading Secret %s/%s: %w", s.namespace, name, err)
	}
	value, ok := secret.Data[key]
	if !ok || len(value) == 0 {
		return nil, fmt.Errorf("reading Secret %s/%s: it has no key %s, or an empty one", s.namespace, name, key)
	}
	return value, nil
}
