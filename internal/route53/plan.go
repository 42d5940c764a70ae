package route53

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// maxWeight is Route 53's highest weight. ResourceRecordSet, API reference.
const maxWeight = 255

// planned is a group with the weights that blue and green shall have.
type planned struct {
	group
	weights shift.Weights
}

// planSwap plans the changes that give groups of one name other weights. Blue
// and green are deleted exactly as they were read and created with nothing but
// the weight changed; no other member is touched. With newMark the old mark is
// replaced in the same way; without, the mark stays as it is.
//
// It refuses a plan after which all weights of a group are zero: Route 53 would
// then answer all members evenly.
func planSwap(e shift.Route53Entrance, groups []planned, oldMark, newMark *types.ResourceRecordSet) ([]types.Change, error) {
	var deletes, creates []types.Change
	for _, g := range groups {
		if err := g.declared(e); err != nil {
			return nil, err
		}
		w := g.weights
		if min(w.Blue, w.Green) < 0 || max(w.Blue, w.Green) > maxWeight || w.Blue+w.Green == 0 {
			return nil, fmt.Errorf("the weights %s of %s are not within 0 and %d with a sum above 0", w, g, maxWeight)
		}
		for _, side := range []struct {
			id     string
			weight int
		}{{e.BlueSetIdentifier, w.Blue}, {e.GreenSetIdentifier, w.Green}} {
			was, _ := g.member(side.id)
			wanted := was
			wanted.Weight = aws.Int64(int64(side.weight))
			deletes, creates = append(deletes, remove(was)), append(creates, create(wanted))
		}
	}
	if newMark != nil {
		if oldMark != nil {
			deletes = append(deletes, remove(*oldMark))
		}
		creates = append(creates, create(*newMark))
	}
	return append(deletes, creates...), nil
}

func remove(r types.ResourceRecordSet) types.Change {
	return types.Change{Action: types.ChangeActionDelete, ResourceRecordSet: &r}
}

func create(r types.ResourceRecordSet) types.Change {
	return types.Change{Action: types.ChangeActionCreate, ResourceRecordSet: &r}
}

func upsert(r types.ResourceRecordSet) types.Change {
	return types.Change{Action: types.ChangeActionUpsert, ResourceRecordSet: &r}
}
