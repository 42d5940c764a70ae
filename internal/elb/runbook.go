package elb

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Runbook gives the commands of the AWS CLI that take an action back to blue by
// hand, whatever its weights are by then: the weights, then stickiness off where
// it is on, then a look at what stands. It is made from what was last read or
// written, without asking AWS; the error says what to do where that isn't
// enough. The commands replace the whole list of actions: what somebody changes
// of it after this reading would be lost, so make it anew when it changed. They
// are for a POSIX shell, with credentials for the load balancer's account.
func (a *Adapter) Runbook(e shift.Entrance) (commands []string, err error) {
	if e.Balancer == nil {
		return nil, fmt.Errorf("entrance %s is not a load balancer's", e.Name)
	}
	b := *e.Balancer
	known, ok := a.known.last(b.ActionARN())
	if !ok {
		return nil, fmt.Errorf("%s %s was not read yet: read it first", kindOf(b.ActionARN()), b.ActionARN())
	}
	if err := known.declared(b); err != nil {
		return nil, err
	}
	w := shift.Share(0).Weights()
	back, err := planWeights(known.actions, map[string]int32{b.BlueTargetGroupARN: int32(w.Blue), b.GreenTargetGroupARN: int32(w.Green)})
	if err != nil {
		return nil, err
	}
	lists := [][]types.Action{back}
	if known.sticky() > 0 {
		lists = append(lists, planStickiness(back, false, 0))
	}
	modify, check := "modify-rule --rule-arn %s --actions %s", "describe-rules --rule-arns %s --query 'Rules[].Actions'"
	if isListener(known.arn) {
		modify, check = "modify-listener --listener-arn %s --default-actions %s", "describe-listeners --listener-arns %s --query 'Listeners[].DefaultActions'"
	}
	cli := fmt.Sprintf("aws elbv2 --region %s --output json ", quoted(b.Region()))
	for _, actions := range lists {
		text, err := commandLine(writable(actions))
		if err != nil {
			return nil, err
		}
		commands = append(commands, cli+fmt.Sprintf(modify, quoted(known.arn), quoted(text)))
	}
	return append(commands, cli+fmt.Sprintf(check, quoted(known.arn))), nil
}

// commandLine gives actions in the JSON that the AWS CLI takes: the names of the
// API, without what isn't set.
func commandLine(actions []types.Action) (string, error) {
	text, err := json.Marshal(actions)
	if err != nil {
		return "", fmt.Errorf("writing actions as JSON: %w", err)
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return "", fmt.Errorf("writing actions as JSON: %w", err)
	}
	text, err = json.Marshal(pruned(tree))
	if err != nil {
		return "", fmt.Errorf("writing actions as JSON: %w", err)
	}
	return string(text), nil
}

// pruned leaves out what isn't set: nothing that AWS takes is null, or an empty
// word.
func pruned(tree any) any {
	switch t := tree.(type) {
	case map[string]any:
		kept := map[string]any{}
		for key, value := range t {
			if value != nil && value != "" {
				kept[key] = pruned(value)
			}
		}
		return kept
	case []any:
		for i := range t {
			t[i] = pruned(t[i])
		}
	}
	return tree
}

// quoted makes one word of a text for a POSIX shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
