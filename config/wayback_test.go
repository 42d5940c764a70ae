package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/config"
)

// TestAFaultElsewhereKeepsNobodyFromGoingBack takes the pair shop, and then also blog, back by documents with faults.
func TestAFaultElsewhereKeepsNobodyFromGoingBack(t *testing.T) {
	blog := strings.NewReplacer("name: shop\n", "name: blog\n", "shop.example.com", "blog.example.com", "app/shop/50dc", "app/blog/50dc").
		Replace(small[strings.Index(small, "  - name: shop"):])
	both := small + blog
	for name, c := range map[string]struct {
		document string
		pairs    []string
		// beside are the faults that don't matter, refused those that do.
		beside, refused string
	}{
		"a key that only a newer daemon knows": {
			document: strings.Replace(both, "    serve: green", "    tomorrow: true\n    serve: green", 1),
			beside:   "pairs[0].tomorrow: is not a known key",
		},
		"a step, a gate and a probe": {
			document: strings.NewReplacer("share: 1\n", "share: 0\n", "maxErrorRatio: 1%", "maxErrorRatio: lots", "port: 8080", "port: none").Replace(small),
			beside:   "pairs[0].steps[0].share: 0 is not a percentage",
		},
		"an interval that can't be read": {document: "interval: 10\n" + small, beside: "interval: 10 has no unit"},
		"another pair's entrance": {
			document: strings.Replace(both, "names: [blog.example.com]", "names: [shop.example.com]", 1),
			beside:   "pairs[1].traffic[1].route53.names[0]",
		},
		"the same, where that pair shall go back as well": {
			document: strings.Replace(both, "names: [blog.example.com]", "names: [shop.example.com]", 1),
			pairs:    []string{"shop", "blog"},
			refused:  "pairs[1].traffic[1].route53.names[0]",
		},
		"the pair's own entrance":          {document: strings.Replace(small, "Z123", "zone", 1), refused: "pairs[0].traffic[1].route53.hostedZoneID"},
		"a key in the pair's own entrance": {document: strings.Replace(small, "      - alb:", "      - tomorrow: true\n        alb:", 1), refused: "pairs[0].traffic[0].tomorrow"},
		"where AWS is":                     {document: "aws: {region: Frankfurt}\n" + small, refused: "aws.region"},
		"a meaning that isn't known":       {document: strings.Replace(small, "v1alpha1", "v9", 1), refused: "apiVersion"},
		"two pairs of the name":            {document: small + strings.Replace(blog, "name: blog", "name: shop", 1), refused: "pairs[1].name"},
		"nothing":                          {document: small, beside: ""},
		"no YAML at all":                   {document: small + "\t- x\n", refused: "is not YAML"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "clusterswitch.yaml")
			if err := os.WriteFile(path, []byte(c.document), 0o600); err != nil {
				t.Fatal(err)
			}
			pairs := c.pairs
			if pairs == nil {
				pairs = []string{"shop"}
			}
			got, beside, err := config.LoadForWayBack(config.Options{Path: path}, pairs)
			if c.refused != "" {
				if got != nil || err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("got %v, %v; want a refusal with %q", got, err, c.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(beside.Error(), c.beside) || (c.beside == "") != (len(beside) == 0) {
				t.Errorf("the faults beside are %q, want %q", beside, c.beside)
			}
			whole, err := config.Parse("small.yaml", []byte(small), nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(whole.Pairs[0].Traffic, got.Pairs[0].Traffic); diff != "" {
				t.Errorf("its entrances are not those of a document without faults (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnotherFileThanTheConfigurationIsToldByItsName(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ document, want string }{
		"the ConfigMap around it": {
			"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: clusterswitch}\ndata:\n  clusterswitch.yaml: |\n    apiVersion: clusterswitch.io/v1alpha1\n",
			"it:1: is a ConfigMap with a configuration in it; write that into a file of its own: yq '.data[\"clusterswitch.yaml\"]' FILE",
		},
		"a kubeconfig": {
			"apiVersion: v1\nkind: Config\nclusters: []\n",
			"it:1: is a kubeconfig; give it to --kubeconfig, and the configuration to --config",
		},
		"another object": {
			"apiVersion: apps/v1\nkind: Deployment\n",
			"it:1: is a Kubernetes object of the kind Deployment, not a configuration; begin with apiVersion: clusterswitch.io/v1alpha1",
		},
		"the chart's values": {
			"image: {repository: x}\npairs: []\n",
			"it:1: is a file of values for the chart; write what the chart makes of it into a file: " + config.FromValues,
		},
		"a configuration that only lacks its version": {
			"pairs: []\n",
			"it:1: apiVersion: is missing; set it to clusterswitch.io/v1alpha1\nit:1: pairs: is an empty list; add at least one entry",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Parse("it", []byte(c.document), nil)
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestAFaultElsewhereKeepsNobodyFromAsking(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ document, refused string }{
		"of a pair":          {document: strings.Replace(small, "share: 1\n", "share: 0\n", 1)},
		"of no document yet": {document: "tomorrow: true\n" + small},
		"of the journal":     {document: "journal: {namespace: Hub}\n" + small, refused: "journal.namespace"},
		"of its version":     {document: strings.Replace(small, "v1alpha1", "v9", 1), refused: "apiVersion"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "clusterswitch.yaml")
			if err := os.WriteFile(path, []byte(c.document), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := config.LoadForRequests(config.Options{Path: path})
			switch {
			case c.refused != "":
				if got != nil || err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("got %v, %v; want a refusal with %q", got, err, c.refused)
				}
			case err != nil || got.Journal.Namespace != "clusterswitch":
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}
