// Package iam knows the rights that clusterswitch needs at AWS: for every
// operation that the code calls its IAM action, and for what a configuration
// names the least policy that allows it.
package iam

// Scope is what an operation is allowed on.
type Scope int

// The scopes.
const (
	// Zones are the hosted zones, for reading.
	Zones Scope = iota
	// Records are names, types and actions within a hosted zone, for writing.
	Records
	// Changes are Route 53's changes: their IDs aren't known before.
	Changes
	// Balancers is everything of ELB: AWS doesn't limit these reads to resources.
	Balancers
	// Fronts is the same for the reads that records need too, which lead to load
	// balancers.
	Fronts
	// Rules are listener rules.
	Rules
	// Listeners are listeners whose default action splits the traffic.
	Listeners
	// Tags are our tags on rules and listeners.
	Tags
	// Metrics is everything of CloudWatch: AWS doesn't limit reads of metrics.
	Metrics
	// Clusters are EKS clusters.
	Clusters
	// Inspected are EKS clusters that a preflight looks at, Associations their Pod
	// Identity associations.
	Inspected
	Associations
	// Trusting are the roles that pods may become: which, only the clusters know.
	Trusting
	// Roles are the roles to assume.
	Roles
)

// String gives the scope as the resource of the table in docs/aws.md.
func (s Scope) String() string {
	return [...]string{
		"the hosted zone", "names, types and actions in the hosted zone", "`change/*`", "`*`", "`*`", "the listener rule",
		"the listener", "our tags on the rule or listener", "`*`", "the cluster", "the cluster", "its Pod Identity associations", "the roles of its account", "the role",
	}[s]
}

// Operation is one operation of AWS that the code calls.
type Operation struct {
	// Service is the SDK's package, as "elasticloadbalancingv2".
	Service string
	// Name is the operation's, as "ModifyRule".
	Name  string
	Scope Scope
	// For says in a few words what it is for.
	For string
}

// Action is the operation's IAM action, as "elasticloadbalancing:ModifyRule".
// Of all operations that are called here IAM's action has the operation's name:
// Service Authorization Reference.
func (o Operation) Action() string {
	prefix := o.Service
	if prefix == "elasticloadbalancingv2" {
		prefix = "elasticloadbalancing"
	}
	return prefix + ":" + o.Name
}

// Operations are all operations that the code calls. TestEveryCallHasItsRow
// compares them with the code.
func Operations() []Operation {
	return []Operation{
		{"route53", "ListResourceRecordSets", Zones, "Reading weights and marks; every five minutes the whole zone, to see which records external-dns writes."},
		{"route53", "ChangeResourceRecordSets", Records, "Swapping weighted records together with their marks; pairs of one zone share batches."},
		{"route53", "GetChange", Changes, "Knowing when all of Route 53's servers answer by a change."},
		{"elasticloadbalancingv2", "DescribeRules", Fronts, "Reading the weights of a listener rule; for the preflight, what else leads to the target groups."},
		{"elasticloadbalancingv2", "DescribeListeners", Fronts, "Reading the weights of a listener's default action; for the preflight, what else leads to the target groups."},
		{"elasticloadbalancingv2", "DescribeLoadBalancers", Fronts, "Finding, for the preflight and `retire-check`, the load balancers that rules, listeners and records name."},
		{"elasticloadbalancingv2", "DescribeTargetGroups", Fronts, "Comparing, for the preflight, blue's and green's target groups, and knowing those behind a record."},
		{"elasticloadbalancingv2", "DescribeTags", Balancers, "Reading the mark, and who else owns the rule or listener."},
		{"elasticloadbalancingv2", "DescribeTargetHealth", Fronts, "Green's healthy targets before it gets traffic; blue's before it gets it back."},
		{"elasticloadbalancingv2", "DescribeTargetGroupAttributes", Balancers, "Slow start, stickiness and fail-open of the target groups, which status tells."},
		{"elasticloadbalancingv2", "DescribeLoadBalancerAttributes", Balancers, "Cross-zone balancing, which status tells."},
		{"elasticloadbalancingv2", "ModifyRule", Rules, "Writing the weights of a listener rule."},
		{"elasticloadbalancingv2", "ModifyListener", Listeners, "Writing the weights of a listener's default action."},
		{"elasticloadbalancingv2", "AddTags", Tags, "Writing the mark, and remembering stickiness that a rollback switched off."},
		{"elasticloadbalancingv2", "RemoveTags", Tags, "Forgetting stickiness that is restored."},
		{"cloudwatch", "GetMetricData", Metrics, "What users got on each side, requests, errors and slow answers; how much they ask of it; for `retire-check`, whether anything reaches blue."},
		{"eks", "DescribeCluster", Clusters, "Finding the address and the certificate of a cluster by its name."},
		{"eks", "ListInsights", Inspected, "What EKS found against newer versions of Kubernetes."},
		{"eks", "DescribeInsight", Inspected, "Who calls deprecated versions, by an insight."},
		{"eks", "ListPodIdentityAssociations", Inspected, "Which ServiceAccounts of blue have a role that green's lack."},
		{"eks", "DescribePodIdentityAssociation", Associations, "The role of such a ServiceAccount."},
		{"iam", "GetRole", Trusting, "Whether the roles of green's ServiceAccounts trust green's OIDC issuer."},
		{"sts", "AssumeRole", Roles, "Becoming the role that the configuration names (`roleARN`)."},
	}
}

// actions gives the IAM actions of one scope.
func actions(s Scope) []string {
	var found []string
	for _, o := range Operations() {
		if o.Scope == s {
			found = append(found, o.Action())
		}
	}
	return found
}
