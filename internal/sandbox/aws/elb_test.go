package aws_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

func TestARNsHaveTheRealShapes(t *testing.T) {
	e := newEntrance(t, newWorld(t, aws.Options{}))
	account := "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:"
	for arn, shape := range map[string]string{
		e.balancerARN: "loadbalancer/app/shop/[0-9a-f]{16}",
		e.listenerARN: "listener/app/shop/[0-9a-f]{16}/[0-9a-f]{16}",
		e.ruleARN:     "listener-rule/app/shop/[0-9a-f]{16}/[0-9a-f]{16}/[0-9a-f]{16}",
		e.green:       "targetgroup/green/[0-9a-f]{16}",
	} {
		if !regexp.MustCompile("^" + account + shape + "$").MatchString(arn) {
			t.Errorf("%s isn't of the shape %s", arn, shape)
		}
	}
	if !strings.HasPrefix(strings.Replace(e.ruleARN, "listener-rule", "listener", 1), e.listenerARN+"/") {
		t.Errorf("rule %s isn't below listener %s", e.ruleARN, e.listenerARN)
	}
}

func TestTheSameWritesGiveTheSameARNs(t *testing.T) {
	first, second := newWorld(t, aws.Options{}), newWorld(t, aws.Options{})
	seedZone(t, first)
	zone := seedZone(t, second)
	second.list(t, zone) // a read makes no difference
	if a, b := newEntrance(t, first), newEntrance(t, second); a.ruleARN != b.ruleARN || a.green != b.green {
		t.Errorf("ARNs differ: %s and %s", a.ruleARN, b.ruleARN)
	}
	if again := first.balancer(t, "shop"); again != first.Listeners()[0].LoadBalancerARN {
		t.Errorf("a load balancer created again with the same settings is another one: %s", again)
	}
	if n := len(first.TargetGroups()); first.group(t, "blue") != first.TargetGroups()[0].ARN || len(first.TargetGroups()) != n {
		t.Error("a target group created again with the same settings is another one")
	}
}

func TestModifyRule(t *testing.T) {
	for name, c := range map[string]struct {
		actions func(e entrance) []elbtypes.Action
		code    string
	}{
		"weights at both limits": {actions: func(e entrance) []elbtypes.Action {
			return []elbtypes.Action{forward(share{e.blue, 0}, share{e.green, 999})}
		}},
		"weight 1000 is refused": {code: "ValidationError", actions: func(e entrance) []elbtypes.Action {
			return []elbtypes.Action{forward(share{e.blue, 0}, share{e.green, 1000})}
		}},
		"weight -1 is refused": {code: "ValidationError", actions: func(e entrance) []elbtypes.Action {
			return []elbtypes.Action{forward(share{e.blue, -1}, share{e.green, 1})}
		}},
		"five groups": {actions: func(e entrance) []elbtypes.Action { return []elbtypes.Action{forward(manyGroups(t, e, 3)...)} }},
		"six groups are refused": {code: "ValidationError", actions: func(e entrance) []elbtypes.Action {
			return []elbtypes.Action{forward(manyGroups(t, e, 4)...)}
		}},
		"the same group twice is refused": {code: "ValidationError", actions: func(e entrance) []elbtypes.Action {
			return []elbtypes.Action{forward(share{e.blue, 1}, share{e.blue, 2})}
		}},
		"an unknown group is refused": {code: "TargetGroupNotFound", actions: func(e entrance) []elbtypes.Action {
			return []elbtypes.Action{forward(share{e.blue + "0", 1})}
		}},
		"stickiness for a week": {actions: func(e entrance) []elbtypes.Action {
			return []elbtypes.Action{sticky(forward(share{e.blue, 1}, share{e.green, 1}), sdk.Int32(604800))}
		}},
		"stickiness for longer is refused": {code: "ValidationError", actions: func(e entrance) []elbtypes.Action {
			return []elbtypes.Action{sticky(forward(share{e.blue, 1}, share{e.green, 1}), sdk.Int32(604801))}
		}},
		"stickiness without duration is refused": {code: "ValidationError", actions: func(e entrance) []elbtypes.Action {
			return []elbtypes.Action{sticky(forward(share{e.blue, 1}, share{e.green, 1}), nil)}
		}},
		"a single ARN that differs from the config is refused": {code: "InvalidLoadBalancerAction", actions: func(e entrance) []elbtypes.Action {
			a := forward(share{e.blue, 1})
			a.TargetGroupArn = &e.green
			return []elbtypes.Action{a}
		}},
		"two actions without order are refused": {code: "ValidationError", actions: func(entrance) []elbtypes.Action {
			return []elbtypes.Action{fixed("200"), fixed("404")}
		}},
		"two final actions are refused": {code: "InvalidLoadBalancerAction", actions: func(entrance) []elbtypes.Action {
			return []elbtypes.Action{ordered(1, fixed("200")), ordered(2, fixed("404"))}
		}},
		"a redirect is refused, by name": {code: "InvalidLoadBalancerAction", actions: func(entrance) []elbtypes.Action {
			return []elbtypes.Action{{Type: elbtypes.ActionTypeEnumRedirect, RedirectConfig: &elbtypes.RedirectActionConfig{StatusCode: elbtypes.RedirectActionStatusCodeEnumHttp301}}}
		}},
		"authentication on an HTTP listener is refused": {code: "InvalidLoadBalancerAction", actions: func(e entrance) []elbtypes.Action {
			return []elbtypes.Action{ordered(1, oidc(sdk.String("s"), false)), ordered(2, forward(share{e.blue, 1}))}
		}},
		"a fixed answer of 302 is refused": {code: "ValidationError", actions: func(entrance) []elbtypes.Action {
			return []elbtypes.Action{fixed("302")}
		}},
		"a group of another load balancer is refused": {code: "TargetGroupAssociationLimit", actions: func(e entrance) []elbtypes.Action {
			other := e.group(t, "other")
			e.listener(t, e.balancer(t, "second"), 80, forward(share{other, 1}))
			return []elbtypes.Action{forward(share{other, 1})}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEntrance(t, newWorld(t, aws.Options{}))
			before := e.Listeners()
			err := e.modify(t, c.actions(e)...)
			if got := code(t, err); got != c.code {
				t.Fatalf("code %q, want %q (%v)", got, c.code, err)
			}
			rule := func(all []routing.Listener) routing.Rule { return all[0].Rules[0] }
			if same := cmp.Equal(rule(before), rule(e.Listeners())); same != (c.code != "") {
				t.Errorf("the rule is unchanged: %t, with the code %q", same, c.code)
			}
		})
	}
}

func manyGroups(t *testing.T, e entrance, more int) []share {
	shares := []share{{e.blue, 1}, {e.green, 1}}
	for i := range more {
		shares = append(shares, share{e.group(t, fmt.Sprintf("more-%d", i)), 1})
	}
	return shares
}

func TestListsAreReplacedAsAWhole(t *testing.T) {
	e := newEntrance(t, newWorld(t, aws.Options{}))
	if err := e.modify(t, sticky(forward(share{e.blue, 50}, share{e.green, 50}), sdk.Int32(600))); err != nil {
		t.Fatal(err)
	}
	if err := e.modify(t, forward(share{e.green, 1})); err != nil {
		t.Fatal(err)
	}
	got := e.rule(t, e.ruleARN)
	if len(got.Conditions) != 1 || got.Conditions[0].Values[0] != "shop.example.com" {
		t.Errorf("conditions that weren't named changed: %+v", got.Conditions)
	}
	config := got.Actions[0].ForwardConfig
	if len(config.TargetGroups) != 1 || *config.TargetGroupStickinessConfig.Enabled || *got.Actions[0].TargetGroupArn != e.green {
		t.Errorf("something of the old actions is left: %+v", config)
	}
	_, err := e.elb.ModifyRule(t.Context(), &elbv2.ModifyRuleInput{RuleArn: &e.ruleARN, Conditions: []elbtypes.RuleCondition{
		{Field: sdk.String("path-pattern"), Values: []string{"/cart/*"}},
		{Field: sdk.String("http-header"), HttpHeaderConfig: &elbtypes.HttpHeaderConditionConfig{HttpHeaderName: sdk.String("X-Canary"), Values: []string{"1", "yes"}}},
		{Field: sdk.String("query-string"), QueryStringConfig: &elbtypes.QueryStringConditionConfig{Values: []elbtypes.QueryStringKeyValuePair{{Key: sdk.String("v"), Value: sdk.String("2")}}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	got = e.rule(t, e.ruleARN)
	if len(got.Conditions) != 3 || got.Conditions[0].PathPatternConfig.Values[0] != "/cart/*" ||
		*got.Conditions[1].HttpHeaderConfig.HttpHeaderName != "X-Canary" || got.Conditions[1].HttpHeaderConfig.Values[1] != "yes" ||
		*got.Conditions[2].QueryStringConfig.Values[0].Value != "2" {
		t.Errorf("conditions came back as %+v", got.Conditions)
	}
	if rules := e.Listeners()[0].Rules; len(rules) != 1 || rules[0].FixedStatus != 404 {
		t.Errorf("a rule with a condition that the edge can't evaluate is handed to it: %+v", rules)
	}
}

func TestOIDCSecretIsKeptAndNeverAnswered(t *testing.T) {
	w := newWorld(t, aws.Options{})
	blue := w.group(t, "blue")
	listener := w.listener(t, w.balancer(t, "shop"), 443, fixed("404"))
	e := entrance{world: w, blue: blue}
	e.ruleARN = w.newRule(t, listener, 1, ordered(1, oidc(sdk.String("hush"), false)), ordered(2, forward(share{blue, 1})))
	answered := w.rule(t, e.ruleARN).Actions
	config := answered[0].AuthenticateOidcConfig
	if config.ClientSecret != nil || *config.Scope != "openid email" || config.AuthenticationRequestExtraParams["prompt"] != "login" {
		t.Fatalf("the configuration came back as %+v", config)
	}
	if c := code(t, e.modify(t, answered...)); c != "ValidationError" {
		t.Errorf("written back without a secret: %q, want ValidationError", c)
	}
	config.UseExistingClientSecret = sdk.Bool(true)
	if err := e.modify(t, answered...); err != nil {
		t.Errorf("written back with UseExistingClientSecret: %v", err)
	}
	if c := code(t, e.modify(t, ordered(1, oidc(sdk.String("new"), true)), answered[1])); c != "ValidationError" {
		t.Errorf("a new secret beside UseExistingClientSecret: %q, want ValidationError", c)
	}
	_, err := w.elb.ModifyListener(t.Context(), &elbv2.ModifyListenerInput{
		ListenerArn: &listener, DefaultActions: []elbtypes.Action{ordered(1, oidc(nil, true)), ordered(2, forward(share{blue, 1}))},
	})
	if c := code(t, err); c != "ValidationError" {
		t.Errorf("UseExistingClientSecret where there is none: %q, want ValidationError", c)
	}
}

func TestDefaultRule(t *testing.T) {
	e := newEntrance(t, newWorld(t, aws.Options{}))
	out := must[*elbv2.DescribeRulesOutput](t)(e.elb.DescribeRules(t.Context(), &elbv2.DescribeRulesInput{ListenerArn: &e.listenerARN}))
	last := out.Rules[len(out.Rules)-1]
	if len(out.Rules) != 2 || !*last.IsDefault || *last.Priority != "default" {
		t.Fatalf("rules %+v, want the default rule last", out.Rules)
	}
	_, err := e.elb.ModifyRule(t.Context(), &elbv2.ModifyRuleInput{RuleArn: last.RuleArn, Actions: []elbtypes.Action{fixed("503")}})
	if c := code(t, err); c != "OperationNotPermitted" {
		t.Errorf("ModifyRule of the default rule: %q", c)
	}
	_, err = e.elb.DeleteRule(t.Context(), &elbv2.DeleteRuleInput{RuleArn: last.RuleArn})
	if c := code(t, err); c != "OperationNotPermitted" {
		t.Errorf("DeleteRule of the default rule: %q", c)
	}
	must[*elbv2.ModifyListenerOutput](t)(e.elb.ModifyListener(t.Context(), &elbv2.ModifyListenerInput{
		ListenerArn: &e.listenerARN, DefaultActions: []elbtypes.Action{forward(share{e.blue, 3}, share{e.green, 4})},
	}))
	if got := e.rule(t, *last.RuleArn).Actions[0].ForwardConfig.TargetGroups; len(got) != 2 || *got[1].Weight != 4 {
		t.Errorf("the default rule isn't in step with its listener: %+v", got)
	}
}

func TestRulesArePaged(t *testing.T) {
	e := newEntrance(t, newWorld(t, aws.Options{}))
	for _, priority := range []int32{30, 20, 5} {
		e.newRule(t, e.listenerARN, priority, fixed("200"))
	}
	var got []string
	pages := elbv2.NewDescribeRulesPaginator(e.elb, &elbv2.DescribeRulesInput{ListenerArn: &e.listenerARN, PageSize: sdk.Int32(2)})
	for pages.HasMorePages() {
		out := must[*elbv2.DescribeRulesOutput](t)(pages.NextPage(t.Context()))
		if len(out.Rules) > 2 {
			t.Fatalf("a page of %d rules, want at most 2", len(out.Rules))
		}
		for _, r := range out.Rules {
			got = append(got, *r.Priority)
		}
	}
	if diff := cmp.Diff([]string{"5", "10", "20", "30", "default"}, got); diff != "" {
		t.Errorf("priorities (-want +got):\n%s", diff)
	}
}

func TestTags(t *testing.T) {
	e := newEntrance(t, newWorld(t, aws.Options{}))
	must[*elbv2.AddTagsOutput](t)(e.elb.AddTags(t.Context(), &elbv2.AddTagsInput{
		ResourceArns: []string{e.ruleARN, e.listenerARN},
		Tags:         []elbtypes.Tag{{Key: sdk.String("mark"), Value: sdk.String("1")}, {Key: sdk.String("team"), Value: sdk.String("shop")}},
	}))
	must[*elbv2.AddTagsOutput](t)(e.elb.AddTags(t.Context(), &elbv2.AddTagsInput{
		ResourceArns: []string{e.ruleARN}, Tags: []elbtypes.Tag{{Key: sdk.String("mark"), Value: sdk.String("2")}},
	}))
	must[*elbv2.RemoveTagsOutput](t)(e.elb.RemoveTags(t.Context(), &elbv2.RemoveTagsInput{
		ResourceArns: []string{e.ruleARN}, TagKeys: []string{"team", "nowhere"},
	}))
	out := must[*elbv2.DescribeTagsOutput](t)(e.elb.DescribeTags(t.Context(), &elbv2.DescribeTagsInput{
		ResourceArns: []string{e.ruleARN, e.listenerARN, e.blue},
	}))
	var got []string
	for _, d := range out.TagDescriptions {
		line := ""
		for _, tag := range d.Tags {
			line += *tag.Key + "=" + *tag.Value + " "
		}
		got = append(got, line)
	}
	if diff := cmp.Diff([]string{"mark=2 ", "mark=1 team=shop ", ""}, got); diff != "" {
		t.Errorf("tags of rule, listener and group (-want +got):\n%s", diff)
	}
}
