package kube_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterswitch/clusterswitch/internal/kube"
)

const twoClusters = `
apiVersion: v1
kind: Config
current-context: blue
clusters:
- {name: blue, cluster: {server: "https://blue.example.com"}}
- {name: green, cluster: {server: "https://green.example.com:6443"}}
users:
- {name: someone, user: {token: secret}}
contexts:
- {name: blue, context: {cluster: blue, user: someone}}
- {name: green, context: {cluster: green, user: someone}}
`

func TestConnectTakesTheContextThatIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(twoClusters), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ context, host string }{
		"a context by name":   {"green", "https://green.example.com:6443"},
		"the current context": {"", "https://blue.example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			config, err := kube.Connect(kube.Access{Kubeconfig: path, Context: c.context, UserAgent: "clusterswitch/1"})
			if err != nil {
				t.Fatal(err)
			}
			if config.Host != c.host || config.BearerToken != "secret" || config.UserAgent != "clusterswitch/1" {
				t.Errorf("got %+v", config)
			}
			if config.Timeout != 0 {
				t.Errorf("a timeout of %s would cut every watch", config.Timeout)
			}
		})
	}
}

func TestConnectNamesWhatIsWrong(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(twoClusters), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		access kube.Access
		want   string
	}{
		"a context that isn't there": {kube.Access{Kubeconfig: path, Context: "red"}, `"red"`},
		"a file that isn't there":    {kube.Access{Kubeconfig: path + "x"}, path + "x"},
		"outside of a cluster":       {kube.Access{}, "service account"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := kube.Connect(c.access); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Connect: %v, want an error that names %s", err, c.want)
			}
		})
	}
}
