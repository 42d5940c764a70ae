package cli

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	sdkroute53 "github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	cloud "github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

// plantings are secrets by where they were put.
type plantings map[string]string

// secret makes a secret that is found wherever it comes out.
func (p plantings) secret(where string) string {
	value := fmt.Sprintf("pl4nted-%02d-zQ7xV", len(p))
	p[where] = value
	return value
}

// forms gives a secret as it may be written.
func forms(secret string) map[string]string {
	all := map[string]string{
		"as it is": secret, "in URLs": url.QueryEscape(secret), "in hexadecimal": hex.EncodeToString([]byte(secret)),
	}
	// Base64 of a part depends on what stands before it.
	for i := range 3 {
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", i) + secret))
		all[fmt.Sprintf("in base64, %d on", i)] = text[4 : len(text)-4]
	}
	return all
}

// lookFor fails the test for each secret in what came out.
func (p plantings) lookFor(t *testing.T, where, text string) {
	t.Helper()
	for what, secret := range p {
		for form, written := range forms(secret) {
			if i := strings.Index(text, written); i >= 0 {
				t.Errorf("%s tells the secret of %s, %s: …%s…", where, what, form, text[max(0, i-160):min(len(text), i+len(written)+60)])
			}
		}
	}
}

// secretive is a place full of secrets: a cluster with them, an AWS, servers that are
// asked with them, and files that hold them.
type secretive struct {
	*world
	plantings
	dir, zone, aws string
	// hears answers whatever is asked, and repeats what it got in the answer.
	hears string
	// closed is an address that nobody listens at.
	closed string
}

func newSecretive(t *testing.T) *secretive {
	t.Helper()
	s := &secretive{world: newWorld(t), plantings: plantings{}, dir: alone(t), closed: "127.0.0.1:1"}
	repeats := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = fmt.Fprintf(w, `{"kind": "Status", "status": "error", "error": "no %s", "message": "no %s"}`, r.URL.RequestURI(), r.URL.RequestURI())
	}))
	t.Cleanup(repeats.Close)
	s.hears = repeats.URL
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE") // names who asks, and is no secret
	t.Setenv("AWS_SECRET_ACCESS_KEY", s.secret("AWS_SECRET_ACCESS_KEY"))
	t.Setenv("AWS_SESSION_TOKEN", s.secret("AWS_SESSION_TOKEN"))
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(s.dir, "aws"))
	s.cloud()
	s.fill()
	return s
}

func (s *secretive) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// file writes a file and gives its path.
func (s *secretive) file(name, content string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	s.ok(os.WriteFile(path, []byte(content), 0o700))
	return path
}

// cloud is an AWS with the pair's name.
func (s *secretive) cloud() {
	s.t.Helper()
	server := httptest.NewServer(cloud.New(cloud.Options{}))
	s.t.Cleanup(server.Close)
	s.aws = server.URL
	names := sdkroute53.New(sdkroute53.Options{
		Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
	})
	zone, err := names.CreateHostedZone(s.t.Context(), &sdkroute53.CreateHostedZoneInput{Name: new("example.com"), CallerReference: new("cli")})
	s.ok(err)
	s.zone = strings.TrimPrefix(*zone.HostedZone.Id, "/hostedzone/")
	var changes []r53types.Change
	for side, weight := range map[string]int64{"blue": 100, "green": 0} {
		changes = append(changes, r53types.Change{Action: r53types.ChangeActionCreate, ResourceRecordSet: &r53types.ResourceRecordSet{
			Name: new("shop.example.com"), Type: r53types.RRTypeA, SetIdentifier: &side, Weight: &weight, TTL: new(int64(10)),
			ResourceRecords: []r53types.ResourceRecord{{Value: new("192.0.2." + fmt.Sprint(len(side)))}},
		}})
	}
	_, err = names.ChangeResourceRecordSets(s.t.Context(), &sdkroute53.ChangeResourceRecordSetsInput{
		HostedZoneId: &s.zone, ChangeBatch: &r53types.ChangeBatch{Changes: changes},
	})
	s.ok(err)
}

// fill puts Secrets into the cluster, and what people should have put into some.
func (s *secretive) fill() {
	s.t.Helper()
	client, err := kubernetes.NewForConfig(s.config)
	s.ok(err)
	meta := metav1.ObjectMeta{Name: "shop", Namespace: s.namespace, Labels: map[string]string{"app": "shop"}}
	_, err = client.CoreV1().Secrets(s.namespace).Create(s.t.Context(), &corev1.Secret{
		ObjectMeta: meta, StringData: map[string]string{"password": s.secret("a Secret in the cluster")},
	}, metav1.CreateOptions{})
	s.ok(err)
	made, err := client.AppsV1().Deployments(s.namespace).Create(s.t.Context(), &appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{
		Replicas: new(int32(1)), Selector: &metav1.LabelSelector{MatchLabels: meta.Labels},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: meta.Labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "shop", Image: "shop:v1", Env: []corev1.EnvVar{{Name: "PASSWORD", Value: s.secret("an environment in the cluster")}},
			Args: []string{"--password=" + s.secret("an argument in the cluster")},
		}}}},
	}}, metav1.CreateOptions{})
	s.ok(err)
	// As controllers would: a shift begins only where blue is measured.
	made.Status = appsv1.DeploymentStatus{ObservedGeneration: made.Generation, Replicas: 1, ReadyReplicas: 1, UpdatedReplicas: 1, AvailableReplicas: 1}
	_, err = client.AppsV1().Deployments(s.namespace).UpdateStatus(s.t.Context(), made, metav1.UpdateOptions{})
	s.ok(err)
}

// kubeconfig writes a kubeconfig whose user and server are changed.
func (s *secretive) kubeconfig(name string, change func(c *api.Cluster, u *api.AuthInfo)) []byte {
	s.t.Helper()
	c, err := clientcmd.LoadFromFile(s.world.kubeconfig)
	s.ok(err)
	s.ok(api.FlattenConfig(c))
	for _, cluster := range c.Clusters {
		for _, user := range c.AuthInfos {
			change(cluster, user)
		}
	}
	document, err := clientcmd.Write(*c)
	s.ok(err)
	s.file(name, string(document))
	return document
}

// program makes a user's credentials come from a program that says said.
func (s *secretive) program(name, said string) func(*api.Cluster, *api.AuthInfo) {
	path := s.file(name+".sh", "#!/bin/sh\ncat <<'EOF'\n"+said+"\nEOF\n")
	return func(_ *api.Cluster, u *api.AuthInfo) {
		*u = api.AuthInfo{Exec: &api.ExecConfig{Command: path, APIVersion: "client.authentication.k8s.io/v1", InteractiveMode: api.NeverExecInteractiveMode}}
	}
}

// credential is what such a program says: the administrator's certificate, and a
// token that is none.
func (s *secretive) credential(token string) string {
	s.t.Helper()
	c, err := clientcmd.LoadFromFile(s.world.kubeconfig)
	s.ok(err)
	s.ok(api.FlattenConfig(c))
	for _, user := range c.AuthInfos {
		s.plantings["the administrator's key"] = string(user.ClientKeyData[100:160])
		document, err := json.Marshal(map[string]any{
			"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
			"status": map[string]string{"clientCertificateData": string(user.ClientCertificateData), "clientKeyData": string(user.ClientKeyData), "token": token},
		})
		s.ok(err)
		return string(document)
	}
	s.t.Fatal("the kubeconfig has no user")
	return ""
}
