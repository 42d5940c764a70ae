//go:build e2e && linux

package charttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/manifests"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

const installedValues = `image: {repository: clusterswitch}
port: {{.Port}}
config:
  interval: 1s
  aws: {region: ap-northeast-1, endpointURL: "{{.Region.Endpoint}}"}
pairs:
  - name: shop
    serve: {{.Serve}}
    blue: {kubeconfigSecret: {name: shop-blue}}
    green: {kubeconfig: {path: /etc/clusters/green/kubeconfig}}
    preflight: {every: 10s}
    probes:
      - {name: storefront, service: {namespace: shop, name: web, port: 8080, path: /healthz}, interval: 500ms, timeout: 450ms}
    traffic:
      - name: www
        route53: {hostedZoneID: {{.Region.HostedZoneID}}, names: [www.shop.example], blueSetIdentifier: blue, greenSetIdentifier: green}
      - name: api
        alb: {ruleARN: "{{.Region.RuleARN}}", blueTargetGroupARN: "{{index .Region.Groups "api-blue"}}", greenTargetGroupARN: "{{index .Region.Groups "api-green"}}"}
    steps: [{share: 5, hold: 1s}, {share: 50, hold: 1h}, {share: 100, hold: 1s}]
    soakOnly: true
    staleAfter: 5s
kubeconfigSecrets: [{name: shop-green, mountPath: /etc/clusters/green}]
env: [{{range .Credentials}}{name: {{index . 0}}, value: "{{index . 1}}"}, {{end}}]
rbac:
  operators: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: alice}]
  viewers: [{kind: ServiceAccount, name: reader, namespace: traffic}]
`

// installed is a release in a management cluster, between two clusters that it shall
// shift traffic between.
type installed struct {
	*kubelet
	world  *world.World
	region *world.Region
	dir    string
	port   int
}

// TestE2EAShiftFromTheInstalledChart installs the chart as its README and its notes say,
// into a real API server, where pods must be restricted. The daemon runs with what the
// Deployment gives it and nothing else; in blue and green its account has what
// "clusterswitch rbac" printed and nothing else. Pods start before any of these rights
// is given. Then a pair is shifted, and a person sends it back by the flag.
func TestE2EAShiftFromTheInstalledChart(t *testing.T) {
	if err := mayActAsANode(); err != nil {
		t.Skip(err)
	}
	i := newInstalled(t)
	i.helm("install", "blue", "--create-namespace")
	_, err := i.client.CoreV1().ServiceAccounts(namespace).Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "reader"}}, metav1.CreateOptions{})
	i.ok(err)

	deployment, err := i.client.AppsV1().Deployments(namespace).Get(t.Context(), "shift-clusterswitch", metav1.GetOptions{})
	i.ok(err)
	pod := deployment.Spec.Template.Spec
	daemon := pod.Containers[0]
	first := i.run(pod, daemon)
	i.awaitReady(first)
	// Green's kubeconfig is mounted: a kubelet brings it into the pod when it is there.
	i.giveRights()
	i.stop(first, time.Duration(*pod.TerminationGracePeriodSeconds)*time.Second)
	first = i.run(pod, daemon)
	second := i.run(pod, daemon, "CLUSTERSWITCH_LISTEN=127.0.0.1:0") // pods have an address each, and may have the same port
	i.awaitReady(first)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the daemons said:\n%s\n%s", first.said, second.said)
		}
	})
	if err := i.succeeds(i.testPod(), 2*time.Minute); err != nil {
		t.Errorf("helm test: %v", err)
	}
	i.await("nothing to do", func(s v1alpha1.TrafficSwitchStatus) bool { return s.Phase == "Idle" && s.Reason == "NothingToDo" })

	i.helm("upgrade", "green")
	i.await("half of the users on green", func(s v1alpha1.TrafficSwitchStatus) bool { return s.Share == 50 && s.Reason == "Holding" })
	if share := i.region.GreenShare(); share != 50 {
		t.Errorf("green has %v %% at the load balancer", share)
	}
	i.seenByAReader()
	alice, err := i.management.UserKubeconfig("alice")
	i.ok(err)
	i.command("kubectl", alice, "--namespace", namespace, "patch", "trafficswitch", "shop", "--type", "merge", "--patch", `{"spec": {"rollback": true}}`)
	i.await("everybody back", func(s v1alpha1.TrafficSwitchStatus) bool { return s.Phase == "RolledBack" })
	if share := i.region.GreenShare(); share != 0 {
		t.Errorf("green has %v %% at the load balancer after the rollback", share)
	}
	for _, c := range []*container{first, second} {
		i.stop(c, time.Duration(*pod.TerminationGracePeriodSeconds)*time.Second)
		for line := range strings.Lines(c.said.String()) {
			if strings.Contains(line, "forbidden") || strings.Contains(line, "permission denied") || strings.Contains(line, "read-only") {
				t.Errorf("a right is missing: %s", line)
			}
		}
	}
}

func newInstalled(t *testing.T) *installed {
	t.Helper()
	i := &installed{kubelet: &kubelet{T: t}, dir: t.TempDir()}
	repository, err := filepath.Abs(root)
	i.ok(err)
	assets := controlplane.RepositoryAssets(repository)
	i.world, err = world.Start(t.Context(), world.Options{Assets: assets, Dir: t.TempDir(), Progress: os.Stderr})
	i.ok(err)
	t.Cleanup(func() { i.ok(i.world.Close(context.Background())) })
	i.region, err = i.world.NewRegion(t.Context(), 1)
	i.ok(err)
	t.Cleanup(func() { i.ok(i.region.Close(context.Background())) })
	i.management = i.world.Management
	i.client, err = kubernetes.NewForConfig(i.management.RESTConfig())
	i.ok(err)
	restricted := map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}
	_, err = i.client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace, Labels: restricted}}, metav1.CreateOptions{})
	i.ok(err)
	i.binary = filepath.Join(i.dir, "clusterswitch")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", i.binary, "./cmd/clusterswitch")
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	kubectl, err := assets.Program(t.Context(), os.Stderr, "kubectl")
	i.ok(err)
	i.ok(os.Symlink(kubectl, filepath.Join(i.dir, "kubectl")))
	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	i.ok(err)
	i.port = free.Addr().(*net.TCPAddr).Port
	i.ok(free.Close())
	return i
}

// helm installs or upgrades the release with values that ask for a side.
func (i *installed) helm(verb, serve string, more ...string) {
	i.Helper()
	var credentials [][]string
	for _, c := range world.Credentials() {
		name, value, _ := strings.Cut(c, "=")
		credentials = append(credentials, []string{name, value})
	}
	var text bytes.Buffer
	i.ok(template.Must(template.New("values").Parse(installedValues)).Execute(&text, map[string]any{
		"Region": i.region, "Serve": serve, "Port": i.port, "Credentials": credentials,
	}))
	file := filepath.Join(i.dir, "values.yaml")
	i.ok(os.WriteFile(file, text.Bytes(), 0o600))
	out, err := helm(i.Context(), append([]string{verb, "shift", chart, "--namespace", namespace, "--kubeconfig", i.management.Kubeconfig(), "--values", file}, more...)...)
	if err != nil {
		i.Fatalf("%v\n%s", err, out)
	}
}

// command gives a command of a person who has that kubeconfig.
func (i *installed) command(program, kubeconfig string, args ...string) (said string) {
	i.Helper()
	var out, complaint bytes.Buffer
	cmd := exec.CommandContext(i.Context(), filepath.Join(i.dir, program), append(args, "--kubeconfig", kubeconfig)...)
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		i.Fatalf("%s: %v\n%s", cmd, err, complaint.String())
	}
	return out.String()
}

// giveRights makes the accounts in blue and green, their Secrets in the management
// cluster, and gives them what "clusterswitch rbac" prints for the configuration of the
// release.
func (i *installed) giveRights() {
	i.Helper()
	account, err := os.ReadFile(filepath.Join(chart, "files", "workload-account.yaml"))
	i.ok(err)
	file := filepath.Join(i.dir, "clusterswitch.yaml")
	for name, cp := range map[string]*controlplane.ControlPlane{"blue": i.world.Blue.ControlPlane, "green": i.world.Green.ControlPlane} {
		i.apply(cp, account)
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "shop-" + name}, Data: map[string][]byte{"kubeconfig": i.kubeconfigIn(cp)}}
		_, err = i.client.CoreV1().Secrets(namespace).Create(i.Context(), secret, metav1.CreateOptions{})
		i.ok(err)
		if name == "green" {
			i.ok(os.WriteFile(filepath.Join(i.dir, "green.yaml"), secret.Data["kubeconfig"], 0o600))
		}
	}
	kept := i.command("kubectl", i.management.Kubeconfig(), "--namespace", namespace, "get", "configmap", "shift-clusterswitch", "--output", `jsonpath={.data.clusterswitch\.yaml}`)
	// The path is the pod's: on a person's machine the file is somewhere else.
	kept = strings.ReplaceAll(kept, "/etc/clusters/green/kubeconfig", filepath.Join(i.dir, "green.yaml"))
	i.ok(os.WriteFile(file, []byte(kept), 0o600))
	rights := i.command("clusterswitch", i.management.Kubeconfig(), "rbac", "shop", "--service-account", "clusterswitch/clusterswitch-daemon", "--config", file)
	i.apply(i.world.Blue.ControlPlane, []byte(rights))
	i.apply(i.world.Green.ControlPlane, []byte(rights))
}

func (i *installed) apply(cp *controlplane.ControlPlane, text []byte) {
	i.Helper()
	objects, err := manifests.Parse(text)
	i.ok(err)
	applier, err := manifests.NewApplier(cp.RESTConfig())
	i.ok(err)
	i.ok(applier.Apply(i.Context(), objects...))
}

// kubeconfigIn is the kubeconfig of the account in blue or green.
func (i *installed) kubeconfigIn(cp *controlplane.ControlPlane) []byte {
	i.Helper()
	client, err := kubernetes.NewForConfig(cp.RESTConfig())
	i.ok(err)
	made, err := client.CoreV1().ServiceAccounts("clusterswitch").CreateToken(i.Context(), "clusterswitch-daemon", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	i.ok(err)
	text, err := clientcmd.Write(api.Config{
		Clusters:  map[string]*api.Cluster{"it": {Server: cp.RESTConfig().Host, CertificateAuthorityData: cp.RESTConfig().CAData}},
		AuthInfos: map[string]*api.AuthInfo{"clusterswitch": {Token: made.Status.Token}},
		Contexts:  map[string]*api.Context{"it": {Cluster: "it", AuthInfo: "clusterswitch"}}, CurrentContext: "it",
	})
	i.ok(err)
	return text
}

// testPod is the pod that "helm test" makes.
func (i *installed) testPod() corev1.PodSpec {
	i.Helper()
	out, err := helm(i.Context(), "get", "hooks", "shift", "--namespace", namespace, "--kubeconfig", i.management.Kubeconfig())
	i.ok(err)
	return only[*corev1.Pod](i.T, decode(i.T, out)).Spec
}

// awaitReady asks what the kubelet's probe asks.
func (i *installed) awaitReady(c *container) {
	i.Helper()
	defer func() {
		if i.Failed() {
			i.Logf("it said:\n%s", c.said)
		}
	}()
	eventually(i.T, "the daemon is ready", func() bool {
		request, err := http.NewRequestWithContext(i.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/readyz", i.port), nil)
		i.ok(err)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
}

// await waits until the pair's status is as it shall be.
func (i *installed) await(what string, fulfils func(v1alpha1.TrafficSwitchStatus) bool) {
	i.Helper()
	client := clientOf(i.T, i.management.RESTConfig())
	var last v1alpha1.TrafficSwitchStatus
	defer func() {
		if i.Failed() {
			i.Logf("the pair is %s, %s: %s", last.Phase, last.Reason, last.Message)
		}
	}()
	eventually(i.T, what, func() bool {
		if ts, err := client.Get(i.Context(), "shop"); err == nil {
			last = ts.Status
		}
		return fulfils(last)
	})
}

// seenByAReader looks at the page's data with the token of an account that was given
// the viewers' role.
func (i *installed) seenByAReader() {
	i.Helper()
	made, err := i.client.CoreV1().ServiceAccounts(namespace).CreateToken(i.Context(), "reader", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	i.ok(err)
	for path, want := range map[string]string{"pairs": `"shop"`, "access": `"release":"shift-clusterswitch"`} {
		request, err := http.NewRequestWithContext(i.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/api/v1/%s", i.port, path), nil)
		i.ok(err)
		request.Header.Set("Authorization", "Bearer "+made.Status.Token)
		answer, err := http.DefaultClient.Do(request)
		i.ok(err)
		said, err := io.ReadAll(answer.Body)
		i.ok(errors.Join(err, answer.Body.Close()))
		if answer.StatusCode != http.StatusOK || !strings.Contains(string(said), want) {
			i.Errorf("who has the viewers' role sees of %s: %s %s", path, answer.Status, said)
		}
	}
}
