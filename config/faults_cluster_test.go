package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/config"
)

func TestFaultsOfClusters(t *testing.T) {
	const blue, green = "kubeconfig: {path: /etc/blue.yaml}", "kubeconfig: {path: /etc/green.yaml}"
	breakEach(t, map[string]breach{
		"no way to a cluster": {
			"blue:\n      " + blue, "blue: {} #!", "pairs[0].blue", "has no kind; give it one of kubeconfig, kubeconfigSecret or eks",
		},
		"two ways to a cluster": {
			"blue:\n      " + blue, "blue: #!\n      " + blue + "\n      eks: {name: shop}", "pairs[0].blue",
			"has 2 kinds; give it exactly one of kubeconfig, kubeconfigSecret or eks",
		},
		"blue twice, by file": {
			green, "kubeconfig: {path: /etc/blue.yaml} #!", "pairs[0].green.kubeconfig", "is the same cluster as blue; give each",
		},
		"a Secret without a name": {
			blue, "kubeconfigSecret: {key: config} #!", "pairs[0].blue.kubeconfigSecret.name", "is missing; set it to text",
		},
		"a Secret's name in capitals": {
			blue, "kubeconfigSecret: {name: Blue} #!", "pairs[0].blue.kubeconfigSecret.name", `"Blue" is not the name of a Secret; use 1 to 253`,
		},
		"a Secret's name with a namespace": {
			blue, "kubeconfigSecret: {name: hub/blue} #!", "pairs[0].blue.kubeconfigSecret.name", `"hub/blue" is not the name of a Secret`,
		},
		"a key that is none": {
			blue, "kubeconfigSecret: {name: blue, key: a/b} #!", "pairs[0].blue.kubeconfigSecret.key", `"a/b" is not a key of a Secret`,
		},
		"a path in a Secret": {
			blue, "kubeconfigSecret: {name: blue, path: /x} #!", "pairs[0].blue.kubeconfigSecret.path", "is not a known key; use name, key or context",
		},
		"an EKS cluster without a name": {
			blue, "eks: {region: eu-west-1} #!", "pairs[0].blue.eks.name", "is missing; set it to text",
		},
		"an EKS cluster by its ARN": {
			blue, "eks: {name: \"arn:aws:eks:eu-west-1:123456789012:cluster/shop\"} #!", "pairs[0].blue.eks.name", "is not the name of an EKS cluster",
		},
		"an EKS cluster in a zone": {
			blue, "eks: {name: shop, region: eu-west-1a} #!", "pairs[0].blue.eks.region", `"eu-west-1a" is not an AWS region`,
		},
		"a role by its name": {
			blue, "eks: {name: shop, roleARN: reader} #!", "pairs[0].blue.eks.roleARN", `"reader" is not the ARN of an IAM role; use arn:aws:iam::ACCOUNT:role/NAME`,
		},
		"a session of a role": {
			blue, "eks: {name: shop, roleARN: \"arn:aws:sts::123456789012:assumed-role/reader/me\"} #!", "pairs[0].blue.eks.roleARN", "is not the ARN of an IAM role",
		},
		"a token": {
			blue, "eks: {name: shop, token: secret} #!", "pairs[0].blue.eks.token", "is not a known key; use name, region or roleARN",
		},
	})
}

func TestOneClusterIsNotBothSides(t *testing.T) {
	for name, c := range map[string]struct{ aws, blue, green, path string }{
		"by Secret":              {"", "kubeconfigSecret: {name: a}", "kubeconfigSecret: {name: a, key: kubeconfig}", "pairs[0].green.kubeconfigSecret"},
		"by EKS":                 {"aws: {region: eu-west-1}\n", "eks: {name: a}", "eks: {name: a, region: eu-west-1}", "pairs[0].green.eks"},
		"two contexts of one":    {"", "kubeconfigSecret: {name: a, context: x}", "kubeconfigSecret: {name: a, context: y}", ""},
		"one name in two places": {"aws: {region: eu-west-1}\n", "eks: {name: a}", "eks: {name: a, region: us-east-1}", ""},
		"two kinds":              {"", "kubeconfigSecret: {name: a}", "eks: {name: a}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			doc := strings.Replace(small, "kubeconfig: {path: /etc/blue.yaml}", c.blue, 1)
			doc = strings.Replace(doc, "kubeconfig: {path: /etc/green.yaml}", c.green, 1)
			doc = strings.Replace(doc, "pairs:", c.aws+"pairs:", 1)
			_, err := config.Parse("c.yaml", []byte(doc), nil)
			want := ""
			if c.path != "" {
				want = c.path + ": is the same cluster as blue"
			}
			if got := fmt.Sprint(err); (err != nil) != (want != "") || !strings.Contains(got, want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

func TestWaysToAClusterHaveDefaults(t *testing.T) {
	for name, c := range map[string]struct {
		written string
		want    config.Cluster
	}{
		"a Secret's key":          {"kubeconfigSecret: {name: shop-blue}", config.Cluster{KubeconfigSecret: &config.KubeconfigSecret{Name: "shop-blue", Key: "kubeconfig"}}},
		"an EKS cluster's region": {"eks: {name: shop-v134}", config.Cluster{EKS: &config.EKS{Name: "shop-v134", Region: "eu-west-1"}}},
		"all that is written": {
			`eks: {name: shop-v134, region: us-east-1, roleARN: "arn:aws:iam::123456789012:role/path/to/reader"}`,
			config.Cluster{EKS: &config.EKS{Name: "shop-v134", Region: "us-east-1", RoleARN: "arn:aws:iam::123456789012:role/path/to/reader"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			doc := strings.Replace(small, "kubeconfig: {path: /etc/blue.yaml}", c.written, 1)
			got, err := config.Parse("c.yaml", []byte("aws: {region: eu-west-1}\n"+doc), nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got.Pairs[0].Blue); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
