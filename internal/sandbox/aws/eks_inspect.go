package aws

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Insight is an upgrade insight of an EKS cluster.
type Insight struct {
	Name    string
	Version string // the Kubernetes minor that it is about, such as 1.35; may be empty
	Status  string // PASSING, WARNING, ERROR or UNKNOWN
	Reason  string
	// Calls are the deprecated versions that clients call: of those the insight's
	// details tell.
	Calls []DeprecatedCall
}

// DeprecatedCall is a deprecated version of the API with one client that calls it.
type DeprecatedCall struct {
	Usage    string // such as /apis/batch/v1beta1/cronjobs
	Client   string // its User-Agent
	Requests int32  // in the last 30 days
}

// PodIdentity is an EKS Pod Identity association.
type PodIdentity struct {
	Namespace, ServiceAccount, RoleARN string
}

// inspections are the operations beside DescribeCluster that only read. None is
// about what the cluster's API server itself can tell.
func (s *eksStore) inspections() map[string]operation {
	return map[string]operation{
		"ListInsights":                   {run: s.listInsights},
		"DescribeInsight":                {run: s.describeInsight},
		"ListPodIdentityAssociations":    {run: s.listAssociations},
		"DescribePodIdentityAssociation": {run: s.describeAssociation},
	}
}

// validate says what is wrong with what a cluster is inspected for.
func (c Cluster) validate() error {
	for _, i := range c.Insights {
		if i.Name == "" || !oneOf("PASSING", "WARNING", "ERROR", "UNKNOWN")(i.Status) {
			return fmt.Errorf("declaring the insight %q of EKS cluster %q: it needs a name, and %q isn't a status", i.Name, c.Name, i.Status)
		}
	}
	for i, p := range c.PodIdentities {
		same := func(o PodIdentity) bool { return o.Namespace == p.Namespace && o.ServiceAccount == p.ServiceAccount }
		if p.Namespace == "" || p.ServiceAccount == "" || !strings.Contains(p.RoleARN, ":role/") || slices.ContainsFunc(c.PodIdentities[:i], same) {
			return fmt.Errorf("declaring the Pod Identity association %v of EKS cluster %q: it needs namespace, service account and the ARN of a role, and each account has one", p, c.Name)
		}
	}
	return nil
}

// eksInspection reads the operation out of what follows a cluster's name in a path.
func eksInspection(method, kind, id string) string {
	switch {
	case kind == "insights" && id == "" && method == http.MethodPost:
		return "ListInsights"
	case kind == "insights" && id != "" && method == http.MethodGet:
		return "DescribeInsight"
	case kind == "pod-identity-associations" && id == "" && method == http.MethodGet:
		return "ListPodIdentityAssociations"
	case kind == "pod-identity-associations" && id != "" && method == http.MethodGet:
		return "DescribePodIdentityAssociation"
	}
	return ""
}

// cluster finds the cluster that a request names.
func (s *eksStore) cluster(req *request) (eksCluster, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, known := s.clusters[req.caller.account][req.resource]
	if !known {
		return eksCluster{}, refusal(http.StatusNotFound, "ResourceNotFoundException", "No cluster found for name: %s.", req.resource)
	}
	return c, nil
}

type jsonInsightStatus struct {
	Status string `json:"status"`
	Reason string `json:"reason"`
}

type jsonInsight struct {
	ID                string            `json:"id"`
	Name              string            `json:"name"`
	Category          string            `json:"category"`
	KubernetesVersion string            `json:"kubernetesVersion,omitempty"`
	LastRefreshTime   float64           `json:"lastRefreshTime"`
	InsightStatus     jsonInsightStatus `json:"insightStatus"`
	Summary           map[string]any    `json:"categorySpecificSummary,omitempty"`
}

func (s *eksStore) insight(c eksCluster, n int) jsonInsight {
	i := c.Insights[n]
	return jsonInsight{
		ID: fmt.Sprintf("insight-%d", n+1), Name: i.Name, Category: "UPGRADE_READINESS", KubernetesVersion: i.Version,
		LastRefreshTime: float64(s.opts.Now().Truncate(24*time.Hour).UnixMilli()) / 1000,
		InsightStatus:   jsonInsightStatus{i.Status, i.Reason},
	}
}

func (s *eksStore) listInsights(req *request) (any, error) {
	c, err := s.cluster(req)
	if err != nil {
		return nil, err
	}
	var in struct {
		Filter struct {
			Categories, KubernetesVersions, Statuses []string
		}
		MaxResults *int
		NextToken  string
	}
	if len(req.body) > 0 {
		if err := json.Unmarshal(req.body, &in); err != nil {
			return nil, badRequest("SerializationException", "%v", err)
		}
	}
	wanted := func(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, value) }
	var all []jsonInsight
	for n := range c.Insights {
		i := s.insight(c, n)
		if wanted(in.Filter.Categories, i.Category) && wanted(in.Filter.KubernetesVersions, i.KubernetesVersion) && wanted(in.Filter.Statuses, i.InsightStatus.Status) {
			all = append(all, i)
		}
	}
	size := ""
	if in.MaxResults != nil {
		size = strconv.Itoa(*in.MaxResults)
	}
	return eksPage("insights", all, size, in.NextToken)
}

func (s *eksStore) describeInsight(req *request) (any, error) {
	c, err := s.cluster(req)
	if err != nil {
		return nil, err
	}
	for n, declared := range c.Insights {
		i := s.insight(c, n)
		if i.ID != req.segments[0] {
			continue
		}
		details := []any{}
		for _, call := range declared.Calls {
			details = append(details, map[string]any{
				"usage":       call.Usage,
				"clientStats": []any{map[string]any{"userAgent": call.Client, "numberOfRequestsLast30Days": call.Requests}},
			})
		}
		i.Summary = map[string]any{"deprecationDetails": details}
		return map[string]any{"insight": i}, nil
	}
	return nil, refusal(http.StatusNotFound, "ResourceNotFoundException", "No insight found for id: %s.", req.segments[0])
}

type jsonAssociation struct {
	ClusterName    string `json:"clusterName"`
	Namespace      string `json:"namespace"`
	ServiceAccount string `json:"serviceAccount"`
	RoleARN        string `json:"roleArn,omitempty"`
	ID             string `json:"associationId"`
	ARN            string `json:"associationArn"`
}

func (s *eksStore) association(c eksCluster, n int) jsonAssociation {
	id, p := fmt.Sprintf("a-%d", n+1), c.PodIdentities[n]
	return jsonAssociation{
		ClusterName: c.Name, Namespace: p.Namespace, ServiceAccount: p.ServiceAccount, RoleARN: p.RoleARN, ID: id,
		ARN: "arn:aws:eks:" + s.opts.Region + ":" + c.AccountID + ":podidentityassociation/" + c.Name + "/" + id,
	}
}

// listAssociations leaves the roles out, as EKS does.
func (s *eksStore) listAssociations(req *request) (any, error) {
	c, err := s.cluster(req)
	if err != nil {
		return nil, err
	}
	namespace, account := req.query.Get("namespace"), req.query.Get("serviceAccount")
	var all []jsonAssociation
	for n := range c.PodIdentities {
		a := s.association(c, n)
		a.RoleARN = ""
		if (namespace == "" || namespace == a.Namespace) && (account == "" || account == a.ServiceAccount) {
			all = append(all, a)
		}
	}
	return eksPage("associations", all, req.query.Get("maxResults"), req.query.Get("nextToken"))
}

func (s *eksStore) describeAssociation(req *request) (any, error) {
	c, err := s.cluster(req)
	if err != nil {
		return nil, err
	}
	for n := range c.PodIdentities {
		if a := s.association(c, n); a.ID == req.segments[0] {
			return map[string]any{"association": a}, nil
		}
	}
	return nil, refusal(http.StatusNotFound, "ResourceNotFoundException", "No association found for id: %s.", req.segments[0])
}

// eksPage answers a part of a list. A token is the place of the next one.
func eksPage[T any](key string, all []T, size, token string) (any, error) {
	most, from := 100, 0
	for _, n := range []struct {
		text, what string
		to         *int
		low, high  int
	}{{size, "maxResults", &most, 1, 100}, {token, "nextToken", &from, 0, len(all)}} {
		if n.text == "" {
			continue
		}
		value, err := strconv.Atoi(n.text)
		if err != nil || value < n.low || value > n.high {
			return nil, badRequest("InvalidParameterException", "%s isn't valid: %s", n.what, n.text)
		}
		*n.to = value
	}
	to := min(from+most, len(all))
	answer := map[string]any{key: append([]T{}, all[from:to]...), "nextToken": nil}
	if to < len(all) {
		answer["nextToken"] = strconv.Itoa(to)
	}
	return answer, nil
}
