package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// maxSetIdentifier is Route 53's limit on the length of a SetIdentifier.
const maxSetIdentifier = 128

// maxNames bounds the names of one entrance, so that its state fits into the journal.
const maxNames = 500

// traffic checks the entrances of a pair. taken holds the rules and records of all pairs before it.
func (c *checker) traffic(path string, p *Pair, taken unique) {
	seen := unique{}
	for i := range p.Traffic {
		e, at := &p.Traffic[i], fmt.Sprintf("%s[%d]", path, i)
		c.exactlyOne(at, map[string]bool{"alb": e.ALB != nil, "nlb": e.NLB != nil, "route53": e.Route53 != nil}, "alb, nlb or route53")
		c.label(at+".name", e.Name)
		c.unique(seen, at+".name", e.Name, "is the name of another entrance of this pair", "choose a name of its own")
		switch {
		case e.ALB != nil:
			c.alb(at+".alb", e.ALB, taken)
		case e.NLB != nil:
			c.nlb(at+".nlb", e.NLB, taken)
		case e.Route53 != nil:
			c.route53(at+".route53", e.Route53, taken)
		}
	}
}

func (c *checker) alb(path string, a *ALB, taken unique) {
	c.exactlyOne(path, map[string]bool{"ruleARN": a.RuleARN != "", "listenerARN": a.ListenerARN != ""}, "ruleARN or listenerARN")
	if a.RuleARN != "" {
		c.matches(path+".ruleARN", a.RuleARN, balancerARN(`listener-rule/app/[A-Za-z0-9-]{1,32}/[0-9a-f]+/[0-9a-f]+/[0-9a-f]+`),
			"the ARN of an Application Load Balancer's listener rule", "arn:aws:elasticloadbalancing:REGION:ACCOUNT:listener-rule/app/NAME/ID/ID/ID")
		c.unique(taken, path+".ruleARN", a.RuleARN, "is the rule of another entrance", "let one entrance alone set a rule's weights")
		c.targetGroups(path, "ruleARN", a.RuleARN, a.BlueTargetGroupARN, a.GreenTargetGroupARN)
	}
	if a.ListenerARN != "" {
		c.listener(path, a.ListenerARN, "app", taken)
		c.targetGroups(path, "listenerARN", a.ListenerARN, a.BlueTargetGroupARN, a.GreenTargetGroupARN)
	}
	c.roleARN(path+".roleARN", a.RoleARN)
}

func (c *checker) nlb(path string, n *NLB, taken unique) {
	if n.ListenerARN != "" {
		c.listener(path, n.ListenerARN, "net", taken)
		c.targetGroups(path, "listenerARN", n.ListenerARN, n.BlueTargetGroupARN, n.GreenTargetGroupARN)
	}
	c.roleARN(path+".roleARN", n.RoleARN)
}

// balancerARN is the pattern of an ARN of Elastic Load Balancing that ends in resource.
func balancerARN(resource string) *regexp.Regexp {
	return regexp.MustCompile(`^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\d{12}:` + resource + `$`)
}

func (c *checker) listener(path, arn, kind string, taken unique) {
	noun := map[string]string{"app": "an Application", "net": "a Network"}[kind]
	c.matches(path+".listenerARN", arn, balancerARN(`listener/`+kind+`/[A-Za-z0-9-]{1,32}/[0-9a-f]+/[0-9a-f]+`),
		"the ARN of a listener of "+noun+" Load Balancer", "arn:aws:elasticloadbalancing:REGION:ACCOUNT:listener/"+kind+"/NAME/ID/ID")
	c.unique(taken, path+".listenerARN", arn, "is the listener of another entrance", "let one entrance alone set a listener's weights")
}

// targetGroups checks the groups of the rule or listener that stands at key.
func (c *checker) targetGroups(path, key, action, blue, green string) {
	const form = "arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID"
	group := balancerARN(`targetgroup/[A-Za-z0-9-]{1,32}/[0-9a-f]+`)
	if blue != "" && blue == green {
		c.faultf(path+".greenTargetGroupARN", "is the same target group as blue's; give green a group of its own")
	}
	// A rule forwards only to groups of its own Region and account.
	home, noun := arnHome(action), strings.TrimSuffix(key, "ARN")
	for at, arn := range map[string]string{"blueTargetGroupARN": blue, "greenTargetGroupARN": green} {
		c.matches(join(path, at), arn, group, "the ARN of a target group", form)
		if !c.faulty[join(path, key)] && arnHome(arn) != home {
			c.faultf(join(path, at), "is in %s but the %s is in %s; use a group of the %s's Region and account", arnHome(arn), noun, home, noun)
		}
	}
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
	if len(r.Names) > maxNames {
		c.faultf(path+".names", "has %d names; one entrance takes up to %d, so spread them over several", len(r.Names), maxNames)
	}
	// Route 53 takes more, but a name that clients ask for is labels of these letters; * stands for a first label.
	name := regexp.MustCompile(`^(\*\.)?([a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?\.)+[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	for i, n := range r.Names {
		at := fmt.Sprintf("%s.names[%d]", path, i)
		c.matches(at, n, name, "a DNS name", "a whole name such as shop.example.com")
		c.unique(taken, at, r.HostedZoneID+" "+n, "is the record of another entrance", "let one entrance alone set a record's weights")
	}
	c.recordTypes(path+".types", r.Types)
	// Route 53 takes letters, digits, hyphens and underscores in the labels of a TXT record's name.
	c.matches(path+".markPrefix", r.MarkPrefix, regexp.MustCompile(`^[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?$`), "one label of a DNS name",
		"a word such as _clusterswitch, in lower case and without a dot")
	c.roleARN(path+".roleARN", r.RoleARN)
	c.setIdentifier(path+".blueSetIdentifier", r.BlueSetIdentifier)
	c.setIdentifier(path+".greenSetIdentifier", r.GreenSetIdentifier)
	if r.BlueSetIdentifier == r.GreenSetIdentifier {
		c.faultf(path+".greenSetIdentifier", "is the same as blue's; give each record its own SetIdentifier")
	}
}

func (c *checker) recordTypes(path string, types []string) {
	seen := unique{}
	for i, t := range types {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.matches(at, t, regexp.MustCompile(`^(A|AAAA|CNAME)$`), "a type whose records can be shifted", "A, AAAA or CNAME")
		c.unique(seen, at, t, "is listed twice", "keep one")
	}
	switch {
	case len(types) == 0:
		c.faultf(path, "is an empty list; name A, AAAA or CNAME, or remove the key for A")
	case len(types) > 1 && slices.Contains(types, "CNAME"):
		c.faultf(path, "has CNAME beside another type, and a CNAME stands alone at its name; use an entrance of its own")
	}
}

func (c *checker) setIdentifier(path, id string) {
	if len(id) == 0 || len(id) > maxSetIdentifier {
		c.faultf(path, "has %d characters; use 1 to %d", len(id), maxSetIdentifier)
	}
}
