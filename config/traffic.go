package config

import "time"

// Entrance is one place where users' traffic is split. It has exactly one of alb, nlb and route53.
type Entrance struct {
	// Name tells the entrance apart within its pair. It is a DNS label.
	Name string `yaml:"name" derived:"kind and place in the list: alb-0, route53-1"`

	// ALB is a listener rule of an Application Load Balancer, or the default action of its listener.
	ALB *ALB `yaml:"alb"`

	// NLB is a listener of a Network Load Balancer.
	NLB *NLB `yaml:"nlb"`

	// Route53 are groups of weighted records.
	Route53 *Route53 `yaml:"route53"`
}

// kind is the key the entrance is written with: alb, nlb or route53.
func (e Entrance) kind() string {
	switch {
	case e.ALB != nil:
		return "alb"
	case e.NLB != nil:
		return "nlb"
	}
	return "route53"
}

// ALB is an action that forwards to blue's and green's target groups by weight. It has exactly one of ruleARN and
// listenerARN.
type ALB struct {
	// RuleARN is the listener rule, arn:aws:elasticloadbalancing:REGION:ACCOUNT:listener-rule/app/NAME/ID/ID/ID.
	RuleARN string `yaml:"ruleARN"`

	// ListenerARN is the listener whose default action splits the traffic,
	// arn:aws:elasticloadbalancing:REGION:ACCOUNT:listener/app/NAME/ID/ID.
	ListenerARN string `yaml:"listenerARN"`

	// BlueTargetGroupARN is the target group of blue in that action.
	BlueTargetGroupARN string `yaml:"blueTargetGroupARN" required:"true"`

	// GreenTargetGroupARN is the target group of green in that action.
	GreenTargetGroupARN string `yaml:"greenTargetGroupARN" required:"true"`

	// MinHealthyTargets is how many healthy targets green needs before it gets traffic.
	MinHealthyTargets int `yaml:"minHealthyTargets" default:"1" range:"1..1000"`

	// MinHealthyTargetsPerZone is how many of them each availability zone needs in which green has targets. 0 doesn't
	// look at zones.
	MinHealthyTargetsPerZone int `yaml:"minHealthyTargetsPerZone" default:"1" range:"0..1000"`

	// RestoreStickiness switches the action's stickiness on again after a rollback, which switches it off so that no
	// cookie keeps a client on green. It waits until every cookie of before the rollback is dead.
	RestoreStickiness bool `yaml:"restoreStickiness"`

	// RoleARN is the role that the daemon assumes to reach the load balancer, in another account for instance. Empty
	// uses the daemon's own credentials.
	RoleARN string `yaml:"roleARN"`
}

// NLB is a listener that forwards to blue's and green's target groups by weight. Weights act on new connections only.
type NLB struct {
	// ListenerARN is the listener, arn:aws:elasticloadbalancing:REGION:ACCOUNT:listener/net/NAME/ID/ID.
	ListenerARN string `yaml:"listenerARN" required:"true"`

	// BlueTargetGroupARN is the target group of blue in that listener.
	BlueTargetGroupARN string `yaml:"blueTargetGroupARN" required:"true"`

	// GreenTargetGroupARN is the target group of green in that listener.
	GreenTargetGroupARN string `yaml:"greenTargetGroupARN" required:"true"`

	// MinHealthyTargets is how many healthy targets green needs before it gets traffic.
	MinHealthyTargets int `yaml:"minHealthyTargets" default:"1" range:"1..1000"`

	// MinHealthyTargetsPerZone is how many of them each availability zone needs in which green has targets. 0 doesn't
	// look at zones.
	MinHealthyTargetsPerZone int `yaml:"minHealthyTargetsPerZone" default:"1" range:"0..1000"`

	// RoleARN is the role that the daemon assumes to reach the load balancer, in another account for instance. Empty
	// uses the daemon's own credentials.
	RoleARN string `yaml:"roleARN"`
}

// Route53 are groups of weighted records, one for each name and type: one member leads to blue and one to green. All of
// them move together, those of one name in one batch.
type Route53 struct {
	// HostedZoneID is the zone's id, such as Z0123456789ABCDEFGHIJ.
	HostedZoneID string `yaml:"hostedZoneID" required:"true"`

	// Names are the records' names, up to 500. They are kept in lower case without a final dot.
	Names []string `yaml:"names" required:"true"`

	// Types are the records' types: A, AAAA or both, or CNAME alone. Each name has weighted records of each type; they
	// may be aliases.
	Types []string `yaml:"types" default:"[A]"`

	// BlueSetIdentifier is the SetIdentifier of the record that leads to blue.
	BlueSetIdentifier string `yaml:"blueSetIdentifier" required:"true"`

	// GreenSetIdentifier is the SetIdentifier of the record that leads to green.
	GreenSetIdentifier string `yaml:"greenSetIdentifier" required:"true"`

	// Connections is how long a client may keep a connection that it has, and so stay on a side, whatever the records say.
	// An Application Load Balancer ends a client's connection after an hour, by client_keep_alive.seconds.
	Connections time.Duration `yaml:"connections" default:"1h" range:"0s.."`

	// Mark keeps a TXT record beside the records of each name. It fences off an older daemon's writes and lets a
	// rollback without the journal leave its trace.
	Mark bool `yaml:"mark" default:"true"`

	// MarkPrefix names that TXT record: prefix, dot, name.
	MarkPrefix string `yaml:"markPrefix" default:"_clusterswitch"`

	// RoleARN is the role that the daemon assumes to reach the zone, in another account for instance. Empty uses the
	// daemon's own credentials.
	RoleARN string `yaml:"roleARN"`
}
