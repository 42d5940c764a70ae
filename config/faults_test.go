package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/config"
)

// breach breaks the small document in one place, where old becomes new.
type breach struct {
	old, new string
	// path and message are the fault's; it stands on the line of the mark #! in new.
	path, message string
}

func breakEach(t *testing.T, breaches map[string]breach) {
	t.Helper()
	for name, b := range breaches {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(small, b.old) {
				t.Fatalf("the document does not hold %q", b.old)
			}
			doc := strings.Replace(small, b.old, b.new, 1)
			faults := faultsOf(t, doc)
			if len(faults) != 1 {
				t.Fatalf("got these faults, want one:\n%v", faults)
			}
			got := faults[0]
			if want := markedLine(doc); got.Line != want || got.Path != b.path || got.File != "c.yaml" {
				t.Errorf("got %s:%d at %q, want c.yaml:%d at %q", got.File, got.Line, got.Path, want, b.path)
			}
			if !strings.Contains(got.Message, b.message) {
				t.Errorf("got message %q, want %q in it", got.Message, b.message)
			}
		})
	}
}

// markedLine is the line of the mark, or the line of the pair for what is missing from it.
func markedLine(doc string) int {
	before, _, marked := strings.Cut(doc, "#!")
	if !marked {
		before, _, _ = strings.Cut(doc, "- name: shop")
	}
	return strings.Count(before, "\n") + 1
}

func faultsOf(t *testing.T, doc string) config.Faults {
	t.Helper()
	c, err := config.Parse("c.yaml", []byte(doc), nil)
	faults, ok := errors.AsType[config.Faults](err)
	if !ok || c != nil {
		t.Fatalf("got config %v and error %v, want faults alone", c, err)
	}
	return faults
}

func TestFaultsOfADocument(t *testing.T) {
	breakEach(t, map[string]breach{
		"another version": {
			"clusterswitch.io/v1alpha1", "clusterswitch.io/v2 #!", "apiVersion",
			"clusterswitch.io/v2 is not known here; use clusterswitch.io/v1alpha1",
		},
		"an interval without a unit": {
			"pairs:", "interval: 10 #!\npairs:", "interval", "10 has no unit; use a duration from 1s to 5m, such as 10s",
		},
		"an interval in days": {
			"pairs:", "interval: 1d #!\npairs:", "interval", "1d is not a duration; use a duration from 1s to 5m, such as 10s (the units are ms, s, m and h)",
		},
		"an interval that is too short": {
			"pairs:", "interval: 999ms #!\npairs:", "interval", "999ms is out of range; use a duration from 1s to 5m",
		},
		"an address without a port": {
			"pairs:", "listen: localhost #!\npairs:", "listen", `"localhost" is not an address to listen on`,
		},
		"a level nobody knows": {
			"pairs:", "log: {level: loud} #!\npairs:", "log.level", "loud is not known here; use debug, info, warn or error",
		},
		"a mapping that is a word": {
			"pairs:", "log: json #!\npairs:", "log", "is the single value json; use a mapping with the keys level, format",
		},
		"a region that is a zone": {
			"pairs:", "aws: {region: eu-west-1a} #!\npairs:", "aws.region", `"eu-west-1a" is not an AWS region`,
		},
		"an endpoint without a scheme": {
			"pairs:", "aws: {endpointURL: \"localhost:4566\"} #!\npairs:", "aws.endpointURL", "is not an absolute URL",
		},
		"a reserve that leaves nothing": {
			"pairs:", "aws: {budget: {elb: {reserve: 40}}} #!\npairs:", "aws.budget.elb.reserve",
			"40 leaves nothing of the burst of 40 to any other call; use less than that",
		},
		"a burst below the default reserve": {
			"pairs:", "aws: {budget: {route53: {burst: 10}}} #!\npairs:", "aws.budget.route53.reserve",
			"10 leaves nothing of the burst of 10 to any other call",
		},
		"a budget of nothing": {
			"pairs:", "aws: {budget: {route53: {perSecond: 0}}} #!\npairs:", "aws.budget.route53.perSecond",
			"0 is out of range; use a whole number from 1 to 1000",
		},
		"a budget for a service that has none": {
			"pairs:", "aws: {budget: {cloudwatch: {burst: 5}}} #!\npairs:", "aws.budget.cloudwatch",
			"is not a known key; use route53 or elb",
		},
		"a journal's namespace in capitals": {
			"pairs:", "journal: {namespace: Switch} #!\npairs:", "journal.namespace", `"Switch" is not a DNS label`,
		},
		"a kubeconfig without a path": {
			"pairs:", "journal: {kubeconfig: {context: hub}} #!\npairs:", "journal.kubeconfig.path", "is missing; set it to text",
		},
		"a broken line of YAML": {
			"serve: green", "serve: green: blue #!", "", "is not YAML: mapping values are not allowed",
		},
		"a second document": {
			"          maxErrorRatio: 1%\n", "          maxErrorRatio: 1%\n--- #!\nmore: true\n", "", "holds a second document; keep one",
		},
		"an interval that is a list": {
			"pairs:", "interval: [10s] #!\npairs:", "interval", "is a list; use a duration from 1s to 5m",
		},
	})
}

func TestAllFaultsAreToldAtOnce(t *testing.T) {
	got := faultsOf(t, `apiVersion: clusterswitch.io/v1alpha1
intervall: 10s
interval: 10
pairs:
  - name: shop
    serve: grean
    blue: {}
    green: {kubeconfig: {path: /etc/green.yaml}}
    rollback: 7
    probes:
      - {name: a, tcp: 5}
      - {name: a, timeout: never}
    traffic:
      - alb: {ruleARN: x}
    steps:
      - {share: 50}
      - {share: 1.9}
      - {share: 20}
    gates: none
  - name: shop
`)
	want := []string{
		`c.yaml:2: intervall: is not a known key; did you mean interval?`,
		`c.yaml:3: interval: 10 has no unit; use a duration from 1s to 5m, such as 10s`,
		`c.yaml:6: pairs[0].serve: grean is not known here; use blue or green`,
		`c.yaml:7: pairs[0].blue: has no kind; give it one of kubeconfig, kubeconfigSecret or eks`,
		`c.yaml:9: pairs[0].rollback: 7 is neither true nor false; write true or false, without quotes`,
		`c.yaml:11: pairs[0].probes[0].tcp: is the single value 5; use a mapping with the keys address, blueAddress`,
		`c.yaml:12: pairs[0].probes[1]: has no kind; give it one of http, tcp, tls, grpc, dns, websocket or service`,
		`c.yaml:12: pairs[0].probes[1].name: a is the name of another probe of this pair (pairs[0].probes[0].name, line 11); choose a name of its own`,
		`c.yaml:12: pairs[0].probes[1].timeout: never is not a duration; use a duration from 10ms to 5m, such as 3s (the units are ms, s, m and h)`,
		`c.yaml:14: pairs[0].traffic[0].alb.blueTargetGroupARN: is missing; set it to text`,
		`c.yaml:14: pairs[0].traffic[0].alb.greenTargetGroupARN: is missing; set it to text`,
		`c.yaml:14: pairs[0].traffic[0].alb.ruleARN: "x" is not the ARN of an Application Load Balancer's listener rule; use arn:aws:elasticloadbalancing:REGION:ACCOUNT:listener-rule/app/NAME/ID/ID/ID`,
		`c.yaml:17: pairs[0].steps[1].share: 1.9 is not a percentage; use a whole number from 1 to 100`,
		`c.yaml:18: pairs[0].steps[2].share: 20 is not more than the 50 of the step before; let the shares rise from step to step`,
		`c.yaml:19: pairs[0].gates: is the single value none; use a list, each entry on a line that starts with a dash`,
		`c.yaml:20: pairs[1].blue: is missing; set it to a mapping with the keys kubeconfig, kubeconfigSecret, eks`,
		`c.yaml:20: pairs[1].gates: has no gate on users' traffic; add one, or set soakOnly: true to shift on time, probes and workloads alone`,
		`c.yaml:20: pairs[1].green: is missing; set it to a mapping with the keys kubeconfig, kubeconfigSecret, eks`,
		`c.yaml:20: pairs[1].name: shop is the name of another pair (pairs[0].name, line 5); choose a name of its own`,
		`c.yaml:20: pairs[1].serve: is missing; set it to blue or green`,
		`c.yaml:20: pairs[1].steps: is missing; set it to a list`,
		`c.yaml:20: pairs[1].traffic: is missing; set it to a list`,
	}
	if diff := cmp.Diff(want, strings.Split(got.Error(), "\n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDocumentsThatHoldNothing(t *testing.T) {
	tests := map[string]struct{ doc, want string }{
		"no bytes":       {"", "c.yaml:1: is empty; begin with apiVersion: clusterswitch.io/v1alpha1"},
		"comments only":  {"# nothing\n", "c.yaml:1: is empty; begin with apiVersion: clusterswitch.io/v1alpha1"},
		"a bare word":    {"shop\n", "c.yaml:1: is a single value; use a mapping with the keys apiVersion, interval, listen, handsOff, web, log, allowLinkLocal, debug, aws, journal, leaderElection, runbook, notifications, pairs"},
		"too many bytes": {strings.Repeat("#", 1<<20+1), "c.yaml:1: is larger than 1 MiB; keep one document of at most that size"},
		"an anchor inside itself": {
			"apiVersion: clusterswitch.io/v1alpha1\npairs: &p [*p]\n",
			"c.yaml:2: pairs[0]: is a list; use a mapping with the keys name, serve, attempt, rollback, rollbackForce, paused, " +
				"handsOff, blue, green, preflight, workloads, replicas, probes, traffic, steps, gates, observedShare, windows, freezes, soakOnly, standby, singletons, retire, staleAfter",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := faultsOf(t, test.doc).Error(); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestAliasesInsideAliasesAreBounded(t *testing.T) {
	doc := "apiVersion: clusterswitch.io/v1alpha1\npairs:\n  - &p\n    steps: &s [" + strings.Repeat("{share: 1}, ", 500) + "]\n" +
		strings.Repeat("  - *p\n", 500)
	if got := faultsOf(t, doc).Error(); !strings.Contains(got, "holds more than 200000 values") {
		t.Errorf("got no word of the bound in %d bytes of faults", len(got))
	}
}
