package kube

import (
	"fmt"
	"net"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	// The client's own rate limit, per second. client-go's default of 5 delays
	// the first lists; API priority and fairness protects the server anyway.
	clientQPS   = 50
	clientBurst = 100
	// dialTimeout bounds a connection to an API server that doesn't answer.
	// rest.Config.Timeout is no help here: it would cut every watch, too.
	dialTimeout = 5 * time.Second
	keepAlive   = 30 * time.Second
)

// Access says how to reach a cluster.
type Access struct {
	// Kubeconfig is the path of a kubeconfig file. Empty: the service account of
	// the pod that this runs in.
	Kubeconfig string
	// Context of the kubeconfig. Empty: its current one.
	Context string
	// UserAgent names this program in the API server's audit log.
	UserAgent string
}

// Connect makes the client configuration for a cluster. It reads files and
// doesn't talk to the cluster.
func Connect(a Access) (*rest.Config, error) {
	config, err := a.load()
	if err != nil {
		return nil, err
	}
	config.UserAgent = a.UserAgent
	config.QPS, config.Burst = clientQPS, clientBurst
	config.Dial = (&net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive}).DialContext
	return config, nil
}

func (a Access) load() (*rest.Config, error) {
	if a.Kubeconfig == "" {
		config, err := rest.InClusterConfig()
		if err != nil {
			return nil, fmt.Errorf("reading the pod's service account: %w", err)
		}
		return config, nil
	}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		&clientcmd.ClientConfigLoadingRules{ExplicitPath: a.Kubeconfig},
		&clientcmd.ConfigOverrides{CurrentContext: a.Context},
	).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("reading kubeconfig %s: %w", a.Kubeconfig, err)
	}
	return config, nil
}
