package elb

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// wire answers each operation with bytes, and counts the writes.
type wire struct {
	status              int
	rules, health, tags []byte
	writes              atomic.Int32
}

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	asked, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(asked))
	if err != nil {
		return nil, err
	}
	var body []byte
	switch form.Get("Action") {
	case "DescribeRules":
		body = w.rules
	case "DescribeTargetHealth":
		body = w.health
	case "DescribeTags":
		body = w.tags
	case "ModifyRule":
		w.writes.Add(1)
	}
	return &http.Response{StatusCode: w.status, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(bytes.NewReader(body))}, nil
}

// bare has no attributes: what they say isn't tried here, so they need no wire.
type bare struct{}

func (bare) DescribeTargetGroupAttributes(context.Context, *elbv2.DescribeTargetGroupAttributesInput, ...func(*elbv2.Options)) (*elbv2.DescribeTargetGroupAttributesOutput, error) {
	return &elbv2.DescribeTargetGroupAttributesOutput{}, nil
}

func (bare) DescribeLoadBalancerAttributes(context.Context, *elbv2.DescribeLoadBalancerAttributesInput, ...func(*elbv2.Options)) (*elbv2.DescribeLoadBalancerAttributesOutput, error) {
	return &elbv2.DescribeLoadBalancerAttributesOutput{}, nil
}

func fuzzedRule() string {
	tuple := func(group, weight string) string {
		return "<member><TargetGroupArn>" + group + "</TargetGroupArn><Weight>" + weight + "</Weight></member>"
	}
	return `<DescribeRulesResponse><DescribeRulesResult><Rules><member><RuleArn>` + ruleARN + `</RuleArn><Priority>1</Priority><IsDefault>false</IsDefault><Actions><member><Type>forward</Type>` +
		`<ForwardConfig><TargetGroups>` + tuple(blueTG, "75") + tuple(greenTG, "25") + `</TargetGroups></ForwardConfig></member></Actions></member></Rules></DescribeRulesResult></DescribeRulesResponse>`
}

// FuzzRules: whatever ELB answers, what is read of it is a forward action with
// weights within bounds, or can't be read; targets are never more healthy than
// there are; and a rise is never written onto what can't be read.
func FuzzRules(f *testing.F) {
	health := `<DescribeTargetHealthResponse><DescribeTargetHealthResult><TargetHealthDescriptions><member><Target><Id>10.0.0.1</Id><Port>80</Port></Target><TargetHealth><State>healthy</State></TargetHealth></member></TargetHealthDescriptions></DescribeTargetHealthResult></DescribeTargetHealthResponse>`
	tags := `<DescribeTagsResponse><DescribeTagsResult><TagDescriptions><member><ResourceArn>` + ruleARN + `</ResourceArn><Tags><member><Key>` + MarkTag + `</Key><Value>` + mark(2, 5, 25).String() + `</Value></member></Tags></member></TagDescriptions></DescribeTagsResult></DescribeTagsResponse>`
	f.Add(uint16(0), []byte(fuzzedRule()), []byte(health), []byte(tags))
	for _, other := range [][2]string{
		{">75<", ">0<"}, {">25<", ">-1<"}, {">25<", ">1000<"}, {"forward", "redirect"}, {greenTG, blueTG}, {"<Weight>75</Weight>", ""}, {"</Rules>", ""}, {ruleARN, ruleARN + "0"}, {"<ForwardConfig>", "<X>"},
	} {
		f.Add(uint16(0), []byte(strings.Replace(fuzzedRule(), other[0], other[1], 1)), []byte(health), []byte(tags))
	}
	f.Add(uint16(0), []byte(fuzzedRule()), []byte(strings.Replace(health, "healthy", "sound", 1)), []byte(strings.Replace(tags, "share=25", "share=125", 1)))
	f.Add(uint16(0), []byte(fuzzedRule()), []byte{}, []byte{})
	f.Add(uint16(403), []byte(`<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>`), []byte{}, []byte{})
	w := &wire{}
	client := elbv2.NewFromConfig(aws.Config{ // made once: that takes as long as all calls of an input
		Region: "eu-west-1", BaseEndpoint: aws.String("http://elb.invalid"), Credentials: aws.AnonymousCredentials{},
		Retryer: func() aws.Retryer { return aws.NopRetryer{} }, HTTPClient: w,
	})
	f.Fuzz(func(t *testing.T, code uint16, rules, health, tags []byte) {
		w.status, w.rules, w.health, w.tags = http.StatusOK, rules, health, tags
		if code != 0 {
			w.status = 200 + int(code)%400
		}
		w.writes.Store(0)
		// The adapter gathers calls, and asks again where AWS tells of a former state: in
		// a bubble that takes no time.
		synctest.Test(t, func(t *testing.T) { whateverIsRead(t, w, client) })
	})
}

// whateverIsRead judges what the adapter makes of the wire's answers.
func whateverIsRead(t *testing.T, w *wire, client *elbv2.Client) {
	t.Helper()
	a := New(Options{Rules: client, Listeners: client, Health: client, Tags: client, Attributes: bare{}, CallTimeout: time.Second})
	r := a.Read(t.Context(), []shift.Entrance{entrance()}, shift.Watching)[0]
	for side, targets := range map[string]shift.Targets{"blue": r.BlueTargets, "green": r.GreenTargets} {
		if targets.Healthy < 0 || targets.Healthy > targets.Total {
			t.Errorf("%s has the targets %+v of %q", side, targets, w.health)
		}
	}
	if r.Err == "" {
		weights := r.Weights
		if w.status >= 300 || weights.Blue < 0 || weights.Green < 0 || weights.Blue > 999 || weights.Green > 999 || !r.Share().Valid() || r.At.IsZero() {
			t.Fatalf("%d %q was read as %+v", w.status, w.rules, r)
		}
		return
	}
	known := shift.EntranceReading{Name: "web", At: time.Now(), Token: "made up", Weights: shift.Weights{Blue: 75, Green: 25}}
	result := a.Commit(t.Context(), []shift.Change{{Entrance: entrance(), Expected: known, Wanted: 50, Control: mark(2, 6, 50), Priority: shift.Rise}})[0]
	if w.writes.Load() > 0 || result.Outcome == shift.Applied {
		t.Errorf("%d writes and %+v, where it can't be read: %s", w.writes.Load(), result, r.Err)
	}
}
