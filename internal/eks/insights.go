package eks

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// mostCallsTold bounds the deprecated versions of an insight that are named.
const mostCallsTold = 5

// Insights lists EKS's upgrade insights of the cluster. Those that are errors or
// warnings come with what they say in detail. EKS looks once a day (EKS user
// guide, "Prepare for Kubernetes version upgrades with cluster insights"). An
// error says what to do; it is of type *awsapi.Error when AWS didn't answer, or
// refused.
func (c *Cluster) Insights(ctx context.Context) ([]facts.Insight, error) {
	var found []facts.Insight
	pages := eks.NewListInsightsPaginator(c.api, &eks.ListInsightsInput{
		ClusterName: &c.name, Filter: &types.InsightsFilter{Categories: []types.Category{types.CategoryUpgradeReadiness}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, c.refused("listing the upgrade insights", err, "eks:ListInsights")
		}
		for _, summary := range page.Insights {
			i := insightOf(summary)
			if i.Status == facts.InsightError || i.Status == facts.InsightWarning {
				if err := c.detail(ctx, &i); err != nil {
					return nil, err
				}
			}
			found = append(found, i)
		}
	}
	return found, nil
}

func insightOf(s types.InsightSummary) facts.Insight {
	i := facts.Insight{
		ID: aws.ToString(s.Id), Name: aws.ToString(s.Name), Version: aws.ToString(s.KubernetesVersion),
		Status: facts.InsightUnknown, About: topicOf(aws.ToString(s.Name)), Refreshed: aws.ToTime(s.LastRefreshTime),
	}
	if s.InsightStatus != nil {
		i.Reason = aws.ToString(s.InsightStatus.Reason)
		switch s.InsightStatus.Status {
		case types.InsightStatusValuePassing:
			i.Status = facts.InsightPassing
		case types.InsightStatusValueWarning:
			i.Status = facts.InsightWarning
		case types.InsightStatusValueError:
			i.Status = facts.InsightError
		case types.InsightStatusValueUnknown: // as is one that this SDK doesn't know
		}
	}
	return i
}

// topicOf guesses by the name what an insight looks at: nodes and add-ons stay
// behind with their cluster.
func topicOf(name string) facts.InsightTopic {
	name = strings.ToLower(name)
	switch {
	case strings.Contains(name, "deprecated api"):
		return facts.InsightAPIs
	case strings.Contains(name, "skew"), strings.Contains(name, "add-on"):
		return facts.InsightAddons
	}
	return facts.InsightOther
}

// detail adds what the summary lacks.
func (c *Cluster) detail(ctx context.Context, i *facts.Insight) error {
	out, err := c.api.DescribeInsight(ctx, &eks.DescribeInsightInput{ClusterName: &c.name, Id: &i.ID})
	if err != nil {
		return c.refused("reading the insight "+i.Name, err, "eks:DescribeInsight")
	}
	if out.Insight == nil || out.Insight.CategorySpecificSummary == nil {
		return nil
	}
	details := out.Insight.CategorySpecificSummary
	if len(details.AddonCompatibilityDetails) > 0 {
		i.About = facts.InsightAddons
	}
	var calls []string
	for _, d := range details.DeprecationDetails {
		i.About = facts.InsightAPIs
		if len(d.ClientStats) > 0 {
			calls = append(calls, callsOf(d))
		}
	}
	if len(calls) > mostCallsTold {
		calls = append(calls[:mostCallsTold], fmt.Sprintf("%d more", len(calls)-mostCallsTold))
	}
	if len(calls) > 0 {
		i.Reason = strings.TrimSpace(i.Reason + " Called: " + strings.Join(calls, ", "))
	}
	return nil
}

// callsOf tells which clients call a deprecated version.
func callsOf(d types.DeprecationDetail) string {
	var clients []string
	for _, s := range d.ClientStats {
		clients = append(clients, fmt.Sprintf("%s %d times in 30 days", aws.ToString(s.UserAgent), s.NumberOfRequestsLast30Days))
	}
	return fmt.Sprintf("%s (by %s)", aws.ToString(d.Usage), strings.Join(clients, ", "))
}

// refused makes the sentence of a call that failed.
func (c *Cluster) refused(what string, err error, right string) error {
	f := awsapi.Classify(err)
	return &awsapi.Error{Failure: f, Sentence: fmt.Sprintf("%s of %s: %s%s", what, c, f, f.Remedy(right))}
}
