package aws_test

import (
	"fmt"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

func redirect(change func(*elbtypes.RedirectActionConfig)) elbtypes.Action {
	config := &elbtypes.RedirectActionConfig{StatusCode: elbtypes.RedirectActionStatusCodeEnumHttp301, Host: sdk.String("new.example.com")}
	change(config)
	return elbtypes.Action{Type: elbtypes.ActionTypeEnumRedirect, RedirectConfig: config}
}

func cognito(pool string) elbtypes.Action {
	return elbtypes.Action{Type: elbtypes.ActionTypeEnumAuthenticateCognito, AuthenticateCognitoConfig: &elbtypes.AuthenticateCognitoActionConfig{
		UserPoolArn: &pool, UserPoolClientId: sdk.String("client"), UserPoolDomain: sdk.String("shop"),
		OnUnauthenticatedRequest: "allow", AuthenticationRequestExtraParams: map[string]string{"lang": "en"},
	}}
}

const userPool = "arn:aws:cognito-idp:ap-northeast-1:123456789012:userpool/ap-northeast-1_1"

// secure is an entrance behind HTTPS.
func secure(t testing.TB) entrance {
	t.Helper()
	w := newWorld(t, aws.Options{})
	e := entrance{world: w, balancerARN: w.balancer(t, "shop"), blue: w.group(t, "blue"), green: w.group(t, "green")}
	e.listenerARN = w.listener(t, e.balancerARN, 443, fixed("404"))
	e.ruleARN = w.newRule(t, e.listenerARN, 1, forward(share{e.blue, 1}))
	return e
}

func TestActionsComeBackWithTheirDefaults(t *testing.T) {
	e := secure(t)
	for name, c := range map[string]struct{ written, answered elbtypes.Action }{
		"a redirect": {
			written: redirect(func(*elbtypes.RedirectActionConfig) {}),
			answered: elbtypes.Action{Type: "redirect", RedirectConfig: &elbtypes.RedirectActionConfig{
				StatusCode: "HTTP_301", Host: sdk.String("new.example.com"), Protocol: sdk.String("#{protocol}"),
				Port: sdk.String("#{port}"), Path: sdk.String("/#{path}"), Query: sdk.String("#{query}"),
			}},
		},
		"a fixed answer": {
			written:  elbtypes.Action{Type: "fixed-response", FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: sdk.String("503"), ContentType: sdk.String("text/plain"), MessageBody: sdk.String("later")}},
			answered: elbtypes.Action{Type: "fixed-response", FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: sdk.String("503"), ContentType: sdk.String("text/plain"), MessageBody: sdk.String("later")}},
		},
		"a group by its ARN alone": {
			written: elbtypes.Action{Type: "forward", TargetGroupArn: &e.blue},
			answered: elbtypes.Action{Type: "forward", TargetGroupArn: &e.blue, ForwardConfig: &elbtypes.ForwardActionConfig{
				TargetGroups:                []elbtypes.TargetGroupTuple{{TargetGroupArn: &e.blue, Weight: sdk.Int32(1)}},
				TargetGroupStickinessConfig: &elbtypes.TargetGroupStickinessConfig{Enabled: sdk.Bool(false)},
			}},
		},
	} {
		if err := e.modify(t, c.written); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff([]elbtypes.Action{c.answered}, e.rule(t, e.ruleARN).Actions, cmpopts.IgnoreUnexported(elbtypes.Action{}, elbtypes.RedirectActionConfig{}, elbtypes.FixedResponseActionConfig{}, elbtypes.ForwardActionConfig{}, elbtypes.TargetGroupTuple{}, elbtypes.TargetGroupStickinessConfig{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestCognitoIsKeptInFrontOfTheForward(t *testing.T) {
	e := secure(t)
	// The list is given in another order than that in which it is performed.
	if err := e.modify(t, ordered(2, forward(share{e.blue, 1}, share{e.green, 1})), ordered(1, cognito(userPool))); err != nil {
		t.Fatal(err)
	}
	actions := e.rule(t, e.ruleARN).Actions
	config := actions[0].AuthenticateCognitoConfig
	if len(actions) != 2 || config == nil || *config.UserPoolDomain != "shop" || config.OnUnauthenticatedRequest != "allow" ||
		*config.SessionCookieName != "AWSELBAuthSessionCookie" || *config.Scope != "openid" || *config.SessionTimeout != 604800 ||
		config.AuthenticationRequestExtraParams["lang"] != "en" {
		t.Fatalf("the actions came back as %+v", actions)
	}
	if err := e.modify(t, actions...); err != nil {
		t.Errorf("what was answered can't be written back: %v", err)
	}
}

func TestActionsAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		actions func(e entrance) []elbtypes.Action
		code    string
	}{
		"a redirect that changes nothing": {code: "InvalidLoadBalancerAction", actions: func(entrance) []elbtypes.Action {
			return []elbtypes.Action{redirect(func(c *elbtypes.RedirectActionConfig) { c.Host = nil })}
		}},
		"a redirect from HTTPS to HTTP": {code: "InvalidLoadBalancerAction", actions: func(entrance) []elbtypes.Action {
			return []elbtypes.Action{redirect(func(c *elbtypes.RedirectActionConfig) { c.Protocol = sdk.String("HTTP") })}
		}},
		"a redirect with the status 307": {code: "ValidationError", actions: func(entrance) []elbtypes.Action {
			return []elbtypes.Action{redirect(func(c *elbtypes.RedirectActionConfig) { c.StatusCode = "HTTP_307" })}
		}},
		"a redirect to port 65536": {code: "ValidationError", actions: func(entrance) []elbtypes.Action {
			return []elbtypes.Action{redirect(func(c *elbtypes.RedirectActionConfig) { c.Port = sdk.String("65536") })}
		}},
		"a redirect to a relative path": {code: "ValidationError", actions: func(entrance) []elbtypes.Action {
			return []elbtypes.Action{redirect(func(c *elbtypes.RedirectActionConfig) { c.Path = sdk.String("cart") })}
		}},
		"a redirect before a forward": {code: "InvalidLoadBalancerAction", actions: func(e entrance) []elbtypes.Action {
			return []elbtypes.Action{ordered(1, redirect(func(*elbtypes.RedirectActionConfig) {})), ordered(2, forward(share{e.blue, 1}))}
		}},
		"two ways to authenticate": {code: "TooManyActions", actions: func(e entrance) []elbtypes.Action {
			return []elbtypes.Action{ordered(1, cognito(userPool)), ordered(2, oidc(sdk.String("s"), false)), ordered(3, forward(share{e.blue, 1}))}
		}},
		"authentication alone": {code: "InvalidLoadBalancerAction", actions: func(entrance) []elbtypes.Action { return []elbtypes.Action{cognito(userPool)} }},
		"authentication after the forward": {code: "InvalidLoadBalancerAction", actions: func(e entrance) []elbtypes.Action {
			return []elbtypes.Action{ordered(2, cognito(userPool)), ordered(1, forward(share{e.blue, 1}))}
		}},
		"the same order twice": {code: "ValidationError", actions: func(e entrance) []elbtypes.Action {
			return []elbtypes.Action{ordered(1, cognito(userPool)), ordered(1, forward(share{e.blue, 1}))}
		}},
		"order 50001": {code: "ValidationError", actions: func(e entrance) []elbtypes.Action {
			return []elbtypes.Action{ordered(50001, forward(share{e.blue, 1}))}
		}},
		"a user pool that is none": {code: "InvalidLoadBalancerAction", actions: func(e entrance) []elbtypes.Action {
			return []elbtypes.Action{ordered(1, cognito("arn:aws:iam::123456789012:role/x")), ordered(2, forward(share{e.blue, 1}))}
		}},
		"a session of eight days": {code: "ValidationError", actions: func(e entrance) []elbtypes.Action {
			a := cognito(userPool)
			a.AuthenticateCognitoConfig.SessionTimeout = sdk.Int64(8 * 86400)
			return []elbtypes.Action{ordered(1, a), ordered(2, forward(share{e.blue, 1}))}
		}},
		"a fixed answer of an unknown type": {code: "ValidationError", actions: func(entrance) []elbtypes.Action {
			a := fixed("200")
			a.FixedResponseConfig.ContentType = sdk.String("image/png")
			return []elbtypes.Action{a}
		}},
		"a forward to nothing": {code: "ValidationError", actions: func(entrance) []elbtypes.Action { return []elbtypes.Action{{Type: "forward"}} }},
		"stickiness for no time": {code: "ValidationError", actions: func(e entrance) []elbtypes.Action {
			return []elbtypes.Action{sticky(forward(share{e.blue, 1}), sdk.Int32(0))}
		}},
		"an action that isn't there": {code: "InvalidLoadBalancerAction", actions: func(entrance) []elbtypes.Action {
			return []elbtypes.Action{{Type: "jwt-validation"}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			e := secure(t)
			before := e.Listeners()
			if err := e.modify(t, c.actions(e)...); code(t, err) != c.code {
				t.Errorf("code %q, want %q (%v)", code(t, err), c.code, err)
			}
			if diff := cmp.Diff(before, e.Listeners()); diff != "" {
				t.Errorf("a refused write left a trace:\n%s", diff)
			}
		})
	}
}

func TestTheEdgeIsToldOfRedirects(t *testing.T) {
	e := newEntrance(t, newWorld(t, aws.Options{}))
	if err := e.modify(t, redirect(func(c *elbtypes.RedirectActionConfig) { c.Query, c.StatusCode = sdk.String(""), "HTTP_302" })); err != nil {
		t.Fatal(err)
	}
	if got := e.Listeners()[0].Rules[0]; got.FixedStatus != 302 || got.Redirect != "#{protocol}://new.example.com:#{port}/#{path}" {
		t.Errorf("it is told %+v", got)
	}
}

// TestTargetStickinessDemandsTheRules: whichever comes first, the two never stand
// together; and the code is the one that aws-load-balancer-controller#2734 shows.
func TestTargetStickinessDemandsTheRules(t *testing.T) {
	e := newEntrance(t, newWorld(t, aws.Options{}))
	set := func(value string) error {
		_, err := e.elb.ModifyTargetGroupAttributes(t.Context(), &elbv2.ModifyTargetGroupAttributesInput{
			TargetGroupArn: &e.green, Attributes: []elbtypes.TargetGroupAttribute{{Key: sdk.String("stickiness.enabled"), Value: &value}},
		})
		return err
	}
	for _, step := range []struct {
		what string
		err  func() error
		code string
	}{
		{"target stickiness behind a rule without", func() error { return set("true") }, "InvalidConfigurationRequest"},
		{"the rule's stickiness", func() error { return e.modify(t, sticky(forward(share{e.blue, 1}, share{e.green, 1}), sdk.Int32(60))) }, ""},
		{"target stickiness behind a rule with it", func() error { return set("true") }, ""},
		{"the rule's stickiness off again", func() error { return e.modify(t, forward(share{e.blue, 100}, share{e.green, 0})) }, "InvalidConfigurationRequest"},
		{"the group alone, without the rule's", func() error { return e.modify(t, forward(share{e.green, 1})) }, ""},
		{"the rest without the group", func() error { return e.modify(t, forward(share{e.blue, 1})) }, ""},
		{"the group as a default beside another", func() error {
			_, err := e.elb.ModifyListener(t.Context(), &elbv2.ModifyListenerInput{ListenerArn: &e.listenerARN, DefaultActions: []elbtypes.Action{forward(share{e.blue, 1}, share{e.green, 1})}})
			return err
		}, "InvalidConfigurationRequest"},
		{"target stickiness off", func() error { return set("false") }, ""},
		{"both groups again", func() error { return e.modify(t, forward(share{e.blue, 1}, share{e.green, 1})) }, ""},
	} {
		if got := code(t, step.err()); got != step.code {
			t.Errorf("%s: %q, want %q", step.what, got, step.code)
		}
	}
}

func TestALoadBalancerUsesAHundredGroups(t *testing.T) {
	e := newEntrance(t, newWorld(t, aws.Options{}))
	for i := range 98 {
		e.newRule(t, e.listenerARN, int32(100+i), forward(share{e.group(t, fmt.Sprintf("g-%d", i)), 1}))
	}
	one := e.group(t, "one-more")
	if c := code(t, e.modify(t, forward(share{e.blue, 1}, share{e.green, 1}, share{one, 1}))); c != "TooManyUniqueTargetGroupsPerLoadBalancer" {
		t.Errorf("the 101st group: %q", c)
	}
	if err := e.modify(t, forward(share{e.blue, 1}, share{one, 1})); err != nil {
		t.Errorf("the 101st in the place of another: %v", err)
	}
}
