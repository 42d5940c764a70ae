package cli

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/klog/v2"
)

// asProcess makes the test's binary be clusterswitch: what it, or a library, writes
// past its own writers comes out of a process alone.
const asProcess = "CLUSTERSWITCH_TEST_AS_PROCESS"

// asProgram is main.
func asProgram() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return Run(ctx, Options{Args: os.Args[1:], Out: os.Stdout, Err: os.Stderr, Build: Build{Version: "v1.2.3", Commit: "0123abc"}, LibraryLog: klog.SetLogger})
}

func process(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, os.Args[0], args...)
	command.Env = append(os.Environ(), asProcess+"=1")
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 20 * time.Second
	return command
}

// configuration is a pair that is asked about with every kind of secret. Where
// server is, all servers are.
func (s *secretive) configuration(server, blue, green string) string {
	headers := "{X-Key: " + s.secret("a probe's header") + "}"
	return fmt.Sprintf(`apiVersion: clusterswitch.io/v1alpha1
# the password of the staging cluster is %[1]s
interval: 1s
listen: 127.0.0.1:0
debug: {pprof: true, listen: 127.0.0.1:0}
log: {level: debug}
aws: {region: eu-west-1, endpointURL: %[2]q}
journal: {kubeconfig: {path: %[3]q}, namespace: %[4]s}
runbook: {dir: %[5]q}
pairs:
  - name: shop
    serve: green
    blue: %[6]s
    green: %[7]s
    workloads: {namespaces: [%[4]s]}
    traffic:
      - route53: {hostedZoneID: %[8]s, names: [shop.example.com], blueSetIdentifier: blue, greenSetIdentifier: green}
    steps: [{share: 25, hold: 1m}, {share: 100}]
    preflight: {metrics: {blue: {%[9]s, match: {cluster: blue}}, green: {%[9]s, match: {cluster: green}}}}
    probes:
      - {name: page, interval: 1s, timeout: 1s, http: {url: "http://%[10]s/page?key=%[11]s", headers: %[12]s, method: POST, body: %[13]s, secretFiles: {pin: %[14]q}, blueURL: "http://%[10]s/blue"}}
      - {name: own, interval: 1s, timeout: 1s, http: {url: "https://%[10]s/", certFile: %[15]q, keyFile: %[15]q}}
      - {name: socket, interval: 1s, timeout: 1s, websocket: {url: "ws://%[10]s/%[16]s", headers: %[12]s}}
    gates:
      - {name: users, requests: {prometheus: {blue: {%[9]s, match: {cluster: blue}}, green: {%[9]s, match: {cluster: green}}, requests: a_total, errors: b_total}}}
      - {name: value, prometheus: {server: %[17]s, query: a, max: 1, interval: 1s}}
      - {name: alerts, alertmanager: {server: {%[9]s}, matchers: ['severity="page"'], interval: 1s}}
      - {name: asked, webhook: {url: "http://%[10]s/hooks/%[18]s?room=%[19]s", secretFile: %[20]q, interval: 1s, timeout: 1s}}
`, s.secret("a comment"), s.aws, s.world.kubeconfig, s.namespace, filepath.Join(s.dir, "runbooks"),
		blue, green, s.zone,
		fmt.Sprintf(`url: "http://%s/", bearerTokenFile: %q`, server, s.file("token", s.secret("a Prometheus' token"))),
		server, s.secret("a probe's query"), headers, s.secret("a probe's body"), s.file("pin", s.secret("a probe's secret file")),
		s.file("key.pem", "-----BEGIN PRIVATE KEY-----\n"+s.secret("a probe's key")+"\n-----END PRIVATE KEY-----\n"), s.secret("a WebSocket's path"),
		fmt.Sprintf(`{url: "http://%s/%s/", basicAuth: {username: shop, passwordFile: %q}}`, server, s.secret("a Prometheus' path"), s.file("password", s.secret("a Prometheus' password"))),
		s.secret("a webhook's path"), s.secret("a webhook's query"), s.file("hmac", s.secret("a webhook's key")))
}

// daemon runs the daemon until it has said something of the pair that is true of
// until, and gives all that came out of it: its log, its pages, and what it stored.
func (s *secretive) daemon(until func(log string) bool) map[string]string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 60*time.Second)
	defer cancel()
	command := process(ctx, "run")
	var out bytes.Buffer
	command.Stdout = &out
	errors, err := command.StderrPipe()
	s.ok(err)
	s.ok(command.Start())
	var log strings.Builder
	came := map[string]string{}
	looked := false
	buffer := make([]byte, 64<<10)
	for {
		n, err := errors.Read(buffer)
		log.Write(buffer[:n])
		if !looked && until(log.String()) {
			looked = true
			s.pages(log.String(), came)
			s.stored(came)
			came["debug bundle"] = s.archive(log.String())
			cancel()
		}
		if err != nil {
			break
		}
	}
	if err := command.Wait(); err != nil && !looked {
		s.t.Errorf("the daemon ended: %v", err)
	}
	if !looked {
		s.t.Errorf("the daemon never said what the test waits for; it said:\n%s", log.String())
	}
	came["the daemon's standard output"], came["the daemon's log"] = out.String(), log.String()
	return came
}

// pages adds what the daemon answers, profiles too.
func (s *secretive) pages(log string, came map[string]string) {
	s.t.Helper()
	for _, found := range regexp.MustCompile(`"address":"([0-9.:]+)"`).FindAllStringSubmatch(log, -1) {
		for _, path := range []string{"/metrics", "/healthz", "/readyz", "/debug/pprof/cmdline", "/debug/pprof/goroutine?debug=2", "/debug/pprof/heap?debug=1"} {
			response, err := http.Get("http://" + found[1] + path)
			s.ok(err)
			content, err := io.ReadAll(response.Body)
			s.ok(err)
			response.Body.Close()
			came["the page "+path+" of "+found[1]] = string(content)
		}
	}
}

// stored adds what the daemon keeps in the management cluster and in files.
func (s *secretive) stored(came map[string]string) {
	s.t.Helper()
	content, err := s.objects.Get().Namespace(s.namespace).Resource("trafficswitches").Do(s.t.Context()).Raw()
	s.ok(err)
	came["the TrafficSwitches"] = string(content)
	client, err := kubernetes.NewForConfig(s.config)
	s.ok(err)
	for _, kind := range []string{"configmaps", "events"} {
		content, err := client.CoreV1().RESTClient().Get().Namespace(s.namespace).Resource(kind).Do(s.t.Context()).Raw()
		s.ok(err)
		came["the cluster's "+kind] = string(content)
	}
	books, err := filepath.Glob(filepath.Join(s.dir, "runbooks", "*"))
	s.ok(err)
	for _, book := range books {
		content, err := os.ReadFile(book)
		s.ok(err)
		came["the file "+book] = string(content)
	}
}

// archive gives a debug bundle's files, and what the command said.
func (s *secretive) archive(log string) string {
	s.t.Helper()
	address := regexp.MustCompile(`"address":"([0-9.:]+)"`).FindStringSubmatch(log)
	made := filepath.Join(s.t.TempDir(), "bundle.tar.gz")
	said := run(s.t.Context(), "debug", "bundle", "-o", made, "--log", s.file("daemon.log", log+"\nAuthorization: Bearer "+s.secret("somebody else's log")+"\n"), "--daemon", address[1])
	file, err := os.Open(made)
	s.ok(err)
	defer file.Close()
	plain, err := gzip.NewReader(file)
	s.ok(err)
	all := said.out + said.err
	for reader := tar.NewReader(plain); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		s.ok(err)
		content, err := io.ReadAll(reader)
		s.ok(err)
		all += "\n=== " + header.Name + "\n" + string(content)
	}
}

// commands adds what each command says, in all forms.
func (s *secretive) commands(came map[string]string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 90*time.Second)
	defer cancel()
	var (
		running sync.WaitGroup
		mu      sync.Mutex // guards came
	)
	for _, line := range []string{
		"validate", "version", "status", "status shop", "status -o json", "report shop", "report shop -o json", "singletons shop", "plan shop", "plan shop -o json", "runbook shop",
		"preflight shop", "preflight shop -o json", "policy", "rbac shop", "retire-check shop", "retire-check shop -o json",
		"pause shop", "resume shop", "approve shop", "start shop", "rollback shop", "rollback shop --direct --timeout 1s",
	} {
		running.Go(func() {
			said, err := process(ctx, strings.Fields(line)...).CombinedOutput() // it may fail: that is the point
			mu.Lock()
			defer mu.Unlock()
			came["clusterswitch "+line] = string(said)
			if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
				s.t.Errorf("clusterswitch %s did not run: %v", line, err)
			}
		})
	}
	running.Wait()
}

func (s *secretive) judge(came map[string]string, mustSay map[string]string) {
	s.t.Helper()
	for where, text := range came {
		s.lookFor(s.t, where, text)
	}
	for where, what := range mustSay {
		if !strings.Contains(came[where], what) {
			s.t.Errorf("%s doesn't say %q, so that this test would find nothing there; it says:\n%s", where, what, came[where])
		}
	}
}

// The daemon and all commands, where everything works that can: what they show holds
// no secret.
func TestNoSecretComesOut(t *testing.T) {
	s := newSecretive(t)
	s.kubeconfig("blue", s.program("blue", s.credential(s.secret("what a credential program says"))))
	document := s.kubeconfig("green", func(_ *api.Cluster, u *api.AuthInfo) { u.Token = s.secret("a kubeconfig's token") })
	client, err := kubernetes.NewForConfig(s.config)
	s.ok(err)
	_, err = client.CoreV1().Secrets(s.namespace).Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "green"}, Data: map[string][]byte{"kubeconfig": document},
	}, metav1.CreateOptions{})
	s.ok(err)
	write(t, "clusterswitch.yaml", s.configuration(strings.TrimPrefix(s.hears, "http://"), "{kubeconfig: {path: blue}}", "{kubeconfigSecret: {name: green}}"))
	s.file("aws", "[default]\ncredential_process = "+s.file("process.sh", `#!/bin/sh
echo '{"Version": 1, "AccessKeyId": "AKIAIOSFODNN7EXAMPLF", "SecretAccessKey": "`+s.secret("an AWS credential process")+`"}'
`)+"\n")
	came := s.daemon(func(log string) bool {
		return strings.Contains(log, `"listening"`) && leading(log) && strings.Contains(log, `"attempt":1`)
	})
	s.commands(came)
	s.judge(came, map[string]string{
		"the TrafficSwitches": `"phase"`, "the daemon's log": "starting",
		"clusterswitch status shop": "shop", "clusterswitch preflight shop -o json": "findings", "debug bundle": "config.yaml",
		"clusterswitch report shop": "# Shift report: shop, attempt 1", "clusterswitch report shop -o json": `"configurations"`,
	})
}

// leading tells whether the daemon decided anything since it has the lease.
func leading(log string) bool {
	for line := range strings.Lines(log) {
		if strings.Contains(line, `"decided"`) && !strings.Contains(line, `"NotLeader"`) {
			return true
		}
	}
	return false
}

// The same where everything is refused, wrong or broken: errors hold no secret either.
func TestNoSecretComesOutOfErrors(t *testing.T) {
	s := newSecretive(t)
	s.kubeconfig("blue", func(c *api.Cluster, u *api.AuthInfo) {
		*u = api.AuthInfo{Token: s.secret("a refused kubeconfig's token")}
		c.Server = "https://shop:" + s.secret("a password in a server's address") + "@" + s.closed
	})
	s.kubeconfig("green", s.program("green", "no credential: "+s.secret("a broken credential program")))
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		s.ok(os.Unsetenv(name)) // newSecretive puts them back
	}
	s.file("aws", "[default]\ncredential_process = "+s.file("process.sh", "#!/bin/sh\necho 'not JSON: "+s.secret("a broken AWS credential process")+"'\n")+"\n")
	write(t, "clusterswitch.yaml", s.configuration(s.closed, "{kubeconfig: {path: blue}}", "{kubeconfig: {path: green}}"))
	came := s.daemon(func(log string) bool {
		return strings.Contains(log, `"listening"`) && strings.Contains(log, `"decided"`) && strings.Contains(log, "cluster is unknown")
	})
	s.commands(came)
	for name, broken := range map[string]string{
		"a kubeconfig that is none": "users: [{name: a, user: {token: [" + s.secret("a kubeconfig that is none"),
		"a token as a list":         "apiVersion: v1\nkind: Config\nusers: [{name: a, user: {token: [" + s.secret("a token as a list") + "]}}]",
		"a token by itself":         s.secret("a token by itself"),
	} {
		path := s.file("broken", broken)
		for _, args := range [][]string{{"status", "--kubeconfig", path, "--namespace", "x"}, {"validate", "--config", path}, {"debug", "bundle", "--config", path, "-o", filepath.Join(t.TempDir(), "b")}} {
			said := run(t.Context(), args...)
			came["clusterswitch "+args[0]+" with "+name] = said.out + said.err
		}
	}
	s.kubeconfig("refused", func(_ *api.Cluster, u *api.AuthInfo) { *u = api.AuthInfo{Token: s.secret("a wrong token")} })
	said := run(t.Context(), "status", "--kubeconfig", "refused", "--namespace", s.namespace)
	came["clusterswitch status, refused"] = said.out + said.err
	s.judge(came, map[string]string{
		"the daemon's log": "credential", "clusterswitch status, refused": "Unauthorized", "clusterswitch plan shop": "credentials", "debug bundle": "config.yaml",
	})
}
