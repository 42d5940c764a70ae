package cli

import (
	"os"
	"strings"
	"testing"
)

const validConfig = `apiVersion: clusterswitch.io/v1alpha1
journal:
  namespace: clusterswitch
pairs:
  - name: shop
    serve: green
    blue: {kubeconfig: {path: blue.yaml}}
    green: {kubeconfig: {path: green.yaml}}
    traffic:
      - route53: {hostedZoneID: Z123, names: [shop.example.com], blueSetIdentifier: blue, greenSetIdentifier: green}
    steps:
      - {share: 25, hold: 1m}
      - {share: 100, hold: 1m}
    soakOnly: true
`

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestValidate(t *testing.T) {
	faulty := strings.NewReplacer("serve: green", "serve: purple", "share: 25", "share: 250", "soakOnly: true", "sokOnly: true").Replace(validConfig)
	for name, c := range map[string]struct {
		document string
		args     []string
		want     ran
	}{
		"a valid file is summed up in one line": {
			document: validConfig,
			want:     ran{out: "clusterswitch.yaml is valid: 1 pair: shop (serve green, 1 entrance, 2 steps)\n"},
		},
		"what is worth a second thought is a warning": {
			document: strings.Replace(validConfig, "soakOnly: true",
				"gates: [{name: slow, prometheus: {server: {url: \"http://prometheus:9090\"}, query: a, max: 1}}]", 1),
			want: ran{
				out: "clusterswitch.yaml is valid: 1 pair: shop (serve green, 1 entrance, 2 steps)\n",
				err: "WARNING: pair shop: what users feel on green is only held against a limit (slow), whatever blue has at the same time; " +
					"add a requests gate, which compares both and tells a bad green from bad luck\n",
			},
		},
		"every fault has a line of its own, with its place": {
			document: faulty,
			want: ran{status: 2, err: `clusterswitch.yaml:5: pairs[0].gates: has no gate on users' traffic; add one, or set soakOnly: true to shift on time, probes and workloads alone
clusterswitch.yaml:6: pairs[0].serve: purple is not known here; use blue or green
clusterswitch.yaml:12: pairs[0].steps[0].share: 250 is not a percentage; use a whole number from 1 to 100
clusterswitch.yaml:14: pairs[0].sokOnly: is not a known key; did you mean soakOnly?
`},
		},
		"a file that isn't there": {
			document: validConfig, args: []string{"--config", "elsewhere.yaml"},
			want: ran{status: 2, err: "clusterswitch: reading the config: open elsewhere.yaml: no such file or directory\n"},
		},
		"no file at all": {
			want: ran{status: 2, err: "clusterswitch: finding the config: no clusterswitch.yaml in the working folder or /etc/clusterswitch; give the path with --config or $CLUSTERSWITCH_CONFIG\n"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			alone(t)
			if c.document != "" {
				write(t, "clusterswitch.yaml", c.document)
			}
			compare(t, c.want, run(t.Context(), append([]string{"validate"}, c.args...)...))
		})
	}
}
