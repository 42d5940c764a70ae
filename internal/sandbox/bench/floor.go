package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

// floor makes the calls of a rollback bare, on entrances of its own, with
// nothing around them: the reads side by side, then the writes side by side.
type floor struct {
	region    *world.Region
	entrances world.Entrances
	bell      *bell
}

// measure makes the calls once as the daemon makes them, with the mark's tag
// and the health of both target groups, once without, and once from a request
// that comes through the management cluster.
func (f *floor) measure(ctx context.Context, s *samples) error {
	same, write, err := f.once(ctx, f.health("api-blue"), f.health("api-green"), f.tags)
	if err != nil {
		return err
	}
	least, _, err := f.once(ctx)
	if err != nil {
		return err
	}
	told, whole, err := f.bare(ctx)
	s.same, s.write, s.least = append(s.same, same), append(s.write, write), append(s.least, least)
	s.told, s.whole = append(s.told, told), append(s.whole, whole)
	return err
}

func (f *floor) once(ctx context.Context, more ...func(context.Context) error) (all, write time.Duration, err error) {
	began := time.Now()
	var records []r53types.ResourceRecordSet
	var actions []elbtypes.Action
	reads := []func() error{func() error {
		out, err := f.region.Route53.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{
			HostedZoneId: &f.region.HostedZoneID, StartRecordName: &f.entrances.Record, StartRecordType: r53types.RRTypeA, MaxItems: new(int32(2)),
		})
		if err == nil {
			records = out.ResourceRecordSets
		}
		return err
	}, func() error {
		out, err := f.region.ELB.DescribeRules(ctx, &elasticloadbalancingv2.DescribeRulesInput{RuleArns: []string{f.entrances.RuleARN}})
		if err == nil {
			actions = out.Rules[0].Actions
		}
		return err
	}}
	for _, read := range more {
		reads = append(reads, func() error { return read(ctx) })
	}
	if err := together(reads...); err != nil {
		return 0, 0, fmt.Errorf("reading by raw calls: %w", err)
	}
	read := time.Now()
	err = together(func() error { return f.swap(ctx, records) }, func() error {
		_, err := f.region.ELB.ModifyRule(ctx, &elasticloadbalancingv2.ModifyRuleInput{RuleArn: &f.entrances.RuleARN, Actions: actions})
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("writing by raw calls: %w", err)
	}
	done := time.Now()
	return done.Sub(began), done.Sub(read), nil
}

func (f *floor) health(group string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := f.region.ELB.DescribeTargetHealth(ctx, &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: new(f.region.Groups[group])})
		return err
	}
}

func (f *floor) tags(ctx context.Context) error {
	_, err := f.region.ELB.DescribeTags(ctx, &elasticloadbalancingv2.DescribeTagsInput{ResourceArns: []string{f.entrances.RuleARN}})
	return err
}

// swap deletes both records as read and creates them again.
func (f *floor) swap(ctx context.Context, records []r53types.ResourceRecordSet) error {
	var changes []r53types.Change
	for i := range records {
		changes = append(changes, r53types.Change{Action: r53types.ChangeActionDelete, ResourceRecordSet: &records[i]})
	}
	for i := range records {
		changes = append(changes, r53types.Change{Action: r53types.ChangeActionCreate, ResourceRecordSet: &records[i]})
	}
	_, err := f.region.Route53.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{
		HostedZoneId: &f.region.HostedZoneID, ChangeBatch: &r53types.ChangeBatch{Changes: changes},
	})
	return err
}
