package planted

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// atAWS is a row whose difference is at AWS. mend takes it back.
func atAWS(what, want string, plant, mend func(context.Context, *stage) error, also ...string) row {
	return row{name: what, check: "traffic", want: want, also: also, plant: func(ctx context.Context, s *stage) error {
		if err := plant(ctx, s); err != nil {
			return err
		}
		s.undo = append(s.undo, func(ctx context.Context) error { return mend(ctx, s) })
		return nil
	}}
}

// records is a row that changes records, and puts the usual ones back.
func records(what, want string, change func(context.Context, *stage) error, also ...string) row {
	return alone(atAWS(what, want, change, func(ctx context.Context, s *stage) error {
		return s.cloud.change(ctx, r53types.ChangeActionUpsert, s.cloud.webRecord("blue", 100), s.cloud.webRecord("green", 0))
	}, also...))
}

func trafficRows() []row {
	return append(recordRows(), balancerRows()...)
}

func recordRows() []row {
	upsert := func(sets func(s *stage) []*r53types.ResourceRecordSet) func(context.Context, *stage) error {
		return func(ctx context.Context, s *stage) error {
			return s.cloud.change(ctx, r53types.ChangeActionUpsert, sets(s)...)
		}
	}
	extra := func(action r53types.ChangeAction, set func(*stage) *r53types.ResourceRecordSet) func(context.Context, *stage) error {
		return func(ctx context.Context, s *stage) error { return s.cloud.change(ctx, action, set(s)) }
	}
	third := func(s *stage) *r53types.ResourceRecordSet {
		record := s.cloud.webRecord("blue", 7)
		record.SetIdentifier = new("old")
		return record
	}
	heritage := func(*stage) *r53types.ResourceRecordSet {
		return &r53types.ResourceRecordSet{
			Name: new("a-" + webName), Type: r53types.RRTypeTxt, TTL: new(int64(300)), SetIdentifier: new("blue"), Weight: new(int64(100)),
			ResourceRecords: []r53types.ResourceRecord{{Value: new(`"heritage=external-dns,external-dns/owner=shop-blue,external-dns/resource=ingress/shop/web"`)}},
		}
	}
	return []row{
		records("green's record has weight", "GreenHasTraffic/Entrance/web", upsert(func(s *stage) []*r53types.ResourceRecordSet {
			return []*r53types.ResourceRecordSet{s.cloud.webRecord("green", 100)}
		})),
		records("both records lead to blue", "SidesNotApart/Entrance/web/www.shop.example/A", upsert(func(s *stage) []*r53types.ResourceRecordSet {
			record := s.cloud.webRecord("green", 0)
			record.AliasTarget = s.cloud.webRecord("blue", 0).AliasTarget
			return []*r53types.ResourceRecordSet{record}
		})),
		records("green's record leads to the API's load balancer", "EntrancesInSeries/Entrance/web/api", upsert(func(s *stage) []*r53types.ResourceRecordSet {
			record, lb := s.cloud.webRecord("green", 0), s.cloud.balancers["api"]
			record.AliasTarget.DNSName, record.AliasTarget.HostedZoneId = &lb.dnsName, &lb.zoneID
			return []*r53types.ResourceRecordSet{record}
		}), "TargetlessGroup/Entrance/web/*"),
		alone(atAWS("a third record gets users", "OtherMembers/Entrance/web", extra(r53types.ChangeActionCreate, third), extra(r53types.ChangeActionDelete, third))),
		alone(atAWS("external-dns owns the records", "EntranceOwned/Entrance/web", extra(r53types.ChangeActionCreate, heritage), extra(r53types.ChangeActionDelete, heritage))),
		alone(row{
			name: "a declared name without records", check: "traffic", want: "EntranceUnusable/Entrance/web", also: []string{"EntrancesNotMatched/Cluster/blue", "EntranceNotDeclared/*"},
			plant: func(_ context.Context, s *stage) error {
				s.settings.RecordNames = append(s.settings.RecordNames, "shop."+zone)
				return nil
			},
		}),
	}
}

func balancerRows() []row {
	modify := func(action func(s *stage) elbtypes.Action) func(context.Context, *stage) error {
		return func(ctx context.Context, s *stage) error {
			_, err := s.cloud.elb.ModifyRule(ctx, &elasticloadbalancingv2.ModifyRuleInput{RuleArn: &s.cloud.ruleARN, Actions: []elbtypes.Action{action(s)}})
			return err
		}
	}
	usual := modify(func(s *stage) elbtypes.Action {
		return forward(s.cloud.groups["api-blue"], 100, s.cloud.groups["api-green"], 0)
	})
	attribute := func(value string) func(context.Context, *stage) error {
		return func(ctx context.Context, s *stage) error {
			_, err := s.cloud.elb.ModifyTargetGroupAttributes(ctx, &elasticloadbalancingv2.ModifyTargetGroupAttributesInput{
				TargetGroupArn: new(s.cloud.groups["api-green"]), Attributes: []elbtypes.TargetGroupAttribute{{Key: new("slow_start.duration_seconds"), Value: &value}},
			})
			return err
		}
	}
	health := func(state routing.State) func(context.Context, *stage) error {
		return func(_ context.Context, s *stage) error {
			s.cloud.health("api-green", state)
			return nil
		}
	}
	return []row{
		alone(atAWS("the rule gives green a share", "GreenHasTraffic/Entrance/api", modify(func(s *stage) elbtypes.Action {
			return forward(s.cloud.groups["api-blue"], 90, s.cloud.groups["api-green"], 10)
		}), usual)),
		alone(atAWS("the rule sends users to a third group", "OtherMembers/Entrance/api", func(ctx context.Context, s *stage) error {
			if s.cloud.groups["api-old"] == "" { // it stays, without a load balancer
				if err := s.cloud.createGroup(ctx, "api-old"); err != nil {
					return err
				}
			}
			return modify(func(s *stage) elbtypes.Action {
				return forward(s.cloud.groups["api-blue"], 90, s.cloud.groups["api-green"], 0, s.cloud.groups["api-old"], 10)
			})(ctx, s)
		}, usual, "EntranceUnusable/Entrance/api")),
		alone(atAWS("the rule keeps clients by a cookie", "Sticky/Entrance/api", modify(func(s *stage) elbtypes.Action {
			action := forward(s.cloud.groups["api-blue"], 100, s.cloud.groups["api-green"], 0)
			action.ForwardConfig.TargetGroupStickinessConfig = &elbtypes.TargetGroupStickinessConfig{Enabled: new(true), DurationSeconds: new(int32(3600))}
			return action
		}), usual)),
		alone(atAWS("green's targets are not healthy", "GreenTargetsUnhealthy/Entrance/api", health(routing.Unhealthy), health(routing.Healthy))),
		atAWS("green's target group starts slowly", "TargetGroupsDiffer/Entrance/api/slow_start.duration_seconds", attribute("120"), attribute("0")),
		ownedGroupRow(), secondRuleRow(), targetlessRow(), unprobedRow(), deniedRow(),
	}
}

// ownedGroupRow marks green's target group as the controller's.
func ownedGroupRow() row {
	tag := elbtypes.Tag{Key: new("elbv2.k8s.aws/cluster"), Value: new("shop-green")}
	return atAWS("a controller owns green's target group", "TargetGroupOfController/Entrance/api/green", func(ctx context.Context, s *stage) error {
		_, err := s.cloud.elb.AddTags(ctx, &elasticloadbalancingv2.AddTagsInput{ResourceArns: []string{s.cloud.groups["api-green"]}, Tags: []elbtypes.Tag{tag}})
		return err
	}, func(ctx context.Context, s *stage) error {
		_, err := s.cloud.elb.RemoveTags(ctx, &elasticloadbalancingv2.RemoveTagsInput{ResourceArns: []string{s.cloud.groups["api-green"]}, TagKeys: []string{*tag.Key}})
		return err
	})
}

// rule adds a rule to a listener and takes it away again.
func (s *stage) rule(ctx context.Context, listener, path string, action elbtypes.Action) (arn string, err error) {
	made, err := s.cloud.elb.CreateRule(ctx, &elasticloadbalancingv2.CreateRuleInput{
		ListenerArn: &listener, Priority: new(int32(20)), Actions: []elbtypes.Action{action},
		Conditions: []elbtypes.RuleCondition{{Field: new("path-pattern"), Values: []string{path}}},
	})
	if err != nil {
		return "", fmt.Errorf("creating a rule: %w", err)
	}
	arn = *made.Rules[0].RuleArn
	s.undo = append(s.undo, func(ctx context.Context) error {
		_, err := s.cloud.elb.DeleteRule(ctx, &elasticloadbalancingv2.DeleteRuleInput{RuleArn: &arn})
		return err
	})
	return arn, nil
}

// secondRuleRow sends some users to blue by a rule that nobody declared.
func secondRuleRow() row {
	return row{
		name: "another rule that leads to blue", check: "traffic", want: "BlueServedOtherwise/Entrance/api/$RULE",
		plant: func(ctx context.Context, s *stage) (err error) {
			s.names["RULE"], err = s.rule(ctx, s.cloud.listeners["api"], "/partners/*", forward(s.cloud.groups["api-blue"], 1))
			return err
		},
	}
}

// targetlessRow puts a group without targets behind green's web.
func targetlessRow() row {
	return row{
		name: "a group without targets behind green's record", check: "traffic", want: "TargetlessGroup/Entrance/web/green/empty",
		plant: func(ctx context.Context, s *stage) error {
			group, err := s.cloud.elb.CreateTargetGroup(ctx, &elasticloadbalancingv2.CreateTargetGroupInput{
				Name: new("empty"), Protocol: elbtypes.ProtocolEnumHttp, Port: new(int32(8080)), TargetType: elbtypes.TargetTypeEnumIp, VpcId: new("vpc-0123456789abcdef0"),
			})
			if err != nil {
				return fmt.Errorf("creating a target group: %w", err)
			}
			arn := *group.TargetGroups[0].TargetGroupArn
			s.undo = append(s.undo, func(ctx context.Context) error {
				_, err := s.cloud.elb.DeleteTargetGroup(ctx, &elasticloadbalancingv2.DeleteTargetGroupInput{TargetGroupArn: &arn})
				return err
			})
			_, err = s.rule(ctx, s.cloud.listeners["web-green"], "/empty/*", forward(arn, 1))
			return err
		},
	}
}

// unprobedRow lets the probe of the API ask somewhere else.
func unprobedRow() row {
	return alone(row{
		name: "no probe enters by green's target group", check: "traffic", want: "NoProbeThroughGreenTargets/Entrance/api",
		plant: func(_ context.Context, s *stage) error {
			s.settings.TestURL = "http://status.example.net/"
			return nil
		},
	})
}

// deniedRow takes a right at AWS away.
func deniedRow() row {
	return alone(row{
		name: "AWS refuses to tell the targets' health", check: "traffic", want: "GreenTargetsUnhealthy/Entrance/api", also: []string{"TrafficNotChecked/Traffic/*"},
		plant: func(_ context.Context, s *stage) error {
			mend, err := s.cloud.Inject(aws.Fault{Kind: aws.AccessDenied, Service: aws.ELB, Operation: "DescribeTargetHealth"})
			if err != nil {
				return err
			}
			s.undo = append(s.undo, func(context.Context) error { mend(); return nil })
			return nil
		},
	})
}
