package bench

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"golang.org/x/sync/errgroup"
)

// AWS's limits of one batch. Route 53 developer guide, quotas on
// ChangeResourceRecordSets.
const (
	maxElements   = 1000
	maxValueChars = 32_000
)

// batchFloor is the least that swapping all names with their marks takes.
type batchFloor struct {
	elements, chars, batches int
	took                     time.Duration // of as many raw batches
}

// rawBatches counts, apart from what the daemon counts, what a swap of every name with its mark needs, and sends
// just that by raw calls: each record set is deleted as it is and created again.
func (c *crowd) rawBatches(ctx context.Context) (batchFloor, error) {
	groups, err := c.recordSets(ctx)
	if err != nil {
		return batchFloor{}, err
	}
	var f batchFloor
	var batches [][]r53types.Change
	var batch []r53types.Change
	elements, chars := 0, 0
	for _, group := range groups {
		e, n := 0, 0
		for _, set := range group {
			e += 2 * len(set.ResourceRecords) // a DELETE and a CREATE
			for _, r := range set.ResourceRecords {
				n += 2 * len(*r.Value)
			}
		}
		if elements+e > maxElements || chars+n > maxValueChars {
			batches, batch, elements, chars = append(batches, batch), nil, 0, 0
		}
		for _, action := range []r53types.ChangeAction{r53types.ChangeActionDelete, r53types.ChangeActionCreate} {
			for _, set := range group {
				batch = append(batch, r53types.Change{Action: action, ResourceRecordSet: &set})
			}
		}
		elements, chars = elements+e, chars+n
		f.elements, f.chars = f.elements+e, f.chars+n
	}
	batches = append(batches, batch)
	f.batches = max((f.elements+maxElements-1)/maxElements, (f.chars+maxValueChars-1)/maxValueChars)
	began := time.Now()
	for _, changes := range batches {
		if _, err := c.cloud.route53.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{
			HostedZoneId: &c.cloud.zoneID, ChangeBatch: &r53types.ChangeBatch{Changes: changes},
		}); err != nil {
			return f, fmt.Errorf("sending %d raw changes: %w", len(changes), err)
		}
	}
	f.took = time.Since(began)
	return f, nil
}

// recordSets lists the zone's sets by name, the mark of a name with it.
func (c *crowd) recordSets(ctx context.Context) ([][]r53types.ResourceRecordSet, error) {
	byName := map[string][]r53types.ResourceRecordSet{}
	pages := route53.NewListResourceRecordSetsPaginator(c.cloud.route53, &route53.ListResourceRecordSetsInput{HostedZoneId: &c.cloud.zoneID})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing zone %s: %w", zoneName, err)
		}
		for _, set := range page.ResourceRecordSets {
			name := strings.TrimSuffix(strings.TrimPrefix(*set.Name, "_clusterswitch."), ".")
			byName[name] = append(byName[name], set)
		}
	}
	groups := make([][]r53types.ResourceRecordSet, len(c.names))
	for i, name := range c.names {
		groups[i] = byName[name]
	}
	return groups, nil
}

// rawRules writes every rule's actions once, as they stand.
func (c *crowd) rawRules(ctx context.Context) (time.Duration, error) {
	const atOnce = 8
	began := time.Now()
	calls, ctx := errgroup.WithContext(ctx)
	calls.SetLimit(atOnce)
	for _, r := range c.rules {
		calls.Go(func() error {
			_, err := c.cloud.elb.ModifyRule(ctx, &elasticloadbalancingv2.ModifyRuleInput{
				RuleArn: &r.arn, Actions: []elbtypes.Action{forward(r.blue, 0, r.green, 100)},
			})
			return err
		})
	}
	if err := calls.Wait(); err != nil {
		return 0, fmt.Errorf("writing rules by raw calls: %w", err)
	}
	return time.Since(began), nil
}
