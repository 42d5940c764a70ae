package awscontract

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	r53adapter "github.com/clusterswitch/clusterswitch/internal/route53"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func (b *backend) zone(ctx context.Context, t *testing.T) (string, error) {
	out, err := b.route53.CreateHostedZone(ctx, &route53.CreateHostedZoneInput{Name: new("example.com"), CallerReference: new(t.Name())})
	if err != nil {
		return "", err
	}
	return strings.TrimPrefix(*out.HostedZone.Id, "/hostedzone/"), nil
}

func member(typ types.RRType, side string, weight int64, value string) *types.ResourceRecordSet {
	return &types.ResourceRecordSet{
		Name: new("shop.example.com."), Type: typ, SetIdentifier: &side, Weight: &weight, TTL: new(int64(60)),
		ResourceRecords: []types.ResourceRecord{{Value: &value}},
	}
}

func (b *backend) change(ctx context.Context, zone string, changes ...types.Change) error {
	_, err := b.route53.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{
		HostedZoneId: &zone, ChangeBatch: &types.ChangeBatch{Changes: changes},
	})
	return err
}

func do(action types.ChangeAction, set *types.ResourceRecordSet) types.Change {
	return types.Change{Action: action, ResourceRecordSet: set}
}

// group makes a weighted group of A and AAAA records, blue 100 and green 0.
func (b *backend) group(ctx context.Context, zone string) error {
	return b.change(ctx, zone,
		do(types.ChangeActionUpsert, member(types.RRTypeA, "blue", 100, "192.0.2.1")), do(types.ChangeActionUpsert, member(types.RRTypeA, "green", 0, "192.0.2.2")),
		do(types.ChangeActionUpsert, member(types.RRTypeAaaa, "blue", 100, "2001:db8::1")), do(types.ChangeActionUpsert, member(types.RRTypeAaaa, "green", 0, "2001:db8::2")))
}

// weights lists "A blue" and so on with their weights.
func (b *backend) weights(ctx context.Context, zone string, page int32) (map[string]int64, error) {
	found := map[string]int64{}
	pages := route53.NewListResourceRecordSetsPaginator(b.route53, &route53.ListResourceRecordSetsInput{HostedZoneId: &zone, MaxItems: &page})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, s := range out.ResourceRecordSets {
			if s.SetIdentifier != nil {
				found[fmt.Sprintf("%s %s", s.Type, *s.SetIdentifier)] = *s.Weight
			}
		}
	}
	return found, nil
}

// inZone runs a contract in a zone that has a group.
func inZone(holds func(ctx context.Context, b *backend, zone string) error) func(*testing.T, *backend) error {
	return func(t *testing.T, b *backend) error {
		zone, err := b.zone(t.Context(), t)
		if err != nil {
			return err
		}
		if err := b.group(t.Context(), zone); err != nil {
			return err
		}
		return holds(t.Context(), b, zone)
	}
}

func (b *backend) stands(ctx context.Context, zone string, page int32, green int64) error {
	got, err := b.weights(ctx, zone, page)
	if err != nil {
		return err
	}
	if len(got) != 4 || got["A green"] != green || got["AAAA green"] != green || got["A blue"] != 100-green || got["AAAA blue"] != 100-green {
		return fmt.Errorf("the group stands at %v, want green at %d", got, green)
	}
	return nil
}

// swapTo swaps both types from one weight of green to another, as one batch.
func (b *backend) swapTo(ctx context.Context, zone string, from, to int64) error {
	var changes []types.Change
	for _, at := range []struct {
		action types.ChangeAction
		green  int64
	}{{types.ChangeActionDelete, from}, {types.ChangeActionCreate, to}} {
		changes = append(changes,
			do(at.action, member(types.RRTypeA, "blue", 100-at.green, "192.0.2.1")), do(at.action, member(types.RRTypeA, "green", at.green, "192.0.2.2")),
			do(at.action, member(types.RRTypeAaaa, "blue", 100-at.green, "2001:db8::1")), do(at.action, member(types.RRTypeAaaa, "green", at.green, "2001:db8::2")))
	}
	return b.change(ctx, zone, changes...)
}

func routeContracts() map[string]contract {
	return map[string]contract{
		"a weighted group is listed as it was made": {holds: inZone(func(ctx context.Context, b *backend, zone string) error { return b.stands(ctx, zone, 300, 0) })},
		"UPSERT changes the member of its identifier only": {holds: inZone(func(ctx context.Context, b *backend, zone string) error {
			if err := b.change(ctx, zone, do(types.ChangeActionUpsert, member(types.RRTypeA, "green", 7, "192.0.2.2"))); err != nil {
				return err
			}
			got, err := b.weights(ctx, zone, 300)
			if err == nil && (got["A green"] != 7 || got["A blue"] != 100 || got["AAAA green"] != 0) {
				err = fmt.Errorf("the group stands at %v", got)
			}
			return err
		})},
		"the adapter reads the group": {holds: inZone(func(ctx context.Context, b *backend, zone string) error {
			r := r53adapter.New(r53adapter.Options{API: b.route53}).Read(ctx, []shift.Entrance{{Name: "dns", Route53: &shift.Route53Entrance{
				HostedZoneID: zone, Names: []string{"shop.example.com"}, Types: []string{"A", "AAAA"}, BlueSetIdentifier: "blue", GreenSetIdentifier: "green", Mark: true,
			}}}, shift.Watching)[0]
			if r.Err != "" || !r.StandsAt(0) || r.TTL.Seconds() != 60 {
				return fmt.Errorf("it reads as %+v", r)
			}
			return nil
		})},
		"more than 1,000 changes are refused": {holds: inZone(func(ctx context.Context, b *backend, zone string) error {
			changes := make([]types.Change, 1001)
			for i := range changes {
				changes[i] = do(types.ChangeActionUpsert, &types.ResourceRecordSet{
					Name: new(fmt.Sprintf("n%d.example.com", i)), Type: types.RRTypeA, TTL: new(int64(60)), ResourceRecords: []types.ResourceRecord{{Value: new("192.0.2.1")}},
				})
			}
			return refused(b.change(ctx, zone, changes...), "InvalidChangeBatch")
		})},
		"an unknown zone is refused": {holds: inZone(func(ctx context.Context, b *backend, _ string) error {
			return refused(b.group(ctx, "ZUNKNOWN"), "NoSuchHostedZone")
		})},
		"a swap of exactly what was read applies, and back": {notMoto: "it can't swap back to what was created before", holds: inZone(func(ctx context.Context, b *backend, zone string) error {
			return errors.Join(b.swapTo(ctx, zone, 0, 25), b.stands(ctx, zone, 300, 25), b.swapTo(ctx, zone, 25, 0), b.stands(ctx, zone, 300, 0))
		})},
		"a stale swap is refused as a whole": {notMoto: "it accepts a DELETE with another weight", holds: inZone(func(ctx context.Context, b *backend, zone string) error {
			return errors.Join(refused(b.swapTo(ctx, zone, 10, 25), "InvalidChangeBatch"), b.stands(ctx, zone, 300, 0))
		})},
		"pages may end inside of a group": {notMoto: "it never sends NextRecordIdentifier", holds: inZone(func(ctx context.Context, b *backend, zone string) error { return b.stands(ctx, zone, 1, 0) })},
		"a weight of 256 is refused": {notMoto: "it accepts any weight", holds: inZone(func(ctx context.Context, b *backend, zone string) error {
			return refused(b.change(ctx, zone, do(types.ChangeActionUpsert, member(types.RRTypeA, "green", 256, "192.0.2.2"))), "InvalidInput")
		})},
		"one TTL for a group": {notMoto: "it accepts several", holds: inZone(func(ctx context.Context, b *backend, zone string) error {
			other := member(types.RRTypeA, "green", 0, "192.0.2.2")
			other.TTL = new(int64(30))
			return refused(b.change(ctx, zone, do(types.ChangeActionUpsert, other)), "InvalidChangeBatch")
		})},
	}
}
