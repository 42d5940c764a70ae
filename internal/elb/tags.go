package elb

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// MarkTag is the key of the tag that carries the mark.
const MarkTag = "clusterswitch.io/mark"

// maxTagged is how many resources DescribeTags takes. ELBv2 API reference.
const maxTagged = 20

// controllerTags begin the keys that the aws-load-balancer-controller puts on
// everything it makes; it writes its own actions back at its next turn.
func controllerTags() []string {
	return []string{"elbv2.k8s.aws/cluster", "ingress.k8s.aws/", "service.k8s.aws/", "gateway.k8s.aws"}
}

// tagsOf reads the tags of many rules. Rules that AWS can't tell the tags of
// are absent, with the failure in the second map. AWS refuses the whole call
// when one of them is gone; then they are asked for one by one.
func (a *Adapter) tagsOf(ctx context.Context, arns []string) (map[string][]types.Tag, map[string]awsapi.Failure) {
	tags, failed := map[string][]types.Tag{}, map[string]awsapi.Failure{}
	for chunk := range slices.Chunk(arns, maxTagged) {
		out, err := a.describeTags(ctx, chunk)
		if err != nil && len(chunk) > 1 && awsapi.Classify(err).Class == awsapi.NotFound {
			for _, arn := range chunk {
				one, oneFailed := a.tagsOf(ctx, []string{arn})
				maps.Copy(tags, one)
				maps.Copy(failed, oneFailed)
			}
			continue
		}
		if err != nil {
			for _, arn := range chunk {
				failed[arn] = awsapi.Classify(err)
			}
			continue
		}
		for _, d := range out.TagDescriptions {
			tags[aws.ToString(d.ResourceArn)] = d.Tags
		}
	}
	return tags, failed
}

func (a *Adapter) describeTags(ctx context.Context, arns []string) (*elbv2.DescribeTagsOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, a.callTimeout)
	defer cancel()
	return a.tags.DescribeTags(ctx, &elbv2.DescribeTagsInput{ResourceArns: arns})
}

// markOf reads the mark among tags, nil when there is none. One that can't be
// read is an error: it must never pass for none.
func markOf(tags []types.Tag) (*shift.Mark, error) {
	for _, t := range tags {
		if aws.ToString(t.Key) != MarkTag {
			continue
		}
		m, err := shift.ParseMark(aws.ToString(t.Value))
		if err != nil {
			return nil, fmt.Errorf("tag %s: %w: look at it, then delete it", MarkTag, err)
		}
		return &m, nil
	}
	return nil, nil //nolint:nilnil // no mark is a valid answer, as in EntranceReading
}

// ownerOf names the controller that writes a rule; empty: none is known.
func ownerOf(tags []types.Tag) string {
	var told []string
	for _, t := range tags {
		key := aws.ToString(t.Key)
		for _, prefix := range controllerTags() {
			if strings.HasPrefix(key, prefix) {
				told = append(told, fmt.Sprintf("%s=%s", key, aws.ToString(t.Value)))
			}
		}
	}
	if len(told) == 0 {
		return ""
	}
	slices.Sort(told)
	return fmt.Sprintf("the aws-load-balancer-controller (%s)", strings.Join(told, ", "))
}

// writeMark puts the mark on a rule. A refusal never undoes a change: it comes
// back as a note.
func (a *Adapter) writeMark(ctx context.Context, arn string, m shift.Mark) (note string) {
	ctx, cancel := context.WithTimeout(ctx, a.callTimeout)
	defer cancel()
	_, err := a.tags.AddTags(ctx, &elbv2.AddTagsInput{
		ResourceArns: []string{arn},
		Tags:         []types.Tag{{Key: aws.String(MarkTag), Value: aws.String(m.String())}},
	}, once)
	if err != nil {
		return fmt.Sprintf("without the mark: %s", awsapi.Classify(err))
	}
	return ""
}
