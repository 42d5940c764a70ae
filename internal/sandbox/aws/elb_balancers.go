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

// canonicalZone is the hosted zone of load balancer names in some regions.
// https://docs.aws.amazon.com/general/latest/gr/elb.html
func canonicalZone(region string) string {
	return map[string]string{
		"ap-northeast-1": "Z14GRHDCWA56QT",
		"eu-west-1":      "Z32O12XQLNTSW2",
		"us-east-1":      "Z35SXDOTRQ7X7K",
		"us-west-2":      "Z1H1FL5HABSF5",
	}[region]
}

func (s *elbStore) wireBalancer(b *loadBalancer, state string) xmlBalancer {
	out := xmlBalancer{
		LoadBalancerArn: b.arn, DNSName: b.dnsName, CanonicalHostedZoneID: canonicalZone(s.opts.Region),
		CreatedTime: b.created.UTC().Format(time.RFC3339), LoadBalancerName: b.name, Scheme: b.scheme,
		VpcID: "vpc-0a1b2c3d", StateCode: state, Type: "application", SecurityGroups: b.securityGroups, IPAddressType: "ipv4",
	}
	for i, subnet := range b.subnets {
		out.Zones = append(out.Zones, xmlAZ{ZoneName: s.opts.Region + string(rune('a'+i%3)), SubnetID: subnet})
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

func (s *elbStore) createLoadBalancer(form *element) (any, error) {
	b := &loadBalancer{
		name: form.str("Name"), scheme: form.str("Scheme"),
		subnets: form.texts("Subnets"), securityGroups: form.texts("SecurityGroups"),
	}
	for _, mapping := range form.list("SubnetMappings") {
		b.subnets = append(b.subnets, mapping.str("SubnetId"))
	}
	if b.scheme == "" {
		b.scheme = "internet-facing"
	}
	tags, err := readTags(form.list("Tags"))
	if err != nil {
		return nil, err
	}
	if err := checkBalancer(form, b); err != nil {
		return nil, err
	}
	for _, other := range s.balancers {
		if other.name != b.name {
			continue
		}
		if other.scheme == b.scheme && slices.Equal(other.subnets, b.subnets) && slices.Equal(other.securityGroups, b.securityGroups) {
			return xmlBalancers{LoadBalancers: listOf[xmlBalancer]{[]xmlBalancer{s.wireBalancer(other, "active")}}}, nil
		}
		return nil, badRequest("DuplicateLoadBalancerName", "A load balancer with the same name '%s' exists, but with different settings", b.name)
	}
	b.id = s.ids.hex16()
	b.arn = s.arn("loadbalancer/" + b.suffix())
	b.dnsName = b.name + "-" + b.id[:10] + "." + s.opts.Region + ".elb.amazonaws.com"
	b.address = s.opts.LoadBalancerAddress(b.name)
	b.created = s.opts.Now()
	s.balancers = append(s.balancers, b)
	s.setTags(b.arn, tags)
	s.changedLocked()
	return xmlBalancers{LoadBalancers: listOf[xmlBalancer]{[]xmlBalancer{s.wireBalancer(b, "provisioning")}}}, nil
}

func checkBalancer(form *element, b *loadBalancer) error {
	if err := checkName(b.name); err != nil {
		return err
	}
	switch kind := form.str("Type"); {
	case strings.HasPrefix(b.name, "internal-"):
		return badRequest("ValidationError", "The load balancer name '%s' cannot begin with 'internal-'", b.name)
	case kind != "" && kind != "application":
		return badRequest("InvalidConfigurationRequest", "The sandbox has application load balancers only, not '%s'", kind)
	case b.scheme != "internet-facing" && b.scheme != "internal":
		return badRequest("InvalidScheme", "The scheme '%s' is not valid", b.scheme)
	case len(b.subnets) < 2:
		return badRequest("ValidationError", "At least two subnets in two different Availability Zones must be specified")
	case len(slices.Compact(slices.Sorted(slices.Values(b.subnets)))) < len(b.subnets):
		return badRequest("InvalidSubnet", "A subnet is specified more than once")
	}
	return nil
}

func (s *elbStore) describeLoadBalancers(form *element) (any, error) {
	arns, names := form.texts("LoadBalancerArns"), form.texts("Names")
	if len(arns) > 20 || len(names) > 20 {
		return nil, badRequest("ValidationError", "Up to 20 load balancers can be described at once")
	}
	found := s.balancers
	if len(arns)+len(names) > 0 {
		found = slices.DeleteFunc(slices.Clone(s.balancers), func(b *loadBalancer) bool {
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
		answer.LoadBalancers.Items = append(answer.LoadBalancers.Items, s.wireBalancer(b, "active"))
	}
	return answer, nil
}

// deleteLoadBalancer takes its listeners along. A load balancer that doesn't
// exist is deleted with success, as the API reference says.
func (s *elbStore) deleteLoadBalancer(form *element) (any, error) {
	arn := form.str("LoadBalancerArn")
	i := slices.IndexFunc(s.balancers, func(b *loadBalancer) bool { return b.arn == arn })
	if i < 0 {
		return struct{}{}, nil
	}
	b := s.balancers[i]
	for _, l := range slices.Clone(s.listeners) {
		if l.balancer == b {
			s.dropListener(l)
		}
	}
	s.balancers = slices.DeleteFunc(s.balancers, func(other *loadBalancer) bool { return other == b })
	delete(s.tags, arn)
	s.changedLocked()
	return struct{}{}, nil
}
