package elb

import (
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// maxWeight is ELBv2's highest weight of a target group. API reference,
// TargetGroupTuple.
const maxWeight = 999

// planWeights gives the whole list of actions to write so that the named target
// groups get other weights and everything else stays. It changes nothing of
// what it is given, and refuses a list whose weights would all be zero.
func planWeights(actions []types.Action, weights map[string]int32) ([]types.Action, error) {
	planned := writable(actions)
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
	return nil, errors.New("there is no forward action")
}

// planUnsticky gives the whole list of actions with the forward action's
// stickiness switched off. The duration stays: it is what an operator switches
// on again.
func planUnsticky(actions []types.Action) []types.Action {
	planned := writable(actions)
	for i := range planned {
		if planned[i].ForwardConfig == nil || planned[i].ForwardConfig.TargetGroupStickinessConfig == nil {
			continue
		}
		config := *planned[i].ForwardConfig
		sticky := *config.TargetGroupStickinessConfig
		sticky.Enabled = aws.Bool(false)
		config.TargetGroupStickinessConfig = &sticky
		planned[i].ForwardConfig = &config
	}
	return planned
}

// writable gives actions as they may be written: DescribeRules never returns
// the client secret of an OIDC action, so AWS is told to keep the one it has.
func writable(actions []types.Action) []types.Action {
	planned := slices.Clone(actions)
	for i := range planned {
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
