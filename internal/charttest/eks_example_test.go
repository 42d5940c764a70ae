package charttest

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	yamlv3 "go.yaml.in/yaml/v3"

	"github.com/clusterswitch/clusterswitch/config"
)

// eksExample is the folder of what docs/eks.md walks through.
const eksExample = root + "/examples/eks"

// binding is what the example uses of a TargetGroupBinding; keys that aren't here
// are faults.
type binding struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Name, Namespace string }
	Spec       struct {
		ServiceRef struct {
			Name string
			Port int
		} `yaml:"serviceRef"`
		TargetGroupARN string `yaml:"targetGroupARN"`
		TargetType     string `yaml:"targetType"`
		Networking     struct {
			Ingress []struct {
				From []struct {
					SecurityGroup struct {
						GroupID string `yaml:"groupID"`
					} `yaml:"securityGroup"`
				}
				Ports []struct {
					Port     int
					Protocol string
				}
			}
		}
	}
}

// The example's values are a release with a configuration that the daemon takes,
// and that gives no cause for a second thought.
func TestTheEKSExampleIsARelease(t *testing.T) {
	t.Parallel()
	path := filepath.Join(eksExample, "values.yaml")
	if out, err := helm(t.Context(), "lint", "--strict", chart, "--values", path); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	c := eksConfig(t)
	for _, advice := range c.Advice() {
		t.Errorf("validate warns: %s", advice)
	}
	if got := c.Pairs[0].Serve; got != "blue" {
		t.Errorf("whoever installs the example as it is begins a shift: serve is %s", got)
	}
}

// Terraform, the manifests of both clusters and the daemon's configuration speak of
// the same target groups, Service, ports and clusters.
func TestThePartsOfTheEKSExampleFit(t *testing.T) {
	t.Parallel()
	pair := eksConfig(t).Pairs[0]
	terraform := eksFile(t, "main.tf")
	alb := pair.Traffic[0].ALB
	probe := pair.Probes[slices.IndexFunc(pair.Probes, func(p config.Probe) bool { return p.Service != nil })].Service
	for name, side := range map[string]struct{ targetGroup, slot, cluster string }{
		"targetgroupbinding-blue.yaml":  {alb.BlueTargetGroupARN, "a", pair.Blue.EKS.Name},
		"targetgroupbinding-green.yaml": {alb.GreenTargetGroupARN, "b", pair.Green.EKS.Name},
	} {
		b := eksBinding(t, name)
		got := []any{b.Metadata.Namespace, b.Spec.ServiceRef.Name, b.Spec.ServiceRef.Port, b.Spec.TargetGroupARN, b.Spec.TargetType}
		want := []any{probe.Namespace, probe.Name, probe.Port, side.targetGroup, "ip"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-configuration +manifest):\n%s", name, diff)
		}
		if !strings.Contains(side.targetGroup, ":targetgroup/shop-"+side.slot+"/") {
			t.Errorf("%s is not the target group of slot %s", side.targetGroup, side.slot)
		}
		if want := side.slot + ` = "` + side.cluster + `"`; !strings.Contains(terraform, want) {
			t.Errorf("main.tf doesn't have %s", want)
		}
		ingress := b.Spec.Networking.Ingress[0]
		group := oneOf(t, terraform, `(?s)resource "aws_lb_target_group" "shop".*?port\s+= (\d+)`)
		if group != "8080" || ingress.Ports[0].Port != 8080 || ingress.From[0].SecurityGroup.GroupID == "" {
			t.Errorf("%s lets in %+v, the target group sends to port %s", name, ingress, group)
		}
	}
	if !slices.Contains(pair.Workloads.Namespaces, probe.Namespace) {
		t.Errorf("the workloads of namespace %s don't count", probe.Namespace)
	}
	if got := oneOf(t, terraform, `(?s)resource "aws_lb_listener" "test".*?port\s+= (\d+)`); !strings.Contains(testListener(pair), ":"+got+"/") {
		t.Errorf("the test listener has port %s, and is probed at %s", got, testListener(pair))
	}
	if got := oneOf(t, terraform, `host_header \{\s+values = \["([^"]+)"\]`); got != probed(pair).Host {
		t.Errorf("users ask for %s, the probe for %s", got, probed(pair).Host)
	}
}

// Terraform leaves to the daemon what the daemon writes, and nothing more.
func TestTerraformOfTheEKSExampleDoesNotFightTheDaemon(t *testing.T) {
	t.Parallel()
	rule := oneOf(t, eksFile(t, "main.tf"), `(?s)resource "aws_lb_listener_rule" "shop" \{(.*?)\n\}`)
	var ignored []string
	for _, match := range regexp.MustCompile(`(?m)^      ([a-z_]+(?:\["[^"]+"\])?),`).FindAllStringSubmatch(oneOf(t, rule, `(?s)ignore_changes = \[(.*)\n    \]`), -1) {
		ignored = append(ignored, match[1])
	}
	want := []string{
		"action", `tags["clusterswitch.io/mark"]`, `tags["clusterswitch.io/stickiness"]`,
		`tags_all["clusterswitch.io/mark"]`, `tags_all["clusterswitch.io/stickiness"]`,
	}
	if diff := cmp.Diff(want, ignored); diff != "" {
		t.Errorf("ignored at the rule (-want +got):\n%s", diff)
	}
	if records := oneOf(t, eksFile(t, "route53.tf"), `ignore_changes = \[([a-z_]+)\]`); records != "weighted_routing_policy" {
		t.Errorf("ignored at the weighted records is %s", records)
	}
}

func eksConfig(t *testing.T) *config.Config {
	t.Helper()
	out, err := helm(t.Context(), "template", "clusterswitch", chart, "--namespace", "clusterswitch", "--values", filepath.Join(eksExample, "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse("clusterswitch.yaml", []byte(configOf(t, decode(t, out)).Data["clusterswitch.yaml"]), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func eksBinding(t *testing.T, name string) binding {
	t.Helper()
	var b binding
	in := yamlv3.NewDecoder(bytes.NewReader([]byte(eksFile(t, name))))
	in.KnownFields(true)
	if err := in.Decode(&b); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if b.APIVersion != "elbv2.k8s.aws/v1beta1" || b.Kind != "TargetGroupBinding" {
		t.Errorf("%s is a %s of %s", name, b.Kind, b.APIVersion)
	}
	return b
}

func eksFile(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(eksExample, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func oneOf(t *testing.T, text, pattern string) string {
	t.Helper()
	match := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if match == nil {
		t.Fatalf("nothing matches %s", pattern)
	}
	return match[1]
}

func probed(pair config.Pair) *config.HTTPProbe {
	return pair.Probes[slices.IndexFunc(pair.Probes, func(p config.Probe) bool { return p.HTTP != nil })].HTTP
}

func testListener(pair config.Pair) string { return probed(pair).URL }
