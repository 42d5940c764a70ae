package kube

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/internal/logkey"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// DefaultPingEvery is how often the API server is asked when Options don't say.
const DefaultPingEvery = 2 * time.Second

// Options describe one cluster to watch.
type Options struct {
	// Config reaches the cluster.
	Config *rest.Config
	// Name tells the cluster apart in the log and in errors.
	Name string
	// Namespaces whose workloads count. Empty: all.
	Namespaces []string
	// Ignore names workloads that don't count, as "namespace/name". A name may
	// have the wildcards of path.Match: "kube-system/*".
	Ignore []string
	Logger *zap.Logger
	// PingEvery is the time between two questions to the API server, and the
	// longest that it may take to answer one: a cluster that goes away is unknown
	// after twice this time at the latest. Zero: DefaultPingEvery.
	PingEvery time.Duration
	// OnLook is called after every answer of the API server or lack of it, when
	// Snapshot tells the new state of affairs. It must not block. May be nil.
	OnLook func()
}

// Cluster watches one cluster. Its methods may be used by several goroutines.
type Cluster struct {
	client    kubernetes.Interface
	proxy     serviceProxy
	ignore    []string
	log       *zap.Logger
	pingEvery time.Duration
	onLook    func()
	sources   []*source
	// stirred says that the state of a watch changed: look now.
	stirred chan struct{}
	// What was logged last; only Run's goroutine uses them.
	logged, loggedKnown bool

	mu      sync.Mutex
	current time.Time             // when everything was last known to be current
	fault   string                // why it isn't now; empty: it is
	kept    *shift.ClusterReading // what Snapshot made last; never changed
}

type serviceProxy struct {
	base string
	rt   http.RoundTripper
}

// New prepares to watch a cluster. It doesn't talk to it yet.
func New(o Options) (*Cluster, error) {
	for _, pattern := range o.Ignore {
		if _, err := path.Match(pattern, ""); err != nil || strings.Count(pattern, "/") != 1 {
			return nil, fmt.Errorf("ignoring %q in %s: it is not of the form namespace/name", pattern, o.Name)
		}
	}
	c := &Cluster{
		ignore: o.Ignore, onLook: o.OnLook,
		log:       o.Logger.With(logkey.Cluster(o.Name)),
		pingEvery: o.PingEvery,
		stirred:   make(chan struct{}, 1),
		fault:     "it was not read yet",
	}
	if c.pingEvery <= 0 {
		c.pingEvery = DefaultPingEvery
	}
	if err := c.connect(o.Config); err != nil {
		return nil, fmt.Errorf("making a client for %s: %w", o.Name, err)
	}
	if err := c.newSources(o.Namespaces); err != nil {
		return nil, fmt.Errorf("preparing the watches of %s: %w", o.Name, err)
	}
	return c, nil
}

// connect makes one HTTP client for everything, so that pings share the
// connection with the watches and their answers speak for them.
func (c *Cluster) connect(given *rest.Config) error {
	config := rest.CopyConfig(given)
	config.ContentType = runtime.ContentTypeProtobuf
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return err
	}
	base, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return err
	}
	c.proxy = serviceProxy{base: strings.TrimSuffix(base.String(), "/"), rt: httpClient.Transport}
	c.client, err = kubernetes.NewForConfigAndClient(config, httpClient)
	return err
}

// Run watches the cluster until ctx ends, and returns when everything that it
// started has ended. It may be called once. A cluster that can't be reached is
// no error: Snapshot says so, and it is tried again for ever.
func (c *Cluster) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	for _, s := range c.sources {
		running.Go(func() { s.informer.RunWithContext(ctx) })
		running.Go(func() { s.awaitFirstList(ctx) })
	}
	tick := time.NewTicker(c.pingEvery)
	defer tick.Stop()
	for {
		c.look(ctx)
		select {
		case <-ctx.Done():
			c.keep(verdict{fault: "it is no longer watched"})
			return nil
		case <-tick.C:
		case <-c.stirred:
		}
	}
}

// Snapshot tells what is known of the cluster. It is made once after each answer
// of the API server, or lack of it, however many ask: in a large cluster it takes
// milliseconds. So its lists are shared, and must not be changed.
func (c *Cluster) Snapshot() shift.ClusterReading {
	c.mu.Lock()
	kept, current, fault := c.kept, c.current, c.fault
	c.mu.Unlock()
	if kept != nil && kept.At.Equal(current) && kept.Err == fault {
		return *kept
	}
	reading := shift.ClusterReading{At: current, Err: fault}
	reading.Nodes, reading.NodesReady = c.countNodes()
	reading.Workloads = c.workloads()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept = &reading
	return reading
}

// Fault tells why the cluster is unknown now; empty: it is known. Unlike Snapshot
// it costs nothing.
func (c *Cluster) Fault() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fault
}

// ServiceProxy gives what probes need to reach services through the API server:
// its base URL without final slash, and a transport with the cluster's
// credentials. Paths are those of the API, as in
// /api/v1/namespaces/NAMESPACE/services/NAME:PORT/proxy/PATH.
func (c *Cluster) ServiceProxy() (baseURL string, rt http.RoundTripper) {
	return c.proxy.base, c.proxy.rt
}

func (c *Cluster) ignored(namespace, name string) bool {
	for _, pattern := range c.ignore {
		// New has checked the patterns.
		if ok, _ := path.Match(pattern, namespace+"/"+name); ok {
			return true
		}
	}
	return false
}
