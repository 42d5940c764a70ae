package app

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/iam"
)

// called is one call as IAM sees it.
type called struct {
	action, resource string
	keys             map[string][]string // what conditions are judged by
}

// guard notes the calls that pass by on their way to AWS.
type guard struct {
	next http.Handler

	mu    sync.Mutex
	calls []called
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	g.mu.Lock()
	if c, ok := callOf(r, string(body)); ok {
		g.calls = append(g.calls, c)
	}
	g.mu.Unlock()
	g.next.ServeHTTP(w, r)
}

// callOf reads a call of Route 53 (REST) or of ELB (form) off the wire.
func callOf(r *http.Request, body string) (called, bool) {
	path := strings.TrimSuffix(r.URL.Path, "/")
	zone := regexp.MustCompile(`/hostedzone/([A-Z0-9]+)/rrset$`).FindStringSubmatch(path)
	switch {
	case zone != nil && r.Method == http.MethodGet:
		return called{action: "route53:ListResourceRecordSets", resource: "arn:aws:route53:::hostedzone/" + zone[1]}, true
	case zone != nil:
		return called{action: "route53:ChangeResourceRecordSets", resource: "arn:aws:route53:::hostedzone/" + zone[1], keys: map[string][]string{
			"route53:ChangeResourceRecordSetsNormalizedRecordNames": normal(elements(body, "Name")),
			"route53:ChangeResourceRecordSetsRecordTypes":           elements(body, "Type"),
			"route53:ChangeResourceRecordSetsActions":               elements(body, "Action"),
		}}, true
	case strings.Contains(path, "/change/"):
		return called{action: "route53:GetChange", resource: "arn:aws:route53:::change/" + path[strings.LastIndex(path, "/")+1:]}, true
	}
	form, err := url.ParseQuery(body)
	if err != nil || !strings.HasPrefix(form.Get("Version"), "2015-12-01") {
		return called{}, false
	}
	c := called{action: "elasticloadbalancing:" + form.Get("Action"), resource: "*", keys: map[string][]string{}}
	for key, values := range form {
		switch {
		case strings.HasPrefix(key, "Describe"):
		case key == "RuleArn" || key == "ListenerArn" || strings.HasPrefix(key, "ResourceArns") && strings.HasSuffix(c.action, "Tags") && !strings.Contains(c.action, "Describe"):
			c.resource = values[0]
		case strings.HasPrefix(key, "Tags.member.") && strings.HasSuffix(key, ".Key") || strings.HasPrefix(key, "TagKeys"):
			c.keys["aws:TagKeys"] = append(c.keys["aws:TagKeys"], values...)
		}
	}
	return c, true
}

func elements(body, name string) []string {
	var values []string
	for _, match := range regexp.MustCompile("<"+name+">([^<]*)</"+name+">").FindAllStringSubmatch(body, -1) {
		values = append(values, match[1])
	}
	return values
}

func normal(names []string) []string {
	for i, name := range names {
		names[i] = iam.NormalName(name)
	}
	return names
}

// allows judges a call as IAM does, as far as our policies go.
func allows(d iam.Document, c called) bool {
	return slices.ContainsFunc(d.Statement, func(s iam.Statement) bool {
		if !slices.Contains(s.Action, c.action) || !slices.ContainsFunc(s.Resource, func(r string) bool { return matches(r, c.resource) }) {
			return false
		}
		for key := range s.Condition["Null"] {
			if len(c.keys[key]) == 0 {
				return false
			}
		}
		for key, allowed := range s.Condition["ForAllValues:StringEquals"] {
			if slices.ContainsFunc(c.keys[key], func(v string) bool { return !slices.Contains(allowed, v) }) {
				return false
			}
		}
		return true
	})
}

func matches(pattern, resource string) bool {
	begin, all := strings.CutSuffix(pattern, "*")
	return pattern == resource || all && strings.HasPrefix(resource, begin)
}

// What the adapters send in a rollback of everything is what the policy allows,
// seen on the wire; and the policy for another pair doesn't allow the writes.
func TestPolicyAllowsWhatIsSent(t *testing.T) {
	s := newStory(t)
	g := &guard{next: s.cloud}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	c := s.config()
	c.AWS.EndpointURL = server.URL
	d, err := NewDirect(t.Context(), c)
	s.ok(err)
	results, err := d.RollBack(t.Context(), DirectOptions{Pairs: []string{"shop"}})
	s.ok(err)
	for _, r := range results {
		if !r.Back || !r.Marked {
			t.Errorf("the rollback says %+v", r)
		}
	}
	policy := RightsOf(c)[""].Policy()
	other := RightsOf(parsed(t, document("blog", "")))[""].Policy()
	sent := map[string]bool{}
	for _, call := range g.calls {
		sent[call.action] = true
		if !allows(policy, call) {
			t.Errorf("the policy doesn't allow %+v", call)
		}
		if call.resource != "*" && !strings.Contains(call.action, "GetChange") && allows(other, call) {
			t.Errorf("the policy for another pair allows %+v", call)
		}
	}
	for _, action := range []string{"route53:ListResourceRecordSets", "route53:ChangeResourceRecordSets", "elasticloadbalancing:ModifyRule", "elasticloadbalancing:AddTags"} {
		if !sent[action] {
			t.Errorf("%s was not seen on the wire: %v", action, g.calls)
		}
	}
}

func TestRightsFollowTheConfiguration(t *testing.T) {
	const role = "arn:aws-us-gov:iam::222222222222:role/dns"
	text := strings.Replace(document("shop", ""), "greenSetIdentifier: green}", fmt.Sprintf("greenSetIdentifier: green, mark: false, roleARN: %q}", role), 1)
	c, err := config.Parse("config.yaml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	rights := RightsOf(c)
	if own := rights[""]; len(own.Zones) != 0 || len(own.Rules) != 1 || !slices.Equal(own.Roles, []string{role}) || !own.Metrics {
		t.Errorf("the daemon's own needs are %+v", own)
	}
	const reader = "arn:aws:iam::333333333333:role/clusters"
	c.Pairs[0].Blue = config.Cluster{EKS: &config.EKS{Name: "shop-v134"}}
	c.Pairs[0].Green = config.Cluster{EKS: &config.EKS{Name: "shop-v137", Region: "eu-north-1", RoleARN: reader}}
	c.AWS.Region = "eu-west-1"
	withClusters := RightsOf(c)
	if own, want := withClusters[""].Clusters, []string{"arn:aws:eks:eu-west-1:*:cluster/shop-v134"}; !slices.Equal(own, want) {
		t.Errorf("the daemon's own clusters are %q, want %q", own, want)
	}
	if got, want := withClusters[reader].Clusters, []string{"arn:aws:eks:eu-north-1:333333333333:cluster/shop-v137"}; !slices.Equal(got, want) {
		t.Errorf("the role's clusters are %q, want %q", got, want)
	}
	needs := rights[role]
	if needs.Partition != "aws-us-gov" || len(needs.Zones) != 1 || slices.Contains(needs.Zones[0].Types, "TXT") || len(needs.Zones[0].Names) != 1 {
		t.Errorf("the role's needs without a mark are %+v", needs)
	}
	for region, want := range map[string]string{"eu-west-1": "aws", "": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"} {
		if got := partitionOf(region); got != want {
			t.Errorf("region %q is in %s, want %s", region, got, want)
		}
	}
}

// Nothing else of this pair reads metrics: its loads are Prometheus', and nobody
// looks whether blue may be deleted.
func TestRightsHaveTheMetricsOfRequestsGates(t *testing.T) {
	const counter, balancer = "arn:aws:iam::333333333333:role/metrics", "arn:aws:iam::444444444444:role/balancers"
	const load = "{server: {url: \"http://127.0.0.1:1\"}, query: a}"
	for name, test := range map[string]struct {
		gate string
		want map[string]bool
	}{
		"no gate":                       {"soakOnly: true", map[string]bool{}},
		"a gate without a role":         {"gates: [{name: users, requests: {cloudwatch: {}}}]", map[string]bool{balancer: true}},
		"a gate with a role of its own": {fmt.Sprintf("gates: [{name: users, requests: {cloudwatch: {roleARN: %q}}}]", counter), map[string]bool{counter: true}},
		"a gate at Prometheus": {
			"gates: [{name: users, requests: {prometheus: {blue: {url: \"http://127.0.0.1:1\"}, green: {url: \"http://127.0.0.1:2\"}, template: istio}}}]",
			map[string]bool{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.NewReplacer("soakOnly: true", test.gate, "- alb:\n", "- alb:\n          roleARN: "+balancer+"\n").Replace(document("shop",
				"    preflight: {mode: \"off\"}\n    standby: {capacity: {loads: [{name: all, prometheus: {blue: "+load+", green: "+strings.Replace(load, "query: a", "query: b", 1)+"}}]}}\n"))
			got := map[string]bool{}
			for role, needs := range RightsOf(parsed(t, text)) {
				if needs.Metrics {
					got[role] = true
				}
			}
			if !maps.Equal(test.want, got) {
				t.Errorf("these read metrics: %v, want %v", got, test.want)
			}
		})
	}
}
