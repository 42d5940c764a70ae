package elb

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// maxWeight is ELBv2's highest weight of a target group. API reference,
// TargetGroupTuple.
const maxWeight = 999

// planWeights gives the whole list of actions so that the named target groups
// get other weights and everything else stays. It changes nothing of what it is
// given, and refuses a list whose weights would all be zero.
func planWeights(actions []types.Action, weights map[string]int32) ([]types.Action, error) {
	planned := slices.Clone(actions)
	for i := range planned {
		if planned[i].Type != types.ActionTypeEnumForward || planned[i].ForwardConfig == nil {
			continue
		}
		config := *planned[i].ForwardConfig
		config.TargetGroups = slices.Clone(config.TargetGroups)
		planned[i].ForwardConfig = &config
		total, named := int32(0), 0
		for j := range config.TargetGroups {
			g := &config.TargetGroups[j]
			if w, ok := weights[aws.ToString(g.TargetGroupArn)]; ok {
				if w < 0 || w > maxWeight {
					return nil, fmt.Errorf("weight %d of %s is outside 0 to %d", w, aws.ToString(g.TargetGroupArn), maxWeight)
				}
				g.Weight = aws.Int32(w)
				named++
			}
			total += aws.ToInt32(g.Weight)
		}
		switch {
		case named != len(weights):
			return nil, fmt.Errorf("%d of %d target groups are in the forward action", named, len(weights))
		case total == 0:
			return nil, errors.New("all weights would be zero")
		}
		return planned, nil
	}
	return nil, errors.New("there is no forward action with weights")
}

// planStickiness gives the whole list of actions with the forward action's
// stickiness switched on or off. lasts is how long a cookie lives, whole seconds;
// zero: the duration stays as it is, which is what gets switched on again.
func planStickiness(actions []types.Action, on bool, lasts time.Duration) []types.Action {
	planned := slices.Clone(actions)
	for i := range planned {
		if planned[i].ForwardConfig == nil {
			continue
		}
		config := *planned[i].ForwardConfig
		var sticky types.TargetGroupStickinessConfig
		if config.TargetGroupStickinessConfig != nil {
			sticky = *config.TargetGroupStickinessConfig
		}
		sticky.Enabled = aws.Bool(on)
		if lasts > 0 {
			sticky.DurationSeconds = aws.Int32(int32(lasts / time.Second))
		}
		config.TargetGroupStickinessConfig = &sticky
		planned[i].ForwardConfig = &config
	}
	return planned
}

// writable gives actions as they may be written. AWS never answers the client
// secret of an OIDC action, so it is told to keep the one it has; and it takes
// the short name of a single target group beside no more than that one group.
func writable(actions []types.Action) []types.Action {
	planned := slices.Clone(actions)
	for i := range planned {
		if planned[i].ForwardConfig != nil && len(planned[i].ForwardConfig.TargetGroups) > 1 {
			planned[i].TargetGroupArn = nil
		}
		if planned[i].AuthenticateOidcConfig == nil {
			continue
		}
		oidc := *planned[i].AuthenticateOidcConfig
		oidc.ClientSecret = nil
		oidc.UseExistingClientSecret = aws.Bool(true)
		planned[i].AuthenticateOidcConfig = &oidc
	}
	return planned
}
