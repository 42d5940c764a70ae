package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/reach"
)

func TestFaultsOfWhatIsReached(t *testing.T) {
	top := func(text, path, message string) breach { return breach{"pairs:", text + " #!\npairs:", path, message} }
	probe := func(kind, path, message string) breach {
		return breach{"    traffic:\n", "      - name: reached\n        " + kind + " #!\n    traffic:\n", "pairs[0].probes[2]." + path, message}
	}
	const refused = "a link-local address, where hosts give out credentials; use another, or list it in allowLinkLocal"
	breakEach(t, map[string]breach{
		"a network that isn't link-local alone":   top("allowLinkLocal: [169.0.0.0/8]", "allowLinkLocal[0]", `"169.0.0.0/8" is more than link-local addresses`),
		"a name as an address":                    top("allowLinkLocal: [metadata]", "allowLinkLocal[0]", `"metadata" is neither an address nor a network`),
		"an address twice":                        top("allowLinkLocal: [169.254.20.10, 169.254.20.10]", "allowLinkLocal[1]", "is listed twice"),
		"AWS at the host's own address":           top("aws: {endpointURL: \"http://169.254.169.254/\"}", "aws.endpointURL", refused),
		"profiles at no address":                  top("debug: {pprof: true, listen: \"\"}", "debug.listen", "is empty, so that pprof is served nowhere"),
		"profiles at a wrong address":             top("debug: {listen: localhost}", "debug.listen", "is not an address to listen on"),
		"an http probe of instance metadata":      probe("http: {url: \"http://169.254.169.254/latest/\"}", "http.url", refused),
		"the same by IPv6":                        probe("http: {url: \"http://[fd00:ec2::254]/\"}", "http.url", refused),
		"the same mapped":                         probe("tcp: {address: \"[::ffff:a9fe:a9fe]:80\"}", "tcp.address", refused),
		"a websocket of EKS Pod Identity":         probe("websocket: {url: \"ws://169.254.170.23/\"}", "websocket.url", refused),
		"a DNS server on the node":                probe("dns: {server: \"169.254.20.10:53\", name: example.com}", "dns.server", refused),
		"a link-local address with its zone":      probe("grpc: {address: \"[fe80::1%eth0]:80\"}", "grpc.address", refused),
		"a webhook":                               gate("webhook: {url: \"http://169.254.169.254/\", onFail: rollback} #!", "webhook.url", refused),
		"certificates in the place of their file": probe("http: {url: \"https://10.0.0.1/\", caFile: \"-----BEGIN CERTIFICATE-----\\nc2VjcmV0\\n\"}", "http.caFile", "holds a content and not the path of a file"),
		"a secret in the place of its file":       probe("http: {url: \"https://10.0.0.1/\", secretFiles: {pin: \"one\\ntwo\"}}", "http.secretFiles.pin", "holds a content and not the path of a file"),
	})
}

// A secret that stands in a wrong place must not come out by the fault.
func TestFaultsDoNotRepeatSecrets(t *testing.T) {
	for name, text := range map[string]string{
		"headers that are one text":        "http: {url: \"https://10.0.0.1/\", headers: \"Bearer hunter2\"}",
		"a header that is a list":          "http: {url: \"https://10.0.0.1/\", headers: {X-Key: [hunter2]}}",
		"a user that is one text":          "http: {url: \"https://10.0.0.1/\", basicAuth: \"shop:hunter2\"}",
		"a password in a URL":              "http: {url: \"https://shop:hunter2@10.0.0.1/\"}",
		"a password in a URL that is none": "http: {url: \"https://shop:hunter2@10.0.0.1:port/\"}",
		"a key that holds a secret":        "http: {url: \"https://10.0.0.1/\", certFile: /cert, keyFile: \"-----BEGIN PRIVATE KEY-----\\nhunter2\"}",
		"an unknown key":                   "http: {url: \"https://10.0.0.1/\", password: hunter2}",
		"a user of Prometheus as one text": "http: {url: \"https://10.0.0.1/\"}\n    preflight: {metrics: {blue: {url: \"https://a.example.com\", basicAuth: \"shop:hunter2\"}}}",
	} {
		t.Run(name, func(t *testing.T) {
			faults := faultsOf(t, strings.Replace(small, "    traffic:\n", "      - name: reached\n        "+text+"\n    traffic:\n", 1))
			if strings.Contains(faults.Error(), "hunter2") {
				t.Errorf("the fault tells the secret: %v", faults)
			}
		})
	}
}

// Whatever connects to an address of the document is told what is allowed.
func TestWhatIsAllowedReachesEveryAddress(t *testing.T) {
	doc := strings.Replace(small, "pairs:", "allowLinkLocal: [169.254.20.10]\npairs:", 1)
	doc = strings.Replace(doc, ownGates, `    gates:
      - name: users
        requests: {prometheus: {blue: {url: "https://b"}, green: {url: "http://169.254.20.10"}, requests: a_total, errors: "b_total"}}
      - name: asked
        webhook: {url: "https://c"}
      - name: alerts
        alertmanager: {server: {url: "https://d"}, matchers: ['a="b"']}
      - name: value
        prometheus: {server: {url: "https://e"}, query: a, max: 1}
`, 1)
	c, err := config.Parse("c.yaml", []byte(doc), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := reach.Policy{Allow: []string{"169.254.20.10"}}
	p := c.Pairs[0]
	for name, got := range map[string]reach.Policy{
		"a probe": p.Probes[0].Reach, "blue's counter": p.Gates[0].Requests.Prometheus.Blue.Reach, "green's": p.Gates[0].Requests.Prometheus.Green.Reach,
		"a webhook": p.Gates[1].Webhook.Reach, "an Alertmanager": p.Gates[2].Alertmanager.Server.Reach, "a Prometheus": p.Gates[3].Prometheus.Server.Reach,
	} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
