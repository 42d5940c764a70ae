package route53

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
)

// maxWeight is Route 53's highest weight. ResourceRecordSet, API reference.
const maxWeight = 255

// planSwap plans the changes that give members of a group other weights. The
// records named by weights are deleted exactly as they were read and created
// with nothing but the weight changed; what weights doesn't name isn't touched.
// With newMark, the old mark (nil: there is none) is replaced in the same way;
// without, the mark stays as it is.
//
// It refuses a plan after which all weights of the group are zero: Route 53
// would then answer all members evenly.
func planSwap(members []types.ResourceRecordSet, weights map[string]int64, oldMark, newMark *types.ResourceRecordSet) ([]types.Change, error) {
	var deletes, creates []types.Change
	total, swapped := int64(0), 0
	for _, m := range members {
		w, named := weights[aws.ToString(m.SetIdentifier)]
		if !named {
			total += aws.ToInt64(m.Weight)
			continue
		}
		if m.SetIdentifier == nil || m.Weight == nil {
			return nil, fmt.Errorf("%s %q is not a weighted record", aws.ToString(m.Name), aws.ToString(m.SetIdentifier))
		}
		if w < 0 || w > maxWeight {
			return nil, fmt.Errorf("weight %d of %q is outside 0 to %d", w, *m.SetIdentifier, maxWeight)
		}
		wanted := m
		wanted.Weight = aws.Int64(w)
		deletes, creates = append(deletes, remove(m)), append(creates, create(wanted))
		total += w
		swapped++
	}
	switch {
	case swapped != len(weights):
		return nil, fmt.Errorf("%d of the records %q are there", swapped, slices.Sorted(maps.Keys(weights)))
	case total == 0:
		return nil, errors.New("all weights would be zero, and traffic split evenly")
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
