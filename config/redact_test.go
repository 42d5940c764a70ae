package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/config"
)

func TestADocumentWithoutItsSecrets(t *testing.T) {
	doc := `# the token is hunter2
apiVersion: clusterswitch.io/v1alpha1
interval: 5s # hunter2
password: hunter2
log: hunter2
pairs:
  - name: &name shop
    serve: green
    blue: {kubeconfig: {path: /etc/blue.yaml, token: hunter2}}
    replicas: {atLeast: 90%}
    probes:
      - name: *name
        http:
          url: https://hunter2@10.0.0.1:8443/hunter2?key=hunter2
          blueURL: https://10.0.0.2/
          headers: {Authorization: Bearer hunter2, X-Shop: hunter2}
          method: POST
          body: pin=hunter2
          keyFile: |
            -----BEGIN PRIVATE KEY-----
            hunter2
          secretFiles: {pin: /etc/pin}
          steps:
            - {name: login, path: "/login?pin=hunter2", expect: {status: [200, 302], body: hunter2}}
          timeout: [hunter2]
    gates:
      - name: users
        prometheus:
          server: {url: "http://prometheus:9090/", basicAuth: {username: hunter2, passwordFile: /etc/pw}, match: {cluster: shop}}
          query: sum(rate(errors[5m])) > 1
          max: 0.5
          window: hunter2
      - name: asked
        webhook: {url: "https://hooks/T0/hunter2", secretFile: /etc/hmac, timeout: 5s}
    soakOnly: hunter2
`
	got, err := config.Redacted([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	want := `apiVersion: clusterswitch.io/v1alpha1
interval: 5s
password: '[redacted]'
log: '[redacted]'
pairs:
  - name: shop
    serve: green
    blue: {kubeconfig: {path: /etc/blue.yaml, token: '[redacted]'}}
    replicas: {atLeast: 90%}
    probes:
      - name: shop
        http:
          url: https://10.0.0.1:8443/[redacted]
          blueURL: https://10.0.0.2
          headers: {Authorization: '[redacted]', X-Shop: '[redacted]'}
          method: POST
          body: '[redacted]'
          keyFile: '[redacted]'
          secretFiles: {pin: /etc/pin}
          steps:
            - {name: login, path: "/login?[redacted]", expect: {status: [200, 302], body: '[redacted]'}}
          timeout: '[redacted]'
    gates:
      - name: users
        prometheus:
          server: {url: 'http://prometheus:9090', basicAuth: {username: '[redacted]', passwordFile: /etc/pw}, match: {cluster: shop}}
          query: sum(rate(errors[5m])) > 1
          max: 0.5
          window: '[redacted]'
      - name: asked
        webhook: {url: 'https://hooks/[redacted]', secretFile: /etc/hmac, timeout: 5s}
    soakOnly: '[redacted]'
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatIsNoDocumentIsNotRepeated(t *testing.T) {
	for name, doc := range map[string]string{
		"no YAML":            "a: [hunter2\nb: {hunter2",
		"nothing":            "",
		"two documents":      "a: hunter2\n---\nb: hunter2\n",
		"one word":           "hunter2",
		"a list":             "- hunter2\n",
		"aliases in aliases": "a: &a [hunter2, hunter2]\nb: &b [*a, *a]\npairs: [*b, *b]\n",
	} {
		got, err := config.Redacted([]byte(doc))
		if strings.Contains(string(got), "hunter2") || err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %q, error %v", name, got, err)
		}
	}
}
