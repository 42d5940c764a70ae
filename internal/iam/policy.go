package iam

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Needs is what one identity must be able to reach.
type Needs struct {
	Zones []Zone
	// Rules are ARNs of listener rules.
	Rules []string
	// Listeners are ARNs of listeners whose default action is written.
	Listeners []string
	// Fronts: load balancers are looked at that records lead to.
	Fronts bool
	// TagKeys are the keys of the tags that are written on rules and listeners.
	TagKeys []string
	// Metrics: CloudWatch is asked.
	Metrics bool
	// Clusters are ARNs of EKS clusters.
	Clusters []string
	// Inspected are those of them that a preflight looks at.
	Inspected []string
	// Roles are ARNs of roles to assume.
	Roles []string
	// Partition is AWS's, as "aws" or "aws-cn".
	Partition string
}

// Zone is a hosted zone with what is written there. A batch of Route 53 may
// hold records of all names of a zone, so they need one statement.
type Zone struct {
	ID string
	// Names are those of the records and of their marks, in any writing.
	Names []string
	// Types are record types, TXT included where marks are written.
	Types []string
}

// Document is a policy.
type Document struct {
	Version   string
	Statement []Statement
}

// Statement is one statement of a policy.
type Statement struct {
	Sid       string            `json:",omitempty"`
	Effect    string            // Allow
	Principal map[string]string `json:",omitempty"`
	Action    Values
	Resource  Values                       `json:",omitempty"`
	Condition map[string]map[string]Values `json:",omitempty"`
}

// Values are written as a list, or alone where there is one: IAM takes both.
type Values []string

// MarshalJSON writes a single value without its list.
func (v Values) MarshalJSON() ([]byte, error) {
	if len(v) == 1 {
		return json.Marshal(v[0])
	}
	return json.Marshal([]string(v))
}

// version is the policy language's, and no date of ours.
const version = "2012-10-17"

// How many characters, without white space, IAM takes: as a managed policy, and
// as all inline policies of a role together. IAM user guide, "IAM and AWS STS
// quotas".
const (
	MaxManaged = 6144
	MaxInline  = 10240
)

// Policy is the least policy that allows what is needed.
func (n Needs) Policy() Document {
	d := Document{Version: version}
	d.allow("ReadRecords", actions(Zones), n.zoneARNs(), nil)
	for _, z := range n.Zones {
		d.allow("WriteRecordsOf"+z.ID, actions(Records), []string{n.zoneARN(z)}, z.condition())
	}
	if len(n.Zones) > 0 {
		d.allow("FollowChanges", actions(Changes), []string{"arn:" + n.Partition + ":route53:::change/*"}, nil)
	}
	written := slices.Concat(n.Rules, n.Listeners)
	switch {
	case len(written) > 0:
		d.allow("ReadLoadBalancers", slices.Concat(actions(Fronts), actions(Balancers)), []string{"*"}, nil)
	case n.Fronts:
		d.allow("ReadLoadBalancers", actions(Fronts), []string{"*"}, nil)
	}
	d.allow("WriteRules", actions(Rules), n.Rules, nil)
	d.allow("WriteListeners", actions(Listeners), n.Listeners, nil)
	d.allow("TagRulesAndListeners", actions(Tags), written, all(map[string]Values{"aws:TagKeys": sorted(n.TagKeys)}))
	if n.Metrics {
		d.allow("ReadMetrics", actions(Metrics), []string{"*"}, nil)
	}
	d.allow("FindClusters", actions(Clusters), n.Clusters, nil)
	d.allow("InspectClusters", actions(Inspected), n.Inspected, nil)
	d.allow("ReadPodIdentities", actions(Associations), n.associationARNs(), nil)
	d.allow("ReadRolesOfPods", actions(Trusting), n.trustingARNs(), nil)
	d.allow("AssumeRoles", actions(Roles), n.Roles, nil)
	return d
}

// associationARNs gives the Pod Identity associations of the inspected clusters:
// arn:aws:eks:REGION:ACCOUNT:podidentityassociation/CLUSTER/ID.
func (n Needs) associationARNs() []string {
	var arns []string
	for _, cluster := range n.Inspected {
		arns = append(arns, strings.Replace(cluster, ":cluster/", ":podidentityassociation/", 1)+"/*")
	}
	return arns
}

// trustingARNs gives the roles in the accounts of the inspected clusters.
func (n Needs) trustingARNs() []string {
	const account = 4 // arn:partition:eks:REGION:ACCOUNT:cluster/NAME
	var arns []string
	for _, cluster := range n.Inspected {
		if parts := strings.Split(cluster, ":"); len(parts) > account {
			arns = append(arns, "arn:"+n.Partition+":iam::"+parts[account]+":role/*")
		}
	}
	return arns
}

// Trust is the policy by which a role lets another identity assume it.
func Trust(principalARN string) Document {
	return Document{Version: version, Statement: []Statement{{
		Effect: "Allow", Principal: map[string]string{"AWS": principalARN}, Action: actions(Roles),
	}}}
}

// allow adds a statement where there is anything to allow it on.
func (d *Document) allow(sid string, actions, resources []string, condition map[string]map[string]Values) {
	if len(resources) > 0 {
		d.Statement = append(d.Statement, Statement{Sid: sid, Effect: "Allow", Action: actions, Resource: sorted(resources), Condition: condition})
	}
}

// all is the condition that all values of the request's keys are among those
// given, and that the keys are there: ForAllValues alone is true without them.
func all(values map[string]Values) map[string]map[string]Values {
	there := map[string]Values{}
	for key := range values {
		there[key] = []string{"false"}
	}
	return map[string]map[string]Values{"ForAllValues:StringEquals": values, "Null": there}
}

func (z Zone) condition() map[string]map[string]Values {
	names := make([]string, len(z.Names))
	for i, name := range z.Names {
		names[i] = NormalName(name)
	}
	return all(map[string]Values{
		"route53:ChangeResourceRecordSetsNormalizedRecordNames": sorted(names),
		"route53:ChangeResourceRecordSetsRecordTypes":           sorted(z.Types),
		"route53:ChangeResourceRecordSetsActions":               {"CREATE", "DELETE"},
	})
}

// NormalName gives a record's name as Route 53 compares it in conditions: lower
// case, without the final dot, and everything but letters, digits, hyphen,
// underscore and dot as a backslash with three octal digits. Route 53 developer
// guide, "Using IAM policy conditions for fine-grained access control".
func NormalName(name string) string {
	var b strings.Builder
	for _, c := range []byte(strings.ToLower(strings.TrimSuffix(name, "."))) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, `\%03o`, c)
		}
	}
	return b.String()
}

func (n Needs) zoneARN(z Zone) string { return "arn:" + n.Partition + ":route53:::hostedzone/" + z.ID }

func (n Needs) zoneARNs() []string {
	arns := make([]string, len(n.Zones))
	for i, z := range n.Zones {
		arns[i] = n.zoneARN(z)
	}
	return arns
}

// sorted gives each value once, in order.
func sorted(values []string) []string {
	set := map[string]bool{}
	for _, v := range values {
		set[v] = true
	}
	return slices.Sorted(maps.Keys(set))
}
