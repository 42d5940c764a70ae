package realnode

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

func here() places { return places{state: "/run/node", cni: "/usr/lib/cni", logs: "/var/log/node"} }

func TestTheNodesProgramsKeepWhatTheyHaveInTheNamespace(t *testing.T) {
	t.Parallel()
	kubelet, err := here().kubeletConfig()
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := here().proxyConfig("/run/node/proxy.kubeconfig")
	if err != nil {
		t.Fatal(err)
	}
	network, err := here().networkConfig()
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(network) {
		t.Errorf("the network's configuration is no JSON: %s", network)
	}
	for name, text := range map[string]string{
		"containerd": here().containerdConfig(), "kubelet": string(kubelet), "kube-proxy": string(proxy), "network": string(network),
	} {
		for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \n\"=", r) }) {
			path := strings.TrimPrefix(word, "unix://")
			if strings.HasPrefix(path, "/") && !strings.HasPrefix(path, here().state) && path != here().cni && !strings.HasPrefix(path, here().logs) {
				t.Errorf("%s keeps something in %s", name, path)
			}
		}
	}
}

func TestKubeletTakesThisMachineAsItIs(t *testing.T) {
	t.Parallel()
	text, err := here().kubeletConfig()
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := yaml.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"cgroupDriver": "cgroupfs", "failCgroupV1": false, "failSwapOn": false, "readOnlyPort": 0.0, "address": nodeAddress,
		"authentication":           map[string]any{"anonymous": map[string]any{"enabled": false}, "webhook": map[string]any{"enabled": true}},
		"authorization":            map[string]any{"mode": "Webhook"},
		"containerRuntimeEndpoint": "unix:///run/node/containerd.sock",
	}
	seen := map[string]any{}
	for key := range want {
		seen[key] = got[key]
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("kubelet's configuration (-want +got):\n%s", diff)
	}
	for key, bound := range got["evictionHard"].(map[string]any) {
		if bound != "0%" {
			t.Errorf("pods are evicted by %s below %v", key, bound)
		}
	}
}
