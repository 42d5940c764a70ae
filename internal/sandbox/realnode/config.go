package realnode

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"sigs.k8s.io/yaml"
)

// The node's addresses. None of them leads out of the namespace; nodeAddress is kept
// for documentation, so that it can be nobody's (RFC 5737).
const (
	nodeName    = "node-1"
	nodeAddress = "198.51.100.1"
	// serviceAddress is that of the API server's Service, as envtest's range has it.
	serviceAddress = "10.0.0.1"
	podRange       = "10.244.0.0/24"
)

type object = map[string]any

// places are where the node's programs keep and find things.
type places struct {
	state string // of the namespace alone
	cni   string // folder of the plugins
	logs  string // outlives the namespace
}

func (p places) path(name string) string { return filepath.Join(p.state, name) }

func (p places) socket() string { return p.path("containerd.sock") }

// containerdConfig is in version 2, which containerd 1.4 and all later ones read.
func (p places) containerdConfig() string {
	return fmt.Sprintf(`version = 2
root = %q
state = %q

[grpc]
  address = %q

[plugins."io.containerd.internal.v1.opt"]
  path = %q

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = %q
  # A root without CAP_SYS_RESOURCE may not lower it below its own.
  restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = %q
  conf_dir = %q
`, p.path("containerd"), p.path("containerd-state"), p.socket(), p.path("opt"), pauseName, p.cni, p.path("cni"))
}

// networkConfig gives each pod an address on one bridge of the node.
func (p places) networkConfig() ([]byte, error) {
	return json.MarshalIndent(object{
		"cniVersion": "0.4.0", "name": "pods",
		"plugins": []object{{
			"type": "bridge", "bridge": "pods0", "isGateway": true, "hairpinMode": true,
			"ipam": object{
				"type": "host-local", "dataDir": p.path("addresses"),
				"ranges": [][]object{{{"subnet": podRange}}}, "routes": []object{{"dst": "0.0.0.0/0"}},
			},
		}},
	}, "", "  ")
}

// kubeletConfig is what the kubelet runs with. Its certificate is one of its own
// making; who asks it must have a token or be nobody.
func (p places) kubeletConfig() ([]byte, error) {
	return yaml.Marshal(object{
		"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
		"containerRuntimeEndpoint": "unix://" + p.socket(),
		"cgroupDriver":             "cgroupfs",
		// Machines with cgroups of version 1 are still about.
		"failCgroupV1": false, "failSwapOn": false,
		"address": nodeAddress, "readOnlyPort": 0, "healthzBindAddress": "127.0.0.1",
		"authentication": object{"anonymous": object{"enabled": false}, "webhook": object{"enabled": true}},
		"authorization":  object{"mode": "Webhook"},
		// The namespace has no name server; an empty file says so to the pods.
		"resolvConf": p.path("resolv.conf"), "podLogsDir": filepath.Join(p.logs, "pods"),
		"volumePluginDir": p.path("volume-plugins"),
		// How full the machine's disk is, is nobody's fault here.
		"evictionHard":                object{"memory.available": "0%", "nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%", "imagefs.inodesFree": "0%"},
		"imageGCHighThresholdPercent": 100, "imageGCLowThresholdPercent": 99,
	})
}

// proxyConfig lets Services be reached by rules of iptables, and leaves the machine's
// own settings alone.
func (p places) proxyConfig(kubeconfig string) ([]byte, error) {
	return yaml.Marshal(object{
		"apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration",
		"clientConnection": object{"kubeconfig": kubeconfig},
		"hostnameOverride": nodeName, "clusterCIDR": podRange, "mode": "iptables",
		"healthzBindAddress": "127.0.0.1:10256", "metricsBindAddress": "127.0.0.1:10249",
		"conntrack": object{"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
	})
}
