package elb

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

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

const (
	// tagsKept is how old the tags may be of what is at rest or is to be rolled
	// back, unless its actions changed since. What the adapter writes it knows.
	tagsKept = time.Minute
	// ownersKept is how old the tags may be of what lies around an action: they
	// tell who made it.
	ownersKept = 5 * time.Minute
)

// layoutPage is where people read what to have in the place of what the
// controller owns.
const layoutPage = "docs/load-balancers.md"

// controller is a program that writes load balancers by what stands in a cluster.
type controller struct {
	name string
	tags []string // how the keys of the tags begin that it puts on what it makes
}

// controllers are those that are known, by the tags that tell cluster, stack and
// resource. For the first: its source, pkg/deploy/tracking/provider.go,
// pkg/gateway/constants and pkg/shared_constants/tag_keys.go.
func controllers() []controller {
	return []controller{
		{"the aws-load-balancer-controller", []string{"elbv2.k8s.aws/", "ingress.k8s.aws/", "service.k8s.aws/", "gateway.k8s.aws"}},
		{"EKS Auto Mode", []string{"eks:eks-cluster-name", "ingress.eks.amazonaws.com/", "service.eks.amazonaws.com/", "elbv2.eks.amazonaws.com/"}},
		{"Kubernetes' cloud controller", []string{"kubernetes.io/service-name"}},
	}
}

// lookAtTags reads the tags of any resources.
func (a *Adapter) lookAtTags(ctx context.Context, arns []string) map[string]answer[[]types.Tag] {
	var chunks [][]string
	together := slices.DeleteFunc(slices.Clone(arns), a.gone.has)
	for _, arn := range arns {
		if a.gone.has(arn) {
			chunks = append(chunks, []string{arn})
		}
	}
	chunks = slices.AppendSeq(chunks, slices.Chunk(together, maxTagged))
	var mu sync.Mutex
	answers := map[string]answer[[]types.Tag]{}
	var wg sync.WaitGroup
	for _, chunk := range chunks {
		wg.Go(func() {
			a.inTurn(ctx, func() (throttled bool) {
				got, failed := bisect(chunk, func(int) {}, func(arns []string) (map[string][]types.Tag, error) { return a.describeTags(ctx, arns) })
				mu.Lock()
				defer mu.Unlock()
				for arn, tags := range got {
					answers[arn] = answer[[]types.Tag]{value: tags}
				}
				for arn, f := range failed {
					answers[arn] = answer[[]types.Tag]{failed: &f}
					a.gone.set(arn, f.Class == awsapi.NotFound)
					throttled = throttled || f.Class == awsapi.Throttled
				}
				return throttled
			})
		})
	}
	wg.Wait()
	return answers
}

func (a *Adapter) describeTags(ctx context.Context, arns []string) (map[string][]types.Tag, error) {
	out, err := bounded(ctx, a.callTimeout, func(ctx context.Context) (*elbv2.DescribeTagsOutput, error) {
		return a.ports.Tags.DescribeTags(ctx, &elbv2.DescribeTagsInput{ResourceArns: arns})
	})
	if err != nil {
		return nil, err
	}
	tags := map[string][]types.Tag{}
	for _, d := range out.TagDescriptions {
		tags[aws.ToString(d.ResourceArn)] = d.Tags
	}
	return tags, nil
}

// tagged is what tags tell of an action.
type tagged struct {
	own    answer[[]types.Tag] // its own tags
	around []types.Tag         // those of its listener and load balancer
	failed string              // why those around can't be read; empty: they could
}

// ownerTags reads the tags of the listener and load balancer that an action is
// of. Where they can't be read, what is known of them still counts.
func (a *Adapter) ownerTags(ctx context.Context, arn string) (around []types.Tag, failed string) {
	var keys []string
	for _, key := range []string{listenerOf(arn), balancerOf(arn)} {
		if key != "" && key != arn {
			keys = append(keys, key)
		}
	}
	for key, got := range a.tags.get(ctx, keys, ages{good: ownersKept, failed: a.reuse}) {
		if got.failed != nil {
			kept, ok := a.tags.keptEver(key)
			if !ok {
				failed = tagError(key, *got.failed)
				continue
			}
			got = kept
		}
		around = append(around, got.value...)
	}
	return around, failed
}

func tagError(arn string, f awsapi.Failure) string {
	what := kindOf(arn)
	if strings.Contains(arn, ":loadbalancer/") {
		what = "load balancer"
	}
	return fmt.Sprintf("reading the tags of %s %s, which tell its mark and owner: %s%s", what, arn, f, f.Remedy("elasticloadbalancing:DescribeTags"))
}

func valueOf(tags []types.Tag, key string) (string, bool) {
	for _, t := range tags {
		if aws.ToString(t.Key) == key {
			return aws.ToString(t.Value), true
		}
	}
	return "", false
}

// markOf reads the mark among tags, nil when there is none. One that can't be
// read is an error: it must never pass for none.
func markOf(tags []types.Tag) (*shift.Mark, error) {
	text, ok := valueOf(tags, MarkTag)
	if !ok {
		return nil, nil //nolint:nilnil // no mark is a valid answer, as in EntranceReading
	}
	m, err := shift.ParseMark(text)
	if err != nil {
		return nil, fmt.Errorf("tag %s: %w: look at it, then delete it", MarkTag, err)
	}
	return &m, nil
}

// controllerOf names the controller that made what has the tags, with cluster,
// stack and resource as far as they tell; empty: none is known to have.
func controllerOf(tags []types.Tag) string {
	var names []string
	for _, c := range controllers() {
		told := map[string]bool{}
		for _, t := range tags {
			key := aws.ToString(t.Key)
			if slices.ContainsFunc(c.tags, func(prefix string) bool { return strings.HasPrefix(key, prefix) }) {
				told[fmt.Sprintf("%s=%s", key, aws.ToString(t.Value))] = true
			}
		}
		if len(told) > 0 {
			names = append(names, fmt.Sprintf("%s (%s)", c.name, strings.Join(slices.Sorted(maps.Keys(told)), ", ")))
		}
	}
	return strings.Join(names, " and ")
}

// ownerOf names the controller that writes an action, by its own tags and those
// around it; empty: none is known. It writes its own actions back at its next
// turn, so it says what to have instead.
func ownerOf(own, around []types.Tag) string {
	owner := controllerOf(slices.Concat(own, around))
	if owner == "" {
		return ""
	}
	return owner + ", which writes its own weights back: own the load balancer outside of the clusters and attach pods by TargetGroupBindings, as " + layoutPage + " shows"
}

// addTags tags an action, and remembers what it wrote.
func (a *Adapter) addTags(ctx context.Context, arn string, tags ...types.Tag) (awsapi.Failure, bool) {
	_, err := bounded(ctx, a.callTimeout, func(ctx context.Context) (*elbv2.AddTagsOutput, error) {
		return a.ports.Tags.AddTags(ctx, &elbv2.AddTagsInput{ResourceArns: []string{arn}, Tags: tags}, once)
	})
	if err != nil {
		a.tags.touch(arn)
		return awsapi.Classify(err), false
	}
	a.tags.amend(arn, func(had []types.Tag) []types.Tag {
		for _, t := range tags {
			had = append(without(had, aws.ToString(t.Key)), t)
		}
		return had
	})
	return awsapi.Failure{}, true
}

// removeTag takes a tag off an action.
func (a *Adapter) removeTag(ctx context.Context, arn, key string) (awsapi.Failure, bool) {
	_, err := bounded(ctx, a.callTimeout, func(ctx context.Context) (*elbv2.RemoveTagsOutput, error) {
		return a.ports.Tags.RemoveTags(ctx, &elbv2.RemoveTagsInput{ResourceArns: []string{arn}, TagKeys: []string{key}}, once)
	})
	if err != nil {
		a.tags.touch(arn)
		return awsapi.Classify(err), false
	}
	a.tags.amend(arn, func(had []types.Tag) []types.Tag { return without(had, key) })
	return awsapi.Failure{}, true
}

func without(tags []types.Tag, key string) []types.Tag {
	return slices.DeleteFunc(slices.Clone(tags), func(t types.Tag) bool { return aws.ToString(t.Key) == key })
}

func markTag(m shift.Mark) types.Tag {
	return types.Tag{Key: aws.String(MarkTag), Value: aws.String(m.String())}
}
