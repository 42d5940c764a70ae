package shift

import (
	"encoding/json"
	"strings"
)

// Entrance is one way for users into the clusters: one or more groups of
// weighted records, or one action of a load balancer. Exactly one of Route53
// and Balancer is set.
type Entrance struct {
	Name    string           `json:"name"`
	Route53 *Route53Entrance `json:"route53,omitempty"`
	// Balancer keeps the key of the first journals, which knew ALBs only.
	Balancer *BalancerEntrance `json:"alb,omitempty"`
}

// DefaultMarkPrefix is the label below which a name's mark stands.
const DefaultMarkPrefix = "_clusterswitch"

// Route53Entrance names the weighted records that split one or more names: for
// each name and type one group, with one member for blue and one for green.
type Route53Entrance struct {
	HostedZoneID string `json:"hostedZoneID"`
	// Names are without final dot.
	Names []string `json:"names"`
	// Types are A and AAAA, or CNAME. The records of one name move in one batch.
	Types              []string `json:"types"`
	BlueSetIdentifier  string   `json:"blueSetIdentifier"`
	GreenSetIdentifier string   `json:"greenSetIdentifier"`
	// Mark says whether a TXT record beside each name carries the mark.
	Mark bool `json:"mark"`
	// MarkPrefix is put before a name, with a dot, to name its mark; empty:
	// DefaultMarkPrefix.
	MarkPrefix string `json:"markPrefix,omitempty"`
	// RoleARN is the role to assume for the zone's account; empty: none.
	RoleARN string `json:"roleARN,omitempty"`
}

// UnmarshalJSON reads what is written today, and what the first release wrote:
// one name, of type A.
func (e *Route53Entrance) UnmarshalJSON(text []byte) error {
	type today Route53Entrance
	read := struct {
		*today
		RecordName string `json:"recordName"`
	}{today: (*today)(e)}
	if err := json.Unmarshal(text, &read); err != nil {
		return err
	}
	if read.RecordName != "" {
		e.Names = []string{read.RecordName}
	}
	if len(e.Types) == 0 {
		e.Types = []string{"A"}
	}
	return nil
}

// MarkName is where the mark of one of the names stands.
func (e Route53Entrance) MarkName(name string) string {
	prefix := e.MarkPrefix
	if prefix == "" {
		prefix = DefaultMarkPrefix
	}
	return prefix + "." + name
}

// BalancerEntrance names the action that splits traffic between two target
// groups: of a listener rule, or the default one of a listener. Exactly one of
// RuleARN and ListenerARN is set. A network load balancer has listeners only.
type BalancerEntrance struct {
	RuleARN             string `json:"ruleARN,omitempty"`
	ListenerARN         string `json:"listenerARN,omitempty"`
	BlueTargetGroupARN  string `json:"blueTargetGroupARN"`
	GreenTargetGroupARN string `json:"greenTargetGroupARN"`
	// MinHealthyTargets is how many healthy targets green must have before it
	// may get traffic, and blue before the planned way back gives it some; at
	// least 1.
	MinHealthyTargets int `json:"minHealthyTargets"`
	// MinHealthyPerZone is how many of them each availability zone must have in
	// which that side has targets; 0: zones don't count.
	MinHealthyPerZone int `json:"minHealthyTargetsPerZone,omitempty"`
	// RestoreStickiness switches the action's stickiness on again when a
	// rollback that switched it off is over and no client's cookie is alive.
	RestoreStickiness bool `json:"restoreStickiness,omitempty"`
	// RoleARN is the role to assume for the load balancer's account; empty: none.
	RoleARN string `json:"roleARN,omitempty"`
}

// ActionARN is the ARN of the rule or listener whose action it is; its mark is
// a tag there.
func (e BalancerEntrance) ActionARN() string {
	if e.RuleARN != "" {
		return e.RuleARN
	}
	return e.ListenerARN
}

// Region is the region that the ARN names.
func (e BalancerEntrance) Region() string {
	if parts := strings.Split(e.ActionARN(), ":"); len(parts) > 4 {
		return parts[3]
	}
	return ""
}
