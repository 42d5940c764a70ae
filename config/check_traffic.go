package config

import (
	"fmt"
	"regexp"
	"strings"
)

// maxSetIdentifier is Route 53's limit on the length of a SetIdentifier.
const maxSetIdentifier = 128

// traffic checks the entrances of a pair. taken holds the rules and records of all pairs before it.
func (c *checker) traffic(path string, p *Pair, taken unique) {
	seen := unique{}
	for i := range p.Traffic {
		e, at := &p.Traffic[i], fmt.Sprintf("%s[%d]", path, i)
		c.exactlyOne(at, map[string]bool{"alb": e.ALB != nil, "route53": e.Route53 != nil}, "alb or route53")
		c.label(at+".name", e.Name)
		c.unique(seen, at+".name", e.Name, "is the name of another entrance of this pair", "choose a name of its own")
		switch {
		case e.ALB != nil:
			c.alb(at+".alb", e.ALB, taken)
		case e.Route53 != nil:
			c.route53(at+".route53", e.Route53, taken)
		}
	}
}

func (c *checker) alb(path string, a *ALB, taken unique) {
	const prefix = `^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\d{12}:`
	rule := regexp.MustCompile(prefix + `listener-rule/app/[A-Za-z0-9-]{1,32}/[0-9a-f]+/[0-9a-f]+/[0-9a-f]+$`)
	group := regexp.MustCompile(prefix + `targetgroup/[A-Za-z0-9-]{1,32}/[0-9a-f]+$`)

	c.matches(path+".ruleARN", a.RuleARN, rule, "the ARN of an Application Load Balancer's listener rule",
		"arn:aws:elasticloadbalancing:REGION:ACCOUNT:listener-rule/app/NAME/ID/ID/ID")
	const groupForm = "arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID"
	c.matches(path+".blueTargetGroupARN", a.BlueTargetGroupARN, group, "the ARN of a target group", groupForm)
	c.matches(path+".greenTargetGroupARN", a.GreenTargetGroupARN, group, "the ARN of a target group", groupForm)

	if a.BlueTargetGroupARN == a.GreenTargetGroupARN {
		c.faultf(path+".greenTargetGroupARN", "is the same target group as blue's; give green a group of its own")
	}
	// A rule forwards only to groups of its own Region and account.
	home := arnHome(a.RuleARN)
	for key, arn := range map[string]string{"blueTargetGroupARN": a.BlueTargetGroupARN, "greenTargetGroupARN": a.GreenTargetGroupARN} {
		if !c.faulty[path+".ruleARN"] && arnHome(arn) != home {
			c.faultf(join(path, key), "is in %s but the rule is in %s; use a group of the rule's Region and account", arnHome(arn), home)
		}
	}
	c.unique(taken, path+".ruleARN", a.RuleARN, "is the rule of another entrance", "let one entrance alone set a rule's weights")
}

// arnHome is an ARN's Region and account.
func arnHome(arn string) string {
	parts := strings.Split(arn, ":")
	if len(parts) < 5 {
		return ""
	}
	return parts[3] + ":" + parts[4]
}

func (c *checker) route53(path string, r *Route53, taken unique) {
	c.matches(path+".hostedZoneID", r.HostedZoneID, regexp.MustCompile(`^[A-Z0-9]{1,32}$`), "a hosted zone's id",
		"capital letters and digits, such as Z0123456789ABCDEFGHIJ, without /hostedzone/")
	if len(r.Names) > 1 {
		c.faultf(path+".names", "has %d names; this release takes one, so give each further name an entrance of its own", len(r.Names))
	}
	// Route 53 takes more, but a name that clients ask for is labels of these letters; * stands for a first label.
	name := regexp.MustCompile(`^(\*\.)?([a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?\.)+[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	for i, n := range r.Names {
		at := fmt.Sprintf("%s.names[%d]", path, i)
		c.matches(at, n, name, "a DNS name", "a whole name such as shop.example.com")
		c.unique(taken, at, r.HostedZoneID+" "+n, "is the record of another entrance", "let one entrance alone set a record's weights")
	}
	if !c.faulty[path+".types[0]"] && (len(r.Types) != 1 || r.Types[0] != "A") {
		c.faultf(path+".types", "is %v; this release shifts A records only, so use [A]", r.Types)
	}
	c.setIdentifier(path+".blueSetIdentifier", r.BlueSetIdentifier)
	c.setIdentifier(path+".greenSetIdentifier", r.GreenSetIdentifier)
	if r.BlueSetIdentifier == r.GreenSetIdentifier {
		c.faultf(path+".greenSetIdentifier", "is the same as blue's; give each record its own SetIdentifier")
	}
}

func (c *checker) setIdentifier(path, id string) {
	if len(id) == 0 || len(id) > maxSetIdentifier {
		c.faultf(path, "has %d characters; use 1 to %d", len(id), maxSetIdentifier)
	}
}
