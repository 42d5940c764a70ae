package soak

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

// The entrances of a run.
const (
	www = "www" // weighted records
	api = "api" // a rule of a load balancer
)

// weights are those of an entrance, as AWS stores them.
type weights struct{ blue, green int64 }

// share is green's part in percent, rounded down; -1 where all weights are zero.
func (w weights) share() int {
	if w.blue+w.green <= 0 {
		return -1
	}
	return int(100 * w.green / (w.blue + w.green))
}

// mark is what the daemons leave at AWS beside the weights. It is read here by an
// own reading of its text, not by the daemon's.
type mark struct {
	attempt, epoch, version int64
	rollback                bool
}

// older tells whether a mark comes before another one.
func (m mark) older(n mark) bool {
	switch {
	case m.attempt != n.attempt:
		return m.attempt < n.attempt
	case m.epoch != n.epoch:
		return m.epoch < n.epoch
	}
	return m.version < n.version
}

func readMark(text string) (m mark, err error) {
	fields := map[string]string{}
	for word := range strings.FieldsSeq(strings.Trim(text, `"`)) {
		key, value, _ := strings.Cut(word, "=")
		fields[key] = value
	}
	for key, at := range map[string]*int64{"attempt": &m.attempt, "epoch": &m.epoch, "version": &m.version} {
		if *at, err = strconv.ParseInt(fields[key], 10, 64); err != nil {
			return m, fmt.Errorf("reading mark %q: %w", text, err)
		}
	}
	m.rollback = fields["rollback"] == "true"
	return m, nil
}

// sight is all that AWS stores, taken apart.
type sight struct {
	weights map[string]weights // by entrance
	marks   map[string]mark    // by entrance; none before the first write
	rest    map[string]string  // everything else, in words that don't change with weights
}

// eye looks at a region's AWS past all faults.
type eye struct {
	region *world.Region
	dns    *route53.Client
	elb    *elasticloadbalancingv2.Client
}

// aside carries calls to the embedded AWS without a network.
type aside struct{ handler http.Handler }

func (a aside) RoundTrip(r *http.Request) (*http.Response, error) {
	served := r.Clone(r.Context())
	if served.Body == nil {
		served.Body = io.NopCloser(bytes.NewReader(nil))
	}
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, served)
	return w.Result(), nil
}

func openEye(r *world.Region) *eye {
	cfg := aws.Config{
		Region: "ap-northeast-1", BaseEndpoint: new("http://aside.invalid"), HTTPClient: &http.Client{Transport: aside{r.Cloud.Aside()}},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "sandbox", SecretAccessKey: "sandbox"}, nil
		}),
	}
	return &eye{region: r, dns: route53.NewFromConfig(cfg), elb: elasticloadbalancingv2.NewFromConfig(cfg)}
}

// look takes everything apart.
func (e *eye) look(ctx context.Context) (sight, error) {
	s := sight{weights: map[string]weights{}, marks: map[string]mark{}, rest: map[string]string{}}
	for _, part := range []func(context.Context, *sight) error{e.lookAtRecords, e.lookAtRules, e.lookAtGroups} {
		if err := part(ctx, &s); err != nil {
			return s, fmt.Errorf("looking at AWS: %w", err)
		}
	}
	return s, nil
}

func (e *eye) lookAtRecords(ctx context.Context, s *sight) error {
	out, err := e.dns.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: &e.region.HostedZoneID})
	if err != nil {
		return err
	}
	var w weights
	for _, r := range out.ResourceRecordSets {
		name, values := strings.TrimSuffix(*r.Name, "."), recordValues(r)
		switch {
		case r.Type == r53types.RRTypeTxt && name == "_clusterswitch."+world.WebName:
			if s.marks[www], err = readMark(values); err != nil {
				return err
			}
			continue
		case name == world.WebName && aws.ToString(r.SetIdentifier) == "blue":
			w.blue = aws.ToInt64(r.Weight)
		case name == world.WebName && aws.ToString(r.SetIdentifier) == "green":
			w.green = aws.ToInt64(r.Weight)
		}
		s.rest[fmt.Sprintf("record %s %s %s", name, r.Type, aws.ToString(r.SetIdentifier))] = fmt.Sprintf("%d s: %s", aws.ToInt64(r.TTL), values)
	}
	s.weights[www] = w
	return nil
}

func recordValues(r r53types.ResourceRecordSet) string {
	var values []string
	for _, v := range r.ResourceRecords {
		values = append(values, aws.ToString(v.Value))
	}
	return strings.Join(values, " ")
}

func (e *eye) lookAtRules(ctx context.Context, s *sight) error {
	for name, balancer := range e.region.LoadBalancers {
		listeners, err := e.elb.DescribeListeners(ctx, &elasticloadbalancingv2.DescribeListenersInput{LoadBalancerArn: &balancer})
		if err != nil {
			return err
		}
		for _, l := range listeners.Listeners {
			rules, err := e.elb.DescribeRules(ctx, &elasticloadbalancingv2.DescribeRulesInput{ListenerArn: l.ListenerArn})
			if err != nil {
				return err
			}
			for _, r := range rules.Rules {
				e.take(r, name, s)
			}
		}
	}
	tags, err := e.elb.DescribeTags(ctx, &elasticloadbalancingv2.DescribeTagsInput{ResourceArns: []string{e.region.RuleARN}})
	if err != nil {
		return err
	}
	for _, t := range tags.TagDescriptions[0].Tags {
		if *t.Key == "clusterswitch.io/mark" {
			if s.marks[api], err = readMark(*t.Value); err != nil {
				return err
			}
			continue
		}
		s.rest["tag "+*t.Key] = *t.Value
	}
	return nil
}

// take takes one rule apart.
func (e *eye) take(r elbtypes.Rule, balancer string, s *sight) {
	ours := *r.RuleArn == e.region.RuleARN
	var w weights
	var words []string
	for _, c := range r.Conditions {
		words = append(words, "if", aws.ToString(c.Field))
		if c.HostHeaderConfig != nil {
			words = append(words, c.HostHeaderConfig.Values...)
		}
	}
	for _, a := range r.Actions {
		words = append(words, "then", string(a.Type))
		if a.FixedResponseConfig != nil {
			words = append(words, aws.ToString(a.FixedResponseConfig.StatusCode))
		}
		if a.ForwardConfig == nil {
			continue
		}
		for _, g := range a.ForwardConfig.TargetGroups {
			words = append(words, *g.TargetGroupArn)
			switch {
			case !ours:
				words = append(words, strconv.Itoa(int(aws.ToInt32(g.Weight))))
			case *g.TargetGroupArn == e.region.Groups["api-blue"]:
				w.blue = int64(aws.ToInt32(g.Weight))
			case *g.TargetGroupArn == e.region.Groups["api-green"]:
				w.green = int64(aws.ToInt32(g.Weight))
			}
		}
		if sticky := a.ForwardConfig.TargetGroupStickinessConfig; sticky != nil && aws.ToBool(sticky.Enabled) {
			words = append(words, "sticky")
		}
	}
	s.rest[fmt.Sprintf("rule %s of %s", aws.ToString(r.Priority), balancer)] = strings.Join(words, " ")
	if ours {
		s.weights[api] = w
	}
}

func (e *eye) lookAtGroups(ctx context.Context, s *sight) error {
	groups, err := e.elb.DescribeTargetGroups(ctx, &elasticloadbalancingv2.DescribeTargetGroupsInput{})
	if err != nil {
		return err
	}
	for _, g := range groups.TargetGroups {
		health, err := e.elb.DescribeTargetHealth(ctx, &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: g.TargetGroupArn})
		if err != nil {
			return err
		}
		var targets []string
		for _, t := range health.TargetHealthDescriptions {
			targets = append(targets, *t.Target.Id)
		}
		s.rest["target group "+*g.TargetGroupName] = strings.Join(targets, " ")
	}
	return nil
}
