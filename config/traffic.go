package config

// Entrance is one place where users' traffic is split. It has exactly one of alb and route53.
type Entrance struct {
	// Name tells the entrance apart within its pair. It is a DNS label.
	Name string `yaml:"name" derived:"kind and place in the list: alb-0, route53-1"`

	// ALB is a listener rule of an Application Load Balancer.
	ALB *ALB `yaml:"alb"`

	// Route53 is a group of weighted records.
	Route53 *Route53 `yaml:"route53"`
}

// kind is the key the entrance is written with: alb or route53.
func (e Entrance) kind() string {
	if e.ALB != nil {
		return "alb"
	}
	return "route53"
}

// ALB is a listener rule that forwards to blue's and green's target groups by weight.
type ALB struct {
	// RuleARN is the listener rule, arn:aws:elasticloadbalancing:REGION:ACCOUNT:listener-rule/app/NAME/ID/ID/ID.
	RuleARN string `yaml:"ruleARN" required:"true"`

	// BlueTargetGroupARN is the target group of blue in that rule.
	BlueTargetGroupARN string `yaml:"blueTargetGroupARN" required:"true"`

	// GreenTargetGroupARN is the target group of green in that rule.
	GreenTargetGroupARN string `yaml:"greenTargetGroupARN" required:"true"`

	// MinHealthyTargets is how many healthy targets green needs before it gets traffic.
	MinHealthyTargets int `yaml:"minHealthyTargets" default:"1" range:"1..1000"`
}

// Route53 is a group of weighted records of one name: one member leads to blue and one to green.
type Route53 struct {
	// HostedZoneID is the zone's id, such as Z0123456789ABCDEFGHIJ.
	HostedZoneID string `yaml:"hostedZoneID" required:"true"`

	// Names are the records' names. This release takes exactly one. It is kept in lower case without a final dot.
	Names []string `yaml:"names" required:"true"`

	// Types are the records' types. This release takes A only.
	Types []string `yaml:"types" default:"[A]"`

	// BlueSetIdentifier is the SetIdentifier of the record that leads to blue.
	BlueSetIdentifier string `yaml:"blueSetIdentifier" required:"true"`

	// GreenSetIdentifier is the SetIdentifier of the record that leads to green.
	GreenSetIdentifier string `yaml:"greenSetIdentifier" required:"true"`

	// Mark keeps a TXT record _clusterswitch.NAME beside the records. It fences off an older daemon's writes and lets a
	// rollback without the journal leave its trace.
	Mark bool `yaml:"mark" default:"true"`
}
