package app

import (
	"context"
	"fmt"

	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/kube"
	"github.com/clusterswitch/clusterswitch/internal/preflight/gather"
)

// source finds a cluster to read. The way is found anew for each look: tokens
// and Secrets change.
func (w ways) source(ctx context.Context, c config.Cluster) gather.Source {
	name, find := w.to(c)
	access, _, err := find(ctx)
	if err != nil {
		return gather.Source{Name: name, Fault: err.Error()}
	}
	reach, err := kube.Connect(access)
	if err != nil {
		return gather.Source{Name: name, Fault: err.Error()}
	}
	return gather.Source{Name: name, Config: reach}
}

// managementSecrets reads Secrets of a management cluster that is looked for
// only when a Secret is asked for.
type managementSecrets struct {
	reach     func() (*rest.Config, error)
	namespace string
}

// Read gives one key of a Secret.
func (m managementSecrets) Read(ctx context.Context, name, key string) ([]byte, error) {
	management, err := m.reach()
	if err != nil {
		return nil, fmt.Errorf("reading Secret %s: %w", name, err)
	}
	secrets, err := kube.NewSecrets(management, m.namespace)
	if err != nil {
		return nil, err
	}
	return secrets.Read(ctx, name, key)
}
