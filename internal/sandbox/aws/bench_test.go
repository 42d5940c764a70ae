package aws_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

// BenchmarkSwap is the floor of a Route 53 rollback: one swap of both members by
// the raw SDK.
func BenchmarkSwap(b *testing.B) {
	w := newWorld(b, aws.Options{})
	zone := seedZone(b, w)
	share := int64(0)
	for b.Loop() {
		next := 100 - share
		err := w.change(b, zone,
			remove(weighted("shop.example.com", "blue", 100-share, "192.0.2.1")), remove(weighted("shop.example.com", "green", share, "192.0.2.2")),
			create(weighted("shop.example.com", "blue", 100-next, "192.0.2.1")), create(weighted("shop.example.com", "green", next, "192.0.2.2")),
		)
		if err != nil {
			b.Fatal(err)
		}
		share = next
	}
}

// BenchmarkModifyRule is the floor of an ALB rollback: one ModifyRule by the raw SDK.
func BenchmarkModifyRule(b *testing.B) {
	e := newEntrance(b, newWorld(b, aws.Options{}))
	weight := int32(0)
	for b.Loop() {
		weight = 100 - weight
		if err := e.modify(b, forward(share{e.blue, 100 - weight}, share{e.green, weight})); err != nil {
			b.Fatal(err)
		}
	}
}

// newRegion makes ten load balancers with a hundred rules each, all of them
// between two groups of their load balancer, and returns the rules.
func newRegion(t testing.TB, w *world) (entrances []entrance) {
	t.Helper()
	for i := range 10 {
		e := entrance{world: w, balancerARN: w.balancer(t, fmt.Sprintf("lb-%d", i))}
		e.blue, e.green = w.group(t, fmt.Sprintf("blue-%d", i), "10.0.0.1"), w.group(t, fmt.Sprintf("green-%d", i), "10.1.0.1")
		e.listenerARN = w.listener(t, e.balancerARN, 80, fixed("404"))
		for priority := range int32(100) {
			e.ruleARN = w.newRule(t, e.listenerARN, 1+priority, forward(share{e.blue, 100}, share{e.green, 0}))
			entrances = append(entrances, e)
		}
	}
	return entrances
}

// modifyCall is a ModifyRule as it comes over the wire.
func (e entrance) modifyCall(t testing.TB, green int) *http.Request {
	form := url.Values{"Action": {"ModifyRule"}, "Version": {"2015-12-01"}, "RuleArn": {e.ruleARN}, "Actions.member.1.Type": {"forward"}}
	for i, arn := range []string{e.blue, e.green} {
		at := fmt.Sprintf("Actions.member.1.ForwardConfig.TargetGroups.member.%d.", i+1)
		form.Set(at+"TargetGroupArn", arn)
		form.Set(at+"Weight", strconv.Itoa([]int{100 - green, green}[i]))
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AK/20261123/ap-northeast-1/elasticloadbalancing/aws4_request, SignedHeaders=host, Signature=0")
	return r
}

// BenchmarkModifyRuleOfAThousand is what one ModifyRule costs in here, without
// network and SDK, when there are a thousand rules: it must stay below a few
// hundred microseconds.
func BenchmarkModifyRuleOfAThousand(b *testing.B) {
	w := newWorld(b, aws.Options{})
	entrances := newRegion(b, w)
	i := 0
	for b.Loop() {
		answer := httptest.NewRecorder()
		w.ServeHTTP(answer, entrances[i%len(entrances)].modifyCall(b, i%101))
		if answer.Code != http.StatusOK {
			b.Fatal(answer.Body)
		}
		i++
	}
}

// BenchmarkAThousandRules is the floor of a rollback of a thousand rules: one
// ModifyRule for each by the raw SDK, and all of them read back by listener.
func BenchmarkAThousandRules(b *testing.B) {
	w := newWorld(b, aws.Options{})
	entrances := newRegion(b, w)
	weight := int32(0)
	for b.Loop() {
		weight = 100 - weight
		for i, e := range entrances {
			if err := e.modify(b, forward(share{e.blue, 100 - weight}, share{e.green, weight})); err != nil {
				b.Fatal(err)
			}
			if i%100 == 99 {
				out := must[*elbv2.DescribeRulesOutput](b)(w.elb.DescribeRules(b.Context(), &elbv2.DescribeRulesInput{ListenerArn: &e.listenerARN}))
				if got := *out.Rules[0].Actions[0].ForwardConfig.TargetGroups[1].Weight; len(out.Rules) != 101 || got != weight {
					b.Fatalf("%d rules, weight %d", len(out.Rules), got)
				}
			}
		}
	}
}

// BenchmarkRecordSets is what each DNS query costs here.
func BenchmarkRecordSets(b *testing.B) {
	w := newWorld(b, aws.Options{})
	seedZone(b, w)
	for b.Loop() {
		if len(w.RecordSets("shop.example.com.", "A")) != 2 {
			b.Fatal("the pair isn't published")
		}
	}
}

// largeZone has 1,000 names with a weighted pair and a mark each: 3,000 record
// sets, besides the two of the apex.
func largeZone(b *testing.B, w *world) string {
	b.Helper()
	zone := w.zone(b, "example.com")
	for from := range 4 {
		var batch []r53types.Change
		for i := 250 * from; i < 250*(from+1); i++ {
			name := pairName(i)
			batch = append(batch, create(weighted(name, "blue", 100, "192.0.2.1")), create(weighted(name, "green", 0, "192.0.2.2")),
				create(simple("_mark."+name, "TXT", `"attempt=1"`)))
		}
		if err := w.change(b, zone, batch...); err != nil {
			b.Fatal(err)
		}
	}
	return zone
}

func pairName(i int) string { return fmt.Sprintf("n%04d.example.com", i) }

// swaps moves the pairs of n names from one share of green to the next.
func swaps(n int, share, next int64) (batch []r53types.Change) {
	for i := range n {
		name := pairName(i)
		batch = append(batch,
			remove(weighted(name, "blue", 100-share, "192.0.2.1")), remove(weighted(name, "green", share, "192.0.2.2")),
			create(weighted(name, "blue", 100-next, "192.0.2.1")), create(weighted(name, "green", next, "192.0.2.2")))
	}
	return batch
}

// BenchmarkLargeZone is what calls cost in a zone of 3,000 record sets, by the
// raw SDK over HTTP: its own encoding and decoding is most of it.
func BenchmarkLargeZone(b *testing.B) {
	for name, names := range map[string]int{"swap of 1 pair": 1, "batch of 1,000 records": 250} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, aws.Options{Propagation: time.Second})
			zone := largeZone(b, w)
			share := int64(0)
			for b.Loop() {
				next := 100 - share
				if err := w.change(b, zone, swaps(names, share, next)...); err != nil {
					b.Fatal(err)
				}
				share = next
			}
		})
	}
	b.Run("listing of one page", func(b *testing.B) {
		w := newWorld(b, aws.Options{})
		zone := largeZone(b, w)
		for b.Loop() {
			if len(w.list(b, zone)) != 300 {
				b.Fatal("not a whole page")
			}
		}
	})
}
