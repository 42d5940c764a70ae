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

// floor makes the calls that a rollback can't do without, bare, on entrances
// of its own: read both, then write both.
type floor struct {
	region    *world.Region
	entrances world.Entrances
}

func (f *floor) measure(ctx context.Context, s *samples) error {
	began := time.Now()
	var records []r53types.ResourceRecordSet
	var actions []elbtypes.Action
	err := together(func() error {
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
	})
	if err != nil {
		return fmt.Errorf("reading by raw calls: %w", err)
	}
	read := time.Now()
	err = together(func() error { return f.swap(ctx, records) }, func() error {
		_, err := f.region.ELB.ModifyRule(ctx, &elasticloadbalancingv2.ModifyRuleInput{RuleArn: &f.entrances.RuleARN, Actions: actions})
		return err
	})
	if err != nil {
		return fmt.Errorf("writing by raw calls: %w", err)
	}
	done := time.Now()
	s.readWrite = append(s.readWrite, done.Sub(began))
	s.write = append(s.write, done.Sub(read))
	return nil
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
