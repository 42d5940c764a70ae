package app

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/elb"
	"github.com/clusterswitch/clusterswitch/internal/iam"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// RightsOf tells what a configuration needs at AWS, by the ARN of the role that
// needs it; the empty ARN is the daemon's own identity.
func RightsOf(c *config.Config) map[string]iam.Needs {
	r := rights{"": iam.Needs{Partition: partitionOf(c.AWS.Region)}}
	for _, p := range c.Pairs {
		for _, e := range p.Traffic {
			r.entrance(entranceOf(e))
			if e.Route53 != nil && p.Preflight.Mode != "off" {
				// Not as the zone's role: load balancers are often in another account.
				r.change("", func(n *iam.Needs) { n.Fronts = true })
			}
			if p.Preflight.Mode != "off" { // whether blue may be deleted is looked at then, too
				role := ""
				if e.ALB != nil || e.NLB != nil {
					role = entranceOf(e).Balancer.RoleARN
				}
				r.change(role, func(n *iam.Needs) { n.Metrics = true })
			}
		}
		for _, cluster := range []config.Cluster{p.Blue, p.Green} {
			r.cluster(c, cluster.EKS, p.Preflight.Mode != "off")
		}
		for _, q := range queriesOf(p) {
			r.change(q.role, func(n *iam.Needs) { n.Metrics = true })
		}
		for _, g := range p.Gates {
			if g.Requests != nil && g.Requests.CloudWatch != nil {
				r.change(countedAtEntrance(c, p, *g.Requests.CloudWatch).role, func(n *iam.Needs) { n.Metrics = true })
			}
		}
		for _, l := range loadsOf(c, p) {
			if l.cloudwatch != nil {
				r.change(l.cloudwatch.role, func(n *iam.Needs) { n.Metrics = true })
			}
		}
	}
	r.change("", func(n *iam.Needs) {
		n.Roles = slices.Sorted(maps.Keys(r))[1:] // but for its own
	})
	return r
}

type rights map[string]iam.Needs

func (r rights) change(role string, change func(*iam.Needs)) {
	needs, known := r[role]
	if !known {
		needs.Partition = strings.Split(role, ":")[1]
	}
	change(&needs)
	r[role] = needs
}

// cluster adds an EKS cluster, and that a preflight looks at it; its account is
// known where a role names it.
func (r rights) cluster(c *config.Config, e *config.EKS, inspected bool) {
	if e == nil {
		return
	}
	region, account := cmp.Or(e.Region, c.AWS.Region, "*"), "*"
	if parts := strings.Split(e.RoleARN, ":"); len(parts) > 4 {
		account = parts[4]
	}
	r.change(e.RoleARN, func(n *iam.Needs) {
		arn := fmt.Sprintf("arn:%s:eks:%s:%s:cluster/%s", n.Partition, region, account, e.Name)
		n.Clusters = append(n.Clusters, arn)
		if inspected {
			n.Inspected = append(n.Inspected, arn)
		}
	})
}

func (r rights) entrance(e shift.Entrance) {
	if e.Balancer != nil {
		r.change(e.Balancer.RoleARN, func(n *iam.Needs) {
			if e.Balancer.RuleARN != "" {
				n.Rules = append(n.Rules, e.Balancer.RuleARN)
			} else {
				n.Listeners = append(n.Listeners, e.Balancer.ListenerARN)
			}
			n.TagKeys = []string{elb.MarkTag, elb.StickinessTag}
		})
		return
	}
	r.change(e.Route53.RoleARN, func(n *iam.Needs) {
		i := slices.IndexFunc(n.Zones, func(z iam.Zone) bool { return z.ID == e.Route53.HostedZoneID })
		if i < 0 {
			i = len(n.Zones)
			n.Zones = append(n.Zones, iam.Zone{ID: e.Route53.HostedZoneID})
		}
		z := &n.Zones[i]
		z.Names, z.Types = append(z.Names, e.Route53.Names...), append(z.Types, e.Route53.Types...)
		if !e.Route53.Mark {
			return
		}
		z.Types = append(z.Types, "TXT")
		for _, name := range e.Route53.Names {
			z.Names = append(z.Names, e.Route53.MarkName(name))
		}
	})
}

// partitionOf gives the partition of a region's ARNs; the usual one for a region
// that isn't named.
func partitionOf(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}
