package aws_test

import (
	"net/http/httptest"
	"testing"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

// Those who look from aside see what is stored, and edit it, whatever goes wrong
// for everybody else; AWS's own rules hold for them, too.
func TestAsideIsHitByNoFault(t *testing.T) {
	w := newWorld(t, aws.Options{})
	e := newEntrance(t, w)
	zone := seedZone(t, w)
	server := httptest.NewServer(w.Aside())
	t.Cleanup(server.Close)
	config := w.config.Copy()
	config.BaseEndpoint = &server.URL
	aside := entrance{world: &world{Cloud: w.Cloud, config: config, route53: route53.NewFromConfig(config), elb: elbv2.NewFromConfig(config)}, ruleARN: e.ruleARN, blue: e.blue, green: e.green}

	must[func()](t)(w.Inject(aws.Fault{Kind: aws.StaleReads, Service: aws.ELB, Times: 1}))
	e.set(t, 10)
	for _, service := range []aws.Service{aws.Route53, aws.ELB} {
		must[func()](t)(w.Inject(aws.Fault{Kind: aws.Throttle, Service: service}))
	}
	before := len(w.Calls())
	got := map[string]any{
		"green's weight":   aside.seen(t),
		"an edit":          code(t, aside.change(t, zone, upsert(simple("new.example.com", "A", "192.0.2.9")))),
		"a stale edit":     code(t, aside.change(t, zone, remove(simple("new.example.com", "A", "192.0.2.8")))),
		"calls in the log": len(w.Calls()) - before,
		"one who isn't so": code(t, w.change(t, zone, remove(simple("new.example.com", "A", "192.0.2.9")))),
		"an unknown rule":  code(t, second(aside.elb.DescribeRules(t.Context(), &elbv2.DescribeRulesInput{RuleArns: []string{e.ruleARN + "0"}}))),
	}
	want := map[string]any{
		"green's weight": int32(10), "an edit": "", "a stale edit": "InvalidChangeBatch", "calls in the log": 0,
		"one who isn't so": "Throttling", "an unknown rule": "RuleNotFound",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("from aside (-want +got):\n%s", diff)
	}
}

func second[T any](_ T, err error) error { return err }
