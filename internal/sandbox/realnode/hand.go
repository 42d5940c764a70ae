package realnode

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/played"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

const (
	namespace = "clusterswitch" // the release's, and the account's in blue and green
	release   = "clusterswitch"
	pairName  = "shop"
	account   = "clusterswitch-daemon" // of files/workload-account.yaml
)

//go:embed values.yaml.tmpl
var valuesTemplate string

// asked is what the values ask for.
type asked struct {
	Serve    string
	Attempt  int
	Rollback bool
	Restart  string // a change of the pods themselves
}

// writeValues writes the values file that the next helm command takes.
func (s *stage) writeValues(a asked) error {
	return played.WriteConfig(s.values(), valuesTemplate, map[string]any{
		"Image": imageName, "Region": s.region, "PodPort": world.PodPort, "WebName": world.WebName,
		"Serve": a.Serve, "Attempt": a.Attempt, "Rollback": a.Rollback, "Restart": a.Restart,
	})
}

func (s *stage) values() string { return s.options.file("values.yaml") }

// types types a command as a person does, and gives what it prints.
func (s *stage) types(ctx context.Context, words ...string) (string, error) {
	s.say("  $ %s", strings.Join(words, " "))
	return s.quietly(ctx, words...)
}

func (s *stage) quietly(ctx context.Context, words ...string) (string, error) {
	path := map[string]string{
		"helm": s.options.Helm, "kubectl": filepath.Join(s.options.Assets.Dir, "kubectl"), "clusterswitch": s.options.Daemon,
	}[words[0]]
	cmd := exec.CommandContext(ctx, path, words[1:]...)
	home := s.node.places.path("home")
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.contexts(), "HOME="+home,
		"HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %w: %s", strings.Join(words[:2], " "), err, lastOf(out.String()+complaint.String(), 3000))
	}
	return out.String(), nil
}

func (s *stage) contexts() string { return s.node.places.path("contexts") }

// writeContexts writes the kubeconfig of a person who administers all three clusters.
func (s *stage) writeContexts() error {
	all := api.NewConfig()
	for name, plane := range map[string]*controlplane.ControlPlane{"management": s.world.Management, "blue": s.world.Blue.ControlPlane, "green": s.world.Green.ControlPlane} {
		one, err := clientcmd.LoadFromFile(plane.Kubeconfig())
		if err != nil {
			return fmt.Errorf("reading the kubeconfig of %s: %w", name, err)
		}
		in := one.Contexts[one.CurrentContext]
		all.Clusters[name], all.AuthInfos[name] = one.Clusters[in.Cluster], one.AuthInfos[in.AuthInfo]
		all.Contexts[name] = &api.Context{Cluster: name, AuthInfo: name}
	}
	all.CurrentContext = "management"
	return clientcmd.WriteToFile(*all, s.contexts())
}

// enrol makes the daemon's account in blue or green as the chart's file says, and
// the Secret with a kubeconfig of its token. No rights are given yet. No controller
// fills token Secrets in there, so the token is asked for.
func (s *stage) enrol(ctx context.Context, side *world.Cluster) error {
	name := side.Name()
	if _, err := s.types(ctx, "kubectl", "--context", name, "apply", "--filename", filepath.Join(s.options.Root, "charts/clusterswitch/files/workload-account.yaml")); err != nil {
		return err
	}
	token, err := s.types(ctx, "kubectl", "--context", name, "--namespace", namespace, "create", "token", account, "--duration", "8h")
	if err != nil {
		return err
	}
	all, err := clientcmd.LoadFromFile(s.contexts())
	if err != nil {
		return err
	}
	cluster := all.Clusters[name].DeepCopy()
	cluster.Server = strings.Replace(cluster.Server, "127.0.0.1", nodeAddress, 1) // as pods reach it
	own := api.NewConfig()
	own.Clusters[name], own.AuthInfos["clusterswitch"] = cluster, &api.AuthInfo{Token: strings.TrimSpace(token)}
	own.Contexts[name], own.CurrentContext = &api.Context{Cluster: name, AuthInfo: "clusterswitch"}, name
	file := s.node.places.path(name + "/kubeconfig")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	if err := clientcmd.WriteToFile(*own, file); err != nil {
		return err
	}
	_, err = s.types(ctx, "kubectl", "--namespace", namespace, "create", "secret", "generic", pairName+"-"+name, "--from-file", file)
	return err
}
