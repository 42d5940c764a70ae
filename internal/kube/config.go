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

// Access says how to reach a cluster: by the first of Server, Document and
// Kubeconfig that is given, else by the service account of the pod that this
// runs in.
type Access struct {
	// Server is the API server itself.
	Server *Server
	// Document is the text of a kubeconfig that somebody else wrote: it may name
	// no files and run no programs.
	Document []byte
	// Kubeconfig is the path of a kubeconfig file.
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
	switch {
	case a.Server != nil:
		return a.Server.config(), nil
	case a.Document != nil:
		return loadDocument(a.Document, a.Context)
	case a.Kubeconfig == "":
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
