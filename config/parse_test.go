package config_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/clusterswitch/clusterswitch/config"
)

// small is the smallest useful document, one key a line, so that a test can break any of them.
const small = `apiVersion: clusterswitch.io/v1alpha1
pairs:
  - name: shop
    serve: green
    blue:
      kubeconfig: {path: /etc/blue.yaml}
    green:
      kubeconfig: {path: /etc/green.yaml}
    probes:
      - name: storefront
        http:
          url: https://10.0.0.1:8443/healthz
      - name: admin
        service:
          namespace: shop
          name: admin
          port: 8080
    traffic:
      - alb:
          ruleARN: arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee
          blueTargetGroupARN: arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/blue/73e2d6bc24d8a067
          greenTargetGroupARN: arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/green/84f3e7cd35e9b178
      - route53:
          hostedZoneID: Z123
          names: [shop.example.com]
          blueSetIdentifier: blue
          greenSetIdentifier: green
    steps:
      - share: 1
      - share: 100
    gates:
      - name: errors
        cloudwatch:
          loadBalancer: app/shop/50dc6c495c0c9188
          targetGroup: targetgroup/green/84f3e7cd35e9b178
          maxErrorRatio: 1%
`

func TestParseGivesDefaults(t *testing.T) {
	got, err := config.Parse("small.yaml", []byte(small), nil)
	if err != nil {
		t.Fatal(err)
	}
	expect := config.Expect{Status: []int{200}}
	probe := config.Probe{Interval: 10 * time.Second, Timeout: 3 * time.Second, Successes: 3, Failures: 2}
	storefront, admin := probe, probe
	storefront.Name = "storefront"
	storefront.HTTP = &config.HTTPProbe{URL: "https://10.0.0.1:8443/healthz", Method: "GET", Expect: expect}
	admin.Name = "admin"
	admin.Service = &config.ServiceProbe{Namespace: "shop", Name: "admin", Port: 8080, Path: "/", Scheme: "http", Expect: expect}

	want := &config.Config{
		File:       "small.yaml",
		APIVersion: "clusterswitch.io/v1alpha1",
		Interval:   10 * time.Second,
		Listen:     ":8080",
		Web:        config.Web{Access: "token"},
		Log:        config.Log{Level: "info", Format: "json"},
		Debug:      config.Debug{Listen: "127.0.0.1:6060"},
		AWS: config.AWS{Budget: config.Budget{
			Route53: config.Route53Budget{PerSecond: 10, Burst: 50, Reserve: 10},
			ELB:     config.ELBBudget{PerSecond: 10, Burst: 40, Reserve: 10},
		}},
		Journal: config.Journal{Namespace: "clusterswitch"},
		LeaderElection: config.LeaderElection{
			Enabled: true, Name: "clusterswitch", LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second,
		},
		Pairs: []config.Pair{{
			Name:  "shop",
			Serve: "green",
			Blue:  config.Cluster{Kubeconfig: &config.Kubeconfig{Path: "/etc/blue.yaml"}},
			Green: config.Cluster{Kubeconfig: &config.Kubeconfig{Path: "/etc/green.yaml"}},
			Preflight: config.Preflight{
				Mode: "block", Every: 10 * time.Minute, Timeout: 5 * time.Minute, Secrets: "names",
				ArgoCD:  config.PreflightArgoCD{Management: true, Namespaces: []string{"argocd"}},
				Metrics: config.PreflightMetrics{Window: time.Hour, Dashboards: config.PreflightDashboards{Label: "grafana_dashboard"}},
			},
			Replicas: config.Replicas{AtLeast: 100},
			Probes:   []config.Probe{storefront, admin},
			Traffic: []config.Entrance{
				{Name: "alb-0", ALB: &config.ALB{
					RuleARN:             "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee",
					BlueTargetGroupARN:  "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/blue/73e2d6bc24d8a067",
					GreenTargetGroupARN: "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/green/84f3e7cd35e9b178",
					MinHealthyTargets:   1, MinHealthyTargetsPerZone: 1,
				}},
				{Name: "route53-1", Route53: &config.Route53{
					HostedZoneID: "Z123", Names: []string{"shop.example.com"}, Types: []string{"A"},
					BlueSetIdentifier: "blue", GreenSetIdentifier: "green", Connections: time.Hour, Mark: true, MarkPrefix: "_clusterswitch",
				}},
			},
			Steps: []config.Step{{Share: 1, Hold: 10 * time.Minute}, {Share: 100, Hold: 10 * time.Minute}},
			Gates: []config.Gate{{Name: "errors", CloudWatch: &config.CloudWatch{
				LoadBalancer: "app/shop/50dc6c495c0c9188", TargetGroup: "targetgroup/green/84f3e7cd35e9b178",
				MaxErrorRatio: 0.01, MinRequests: 50, Window: 5 * time.Minute, Period: time.Minute,
				Settle: 2 * time.Minute, Breaches: 2,
			}}},
			ObservedShare: config.ObservedShare{OnBreach: "hold", Tolerance: 10},
			Standby:       config.Standby{For: 72 * time.Hour, Capacity: config.Capacity{AtLeast: 90, OnBreach: "hold"}},
			Singletons:    config.Singletons{At: 100, Drain: 10 * time.Minute},
			Retire:        config.Retire{SilentFor: 24 * time.Hour},
			StaleAfter:    30 * time.Second,
		}},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(config.Config{}, "Digest")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParseReadsWhatIsWritten(t *testing.T) {
	type edit struct{ old, new string }
	tests := map[string]struct {
		edit edit
		got  func(*config.Config) any
		want any
	}{
		"a percentage with its sign": {
			edit{"serve: green", "serve: green\n    replicas: {atLeast: 90%}"},
			func(c *config.Config) any { return c.Pairs[0].Replicas.AtLeast }, 90,
		},
		"a percentage without its sign": {
			edit{"serve: green", "serve: green\n    replicas: {atLeast: 0}"},
			func(c *config.Config) any { return c.Pairs[0].Replicas.AtLeast }, 0,
		},
		"a fraction": {
			edit{"maxErrorRatio: 1%", "maxErrorRatio: 0.005"},
			func(c *config.Config) any { return c.Pairs[0].Gates[0].CloudWatch.MaxErrorRatio }, 0.005,
		},
		"a duration of zero without a unit": {
			edit{"share: 1\n", "share: 1\n        hold: 0\n"},
			func(c *config.Config) any { return c.Pairs[0].Steps[0].Hold }, time.Duration(0),
		},
		"false over a default of true": {
			edit{"hostedZoneID: Z123", "hostedZoneID: Z123\n          mark: false"},
			func(c *config.Config) any { return c.Pairs[0].Traffic[1].Route53.Mark }, false,
		},
		"a record's name in one form": {
			edit{"[shop.example.com]", "[Shop.Example.com.]"},
			func(c *config.Config) any { return c.Pairs[0].Traffic[1].Route53.Names },
			[]string{"shop.example.com"},
		},
		"an age that follows the slowest probe": {
			edit{"- name: admin", "- name: admin\n        interval: 1m"},
			func(c *config.Config) any { return c.Pairs[0].StaleAfter }, 3 * time.Minute,
		},
		"an age of its own": {
			edit{"serve: green", "serve: green\n    staleAfter: 1m"},
			func(c *config.Config) any { return c.Pairs[0].StaleAfter }, time.Minute,
		},
		"header names as they are written": {
			edit{"url:", "headers: {X-Team.Name: a}\n          url:"},
			func(c *config.Config) any { return c.Pairs[0].Probes[0].HTTP.Headers },
			map[string]string{"X-Team.Name": "a"},
		},
		"an alias": {
			edit{"- share: 1\n", "- &first {share: 1, hold: 1s}\n      - {share: 50}\n"},
			func(c *config.Config) any { return c.Pairs[0].Steps[0].Hold }, time.Second,
		},
		"soaking alone": {
			edit{small[strings.Index(small, "    gates:"):], "    soakOnly: true\n"},
			func(c *config.Config) any { return c.Pairs[0].SoakOnly }, true,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(small, test.edit.old) {
				t.Fatalf("the document does not hold %q", test.edit.old)
			}
			c, err := config.Parse("c.yaml", []byte(strings.Replace(small, test.edit.old, test.edit.new, 1)), nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, test.got(c)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEnvironmentOverlaysScalarTopLevelKeys(t *testing.T) {
	c, err := config.Parse("c.yaml", []byte("listen: :9\n"+small), config.Overlay{"interval": "1s", "handsOff": "true", "listen": ""})
	if err != nil {
		t.Fatal(err)
	}
	if c.Interval != time.Second || !c.HandsOff || c.Listen != "" {
		t.Errorf("got interval %s, handsOff %t, listen %q", c.Interval, c.HandsOff, c.Listen)
	}

	_, err = config.Parse("c.yaml", []byte(small), config.Overlay{"interval": "1", "handsOff": "1", "listen": "8080", "pairs": "[]"})
	faults, ok := errors.AsType[config.Faults](err)
	if !ok {
		t.Fatalf("got %v, want faults", err)
	}
	want := []string{
		`$CLUSTERSWITCH_HANDSOFF: handsOff: 1 is neither true nor false; write true or false, without quotes`,
		`$CLUSTERSWITCH_INTERVAL: interval: 1 has no unit; use a duration from 1s to 5m, such as 10s`,
		`$CLUSTERSWITCH_LISTEN: listen: "8080" is not an address to listen on; use :port or host:port with a port up to 65535`,
		`$CLUSTERSWITCH_PAIRS: pairs: cannot be set by the environment; use interval, listen or handsOff`,
	}
	if diff := cmp.Diff(want, strings.Split(faults.Error(), "\n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDigestTellsDocumentsApart(t *testing.T) {
	parse := func(doc string) *config.Config {
		c, err := config.Parse("c.yaml", []byte(doc), nil)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if once, twice := parse(small), parse(small); once.Digest != twice.Digest {
		t.Error("the same text has two digests")
	}
	if parse(small).Digest == parse(small+"# more\n").Digest {
		t.Error("two texts have one digest")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(small)
	f.Add("")
	f.Add("a: &a [*a]")
	f.Add("pairs: &p\n  - *p\n")
	f.Add("<<: {apiVersion: 1}\npairs: [{steps: {}, gates: 1, traffic: [null, 1, {alb: []}]}]")
	f.Add("x: &x {" + strings.Repeat("longer", 20) + ": 1}\npairs: [*x, *x]")
	f.Add("? [a, b]\n: c\n---\nd")
	f.Add("pairs: [{probes: [{http: {headers: {\"\": !!binary x}}}]}]")
	f.Add("pairs: [{traffic: [{alb: {}}], observedShare: {required: true}, windows: [{}, 1, {from: 1, to: []}], freezes: [{from: 1}, {}], " +
		"gates: [1, {}, {requests: 1}, {requests: {prometheus: {blue: 1}}}, {requests: {cloudwatch: {}, latency: {edges: [0s, x]}}}, " +
		"{prometheus: {query: rate(a)}}, {alertmanager: {matchers: [1, a]}}, {webhook: {url: 1, headers: {a: 1}}}]}]")
	f.Fuzz(func(t *testing.T, doc string) {
		c, err := config.Parse("fuzz.yaml", []byte(doc), nil)
		if (c == nil) == (err == nil) {
			t.Fatalf("got config %v and error %v, want exactly one", c, err)
		}
		if err == nil {
			return
		}
		faults, ok := errors.AsType[config.Faults](err)
		if !ok || len(faults) == 0 {
			t.Fatalf("got error %v, want faults", err)
		}
		for _, fault := range faults {
			if fault.Line < 1 || fault.Message == "" {
				t.Errorf("fault without a place or a message: %#v", fault)
			}
		}
	})
}
