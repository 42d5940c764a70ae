package controlplane

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"
)

// configure lays out the folders and flags of both servers. It uses envtest's
// servers, not its Environment, whose environment variables could point a test
// at somebody's existing cluster.
func (cp *ControlPlane) configure(bin string, o Options) (*envtest.ControlPlane, error) {
	etcdLog, err := cp.openLog(o.LogDir, "etcd")
	if err != nil {
		return nil, err
	}
	apiLog, err := cp.openLog(o.LogDir, "kube-apiserver")
	if err != nil {
		return nil, err
	}
	etcdPath, err := guarded(cp.dir, filepath.Join(bin, "etcd"))
	if err != nil {
		return nil, err
	}
	apiPath, err := guarded(cp.dir, filepath.Join(bin, "kube-apiserver"))
	if err != nil {
		return nil, err
	}
	etcd := &envtest.Etcd{
		Path: etcdPath, DataDir: cp.path("etcd-data"),
		StartTimeout: startTimeout, StopTimeout: stopTimeout, Out: etcdLog, Err: etcdLog,
	}
	if !o.UnsafeNoFsync { // envtest switches it on
		etcd.Configure().Set("unsafe-no-fsync", "false")
	}
	api := &envtest.APIServer{
		Path: apiPath, CertDir: cp.path("certificates"),
		StartTimeout: startTimeout, StopTimeout: stopTimeout, Out: apiLog, Err: apiLog,
	}
	if err := os.MkdirAll(api.CertDir, 0o700); err != nil {
		return nil, err
	}
	if len(o.Addresses) > 0 {
		if api.SecureServing.CA, err = writeCertificates(api.CertDir, o.Addresses); err != nil {
			return nil, err
		}
		api.Configure().Set("bind-address", "0.0.0.0").Set("advertise-address", o.Addresses[0])
	}
	api.Configure().
		// The clients are few and ours: no queues, and no informers to feed them.
		Set("enable-priority-and-fairness", "false").
		Set("profiling", "false").
		// There are no endpoints of other API servers to look after.
		Set("endpoint-reconciler-type", "none").
		// Otherwise a stopping server waits up to a minute for open watches to end;
		// with this it gives them two seconds.
		Set("shutdown-send-retry-after", "true")
	if o.Controllers == nil {
		// No controller makes the default service accounts, so pods couldn't be
		// created with this plugin on (envtest's default, said here for the reader).
		api.Configure().Set("disable-admission-plugins", "ServiceAccount")
	} else {
		api.Configure().Disable("disable-admission-plugins")
	}
	if o.Audit != nil {
		flags, err := o.Audit.flags(cp.path("audit.yaml"))
		if err != nil {
			return nil, err
		}
		for name, value := range flags {
			api.Configure().Set(name, value)
		}
	}
	if o.EgressSocket != "" {
		path := cp.path("egress.yaml")
		if err := writeEgress(path, o.EgressSocket); err != nil {
			return nil, err
		}
		api.Configure().Set("egress-selector-config-file", path)
	}
	for name, value := range o.Flags {
		api.Configure().Set(name, value)
	}
	return &envtest.ControlPlane{Etcd: etcd, APIServer: api}, nil
}

// maxSocketPath is what fits into a unix socket address on every system we know
// (108 bytes with the final zero on Linux, 104 on macOS).
const maxSocketPath = 103

// writeEgress writes the configuration that sends cluster traffic through an
// HTTP CONNECT proxy. It has to be a unix socket: over TCP kube-apiserver always
// speaks TLS to the proxy, and an http:// URL, which its validation lets
// through, makes it crash at the start (Kubernetes 1.37).
// https://kubernetes.io/docs/reference/config-api/apiserver-config.v1/
func writeEgress(path, socket string) error {
	if len(socket) > maxSocketPath {
		return fmt.Errorf("egress socket %s: the path is longer than %d bytes", socket, maxSocketPath)
	}
	socket, err := filepath.Abs(socket)
	if err != nil {
		return err
	}
	type object = map[string]any
	content, err := yaml.Marshal(object{
		"apiVersion": "apiserver.k8s.io/v1beta1", "kind": "EgressSelectorConfiguration",
		"egressSelections": []object{{
			"name": "cluster",
			"connection": object{
				"proxyProtocol": "HTTPConnect",
				"transport":     object{"uds": object{"udsName": socket}},
			},
		}},
	})
	if err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

// openLog hands a real file to the server, so that no goroutine of ours has to
// copy its output.
func (cp *ControlPlane) openLog(dir, server string) (*os.File, error) {
	if dir == "" {
		dir = cp.dir
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(dir, cp.name+"-"+server+".log"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	cp.logs = append(cp.logs, file)
	return file, nil
}

// lastWords returns the end of each server's log: the servers say why they didn't
// start, envtest doesn't.
func (cp *ControlPlane) lastWords() string {
	const most = 1500 // bytes of each log
	var words strings.Builder
	for _, log := range cp.logs {
		stat, err := log.Stat()
		if err != nil || stat.Size() == 0 {
			continue
		}
		from := max(0, stat.Size()-most)
		tail, err := io.ReadAll(io.NewSectionReader(log, from, most))
		if err != nil {
			continue
		}
		fmt.Fprintf(&words, "\n--- end of %s\n%s", filepath.Base(log.Name()), tail)
	}
	return words.String()
}
