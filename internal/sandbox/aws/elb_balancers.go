package aws

import (
	"slices"
	"strings"
	"time"
)

type xmlBalancer struct {
	LoadBalancerArn       string
	DNSName               string
	CanonicalHostedZoneID string `xml:"CanonicalHostedZoneId,omitempty"`
	CreatedTime           string
	LoadBalancerName      string
	Scheme                string
	VpcID                 string   `xml:"VpcId"`
	StateCode             string   `xml:"State>Code"`
	Type                  string   `xml:"Type"`
	Zones                 []xmlAZ  `xml:"AvailabilityZones>member"`
	SecurityGroups        []string `xml:"SecurityGroups>member"`
	IPAddressType         string   `xml:"IpAddressType"`
}

type xmlAZ struct {
	ZoneName string
	SubnetID string `xml:"SubnetId"`
}

type xmlBalancers struct {
	LoadBalancers listOf[xmlBalancer]
	NextMarker    string `xml:",omitempty"`
}

// canonicalZone is the hosted zone of load balancer names in some regions; each
// region has one for application and one for network load balancers.
// https://docs.aws.amazon.com/general/latest/gr/elb.html
func canonicalZone(region, kind string) string {
	zones := map[string][2]string{
		"ap-northeast-1": {"Z14GRHDCWA56QT", "Z31USIVHYNEOWT"},
		"eu-west-1":      {"Z32O12XQLNTSW2", "Z2IFOLAFXWLO4F"},
		"us-east-1":      {"Z35SXDOTRQ7X7K", "Z26RNL4JYFTOTI"},
		"us-west-2":      {"Z1H1FL5HABSF5", "Z18D5FSROUN65G"},
	}[region]
	if kind == networkType {
		return zones[1]
	}
	return zones[0]
}

// maxBalancers is how many load balancers of each type an account has in a
// region. ELB user guides, load-balancer-limits.
const maxBalancers = 50

func (a *elbAccount) wireBalancer(b *loadBalancer, state string) xmlBalancer {
	out := xmlBalancer{
		LoadBalancerArn: b.arn, DNSName: b.dnsName, CanonicalHostedZoneID: canonicalZone(a.opts.Region, b.kind),
		CreatedTime: b.created.UTC().Format(time.RFC3339), LoadBalancerName: b.name, Scheme: b.scheme,
		VpcID: "vpc-0a1b2c3d", StateCode: state, Type: b.kind, SecurityGroups: b.securityGroups, IPAddressType: "ipv4",
	}
	for i, subnet := range b.subnets {
		out.Zones = append(out.Zones, xmlAZ{ZoneName: a.opts.Region + string(rune('a'+i%3)), SubnetID: subnet})
	}
	return out
}

// checkName keeps the rules that load balancers and target groups share.
func checkName(name string) error {
	if !plain(name, '-') || name == "" || len(name) > 32 || strings.HasPrefix(name, "-") || strings.HasSuffix(name, "-") {
		return badRequest("ValidationError", "The name '%s' must be 1 to 32 letters, digits and hyphens, and not begin or end with a hyphen", name)
	}
	return nil
}

func (a *elbAccount) createLoadBalancer(form *element) (any, error) {
	b := &loadBalancer{
		name: form.str("Name"), scheme: form.str("Scheme"), kind: form.str("Type"),
		subnets: form.texts("Subnets"), securityGroups: form.texts("SecurityGroups"),
	}
	for _, mapping := range form.list("SubnetMappings") {
		b.subnets = append(b.subnets, mapping.str("SubnetId"))
	}
	if b.scheme == "" {
		b.scheme = "internet-facing"
	}
	if b.kind == "" {
		b.kind = applicationType
	}
	tags, err := readTags(form.list("Tags"))
	if err != nil {
		return nil, err
	}
	if err := checkBalancer(form, b); err != nil {
		return nil, err
	}
	sameKind := 0
	for _, other := range a.balancers.all {
		if other.kind == b.kind {
			sameKind++
		}
		if other.name != b.name {
			continue
		}
		if other.kind == b.kind && other.scheme == b.scheme && slices.Equal(other.subnets, b.subnets) && slices.Equal(other.securityGroups, b.securityGroups) {
			return xmlBalancers{LoadBalancers: listOf[xmlBalancer]{[]xmlBalancer{a.wireBalancer(other, "active")}}}, nil
		}
		return nil, badRequest("DuplicateLoadBalancerName", "A load balancer with the same name '%s' exists, but with different settings", b.name)
	}
	if sameKind >= maxBalancers {
		return nil, badRequest("TooManyLoadBalancers", "The maximum number of load balancers has been reached")
	}
	b.id = a.ids.hex16()
	b.arn = a.arn("loadbalancer/" + b.suffix())
	b.dnsName = b.name + "-" + b.id[:10] + "." + a.opts.Region + ".elb.amazonaws.com"
	if b.kind == networkType {
		b.dnsName = b.name + "-" + b.id + ".elb." + a.opts.Region + ".amazonaws.com"
	}
	b.address = a.opts.LoadBalancerAddress(b.name)
	b.created = a.opts.Now()
	a.balancers.add(b.arn, b)
	a.setTags(b.arn, tags)
	return xmlBalancers{LoadBalancers: listOf[xmlBalancer]{[]xmlBalancer{a.wireBalancer(b, "provisioning")}}}, nil
}

func checkBalancer(form *element, b *loadBalancer) error {
	if err := checkName(b.name); err != nil {
		return err
	}
	switch family := form.str("IpAddressType"); {
	case strings.HasPrefix(b.name, "internal-"):
		return badRequest("ValidationError", "The load balancer name '%s' cannot begin with 'internal-'", b.name)
	case b.kind != applicationType && b.kind != networkType:
		return badRequest("InvalidConfigurationRequest", "The sandbox has application and network load balancers only, not '%s'", b.kind)
	case family != "" && family != "ipv4":
		return badRequest("InvalidConfigurationRequest", "The sandbox has load balancers of the address type ipv4 only, not '%s'", family)
	case b.scheme != "internet-facing" && b.scheme != "internal":
		return badRequest("InvalidScheme", "The scheme '%s' is not valid", b.scheme)
	case form.has("Subnets") && form.has("SubnetMappings"):
		return badRequest("ValidationError", "You must specify either subnets or subnet mappings, but not both")
	case b.kind == applicationType && len(b.subnets) < 2:
		return badRequest("ValidationError", "At least two subnets in two different Availability Zones must be specified")
	case len(b.subnets) == 0:
		return badRequest("ValidationError", "At least one subnet must be specified")
	case len(slices.Compact(slices.Sorted(slices.Values(b.subnets)))) < len(b.subnets):
		return badRequest("InvalidSubnet", "A subnet is specified more than once")
	}
	return nil
}

func (a *elbAccount) describeLoadBalancers(form *element) (any, error) {
	arns, names := form.texts("LoadBalancerArns"), form.texts("Names")
	if len(arns) > 20 || len(names) > 20 {
		return nil, badRequest("ValidationError", "Up to 20 load balancers can be described at once")
	}
	found := a.balancers.all
	if len(arns)+len(names) > 0 {
		found = slices.DeleteFunc(slices.Clone(found), func(b *loadBalancer) bool {
			return !slices.Contains(arns, b.arn) && !slices.Contains(names, b.name)
		})
		if len(found) < len(arns)+len(names) {
			return nil, badRequest("LoadBalancerNotFound", "One or more load balancers not found")
		}
	}
	part, next, err := page(form, found)
	if err != nil {
		return nil, err
	}
	answer := xmlBalancers{NextMarker: next}
	for _, b := range part {
		answer.LoadBalancers.Items = append(answer.LoadBalancers.Items, a.wireBalancer(b, "active"))
	}
	return answer, nil
}

// deleteLoadBalancer takes its listeners along. A load balancer that doesn't
// exist is deleted with success, as the API reference says.
func (a *elbAccount) deleteLoadBalancer(form *element) (any, error) {
	b, known := a.balancers.byARN[form.str("LoadBalancerArn")]
	if !known {
		return struct{}{}, nil
	}
	if b.attributes["deletion_protection.enabled"] == "true" {
		return nil, badRequest("OperationNotPermitted", "Load balancer '%s' cannot be deleted because deletion protection is enabled", b.arn)
	}
	for _, l := range slices.Clone(a.listeners.all) {
		if l.balancer == b {
			a.dropListener(l)
		}
	}
	a.balancers.drop(b.arn)
	delete(a.tags, b.arn)
	return struct{}{}, nil
}
