package ready

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

// doorway stands between the daemon and one API server. Everything passes; writes
// pass one after the other through a hand.
type doorway struct {
	// kubeconfig is the path of a file that leads through it.
	kubeconfig string

	server *http.Server
	served chan error
}

// write is one of the daemon's writes, on its way.
type write struct {
	cluster *cluster
	request *http.Request
}

// hand is put on each write. It calls forward, which hands it to the API server and
// waits for the whole answer, or doesn't; it returns whether the daemon gets the
// answer. A daemon that gets none was killed.
type hand func(w write, forward func()) (answered bool)

// openDoorway opens a doorway to a cluster.
func openDoorway(ctx context.Context, c *cluster, dir string, onWrite hand) (*doorway, error) {
	config := c.RESTConfig()
	transport, err := rest.TransportFor(config)
	if err != nil {
		return nil, fmt.Errorf("reaching %s: %w", c.name, err)
	}
	target, err := url.Parse(config.Host)
	if err != nil {
		return nil, fmt.Errorf("reaching %s: %w", c.name, err)
	}
	proxy := &httputil.ReverseProxy{
		Transport: transport, FlushInterval: -1, // watches
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = target.Host },
		// A daemon that was killed leaves its requests behind.
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("opening a doorway to %s: %w", c.name, err)
	}
	d := &doorway{served: make(chan error, 1), kubeconfig: filepath.Join(dir, c.name+".kubeconfig")}
	d.server = &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !writes(r) {
			proxy.ServeHTTP(w, r)
			return
		}
		kept := newKept()
		// The write goes its way even if the daemon dies meanwhile.
		request := r.WithContext(context.WithoutCancel(r.Context()))
		if onWrite(write{c, r}, func() { proxy.ServeHTTP(kept, request) }) {
			kept.give(w)
		}
	})}
	go func() { d.served <- d.server.Serve(l) }()
	return d, d.writeKubeconfig(c.name, "http://"+l.Addr().String())
}

// writes tells the requests that change something. Reviews of rights change nothing.
func writes(r *http.Request) bool {
	switch r.Method {
	case http.MethodPut, http.MethodPatch, http.MethodDelete:
		return true
	case http.MethodPost:
		return !contains(r.URL.Path, "/apis/authorization.k8s.io/", "/apis/authentication.k8s.io/")
	}
	return false
}

func (d *doorway) writeKubeconfig(name, server string) error {
	type object = map[string]any
	text, err := yaml.Marshal(object{
		"apiVersion": "v1", "kind": "Config", "current-context": name,
		"clusters": []object{{"name": name, "cluster": object{"server": server}}},
		"users":    []object{{"name": name, "user": object{}}},
		"contexts": []object{{"name": name, "context": object{"cluster": name, "user": name}}},
	})
	if err != nil {
		return err
	}
	return os.WriteFile(d.kubeconfig, text, 0o600)
}

func (d *doorway) close() error {
	err := d.server.Close()
	if served := <-d.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
