package aws

import (
	"encoding/xml"
	"strings"
	"time"
)

// The XML documents of Route 53, API version 2013-04-01.

type xmlRecord struct {
	Value string
}

type xmlRecords struct {
	Records []xmlRecord `xml:"ResourceRecord"`
}

type xmlAliasTarget struct {
	HostedZoneID         string `xml:"HostedZoneId"`
	DNSName              string
	EvaluateTargetHealth *bool
}

type xmlGeoLocation struct {
	ContinentCode   *string `xml:",omitempty"`
	CountryCode     *string `xml:",omitempty"`
	SubdivisionCode *string `xml:",omitempty"`
}

type xmlRecordSet struct {
	Name             string
	Type             string
	SetIdentifier    *string         `xml:",omitempty"`
	Weight           *int64          `xml:",omitempty"`
	Region           *string         `xml:",omitempty"`
	GeoLocation      *xmlGeoLocation `xml:",omitempty"`
	Failover         *string         `xml:",omitempty"`
	MultiValueAnswer *bool           `xml:",omitempty"`
	TTL              *int64          `xml:",omitempty"`
	ResourceRecords  *xmlRecords     `xml:",omitempty"`
	AliasTarget      *xmlAliasTarget `xml:",omitempty"`
	HealthCheckID    *string         `xml:"HealthCheckId,omitempty"`

	// Read only to be refused.
	TrafficPolicyInstanceID *string   `xml:"TrafficPolicyInstanceId,omitempty"`
	GeoProximityLocation    *struct{} `xml:",omitempty"`
	CidrRoutingConfig       *struct{} `xml:",omitempty"`
}

type xmlChange struct {
	Action            string
	ResourceRecordSet xmlRecordSet
}

type xmlChangeRequest struct {
	Comment string      `xml:"ChangeBatch>Comment"`
	Changes []xmlChange `xml:"ChangeBatch>Changes>Change"`
}

type xmlChangeInfo struct {
	ID          string `xml:"Id"`
	Status      string
	SubmittedAt string
	Comment     string `xml:",omitempty"`
}

type xmlChangeAnswer struct {
	XMLName    xml.Name
	NS         string `xml:"xmlns,attr"`
	ChangeInfo xmlChangeInfo
}

func changeAnswer(operation string, ch *zoneChange, now time.Time) xmlChangeAnswer {
	return xmlChangeAnswer{
		XMLName:    xml.Name{Local: operation + "Response"},
		NS:         route53NS,
		ChangeInfo: ch.wire(now),
	}
}

type xmlZone struct {
	ID              string `xml:"Id"`
	Name            string
	CallerReference string
	Comment         string `xml:"Config>Comment,omitempty"`
	PrivateZone     bool   `xml:"Config>PrivateZone"`
	Count           int    `xml:"ResourceRecordSetCount"`
}

type xmlVPC struct {
	VPCRegion string
	VPCID     string `xml:"VPCId"`
}

type xmlZoneRequest struct {
	Name             string
	CallerReference  string
	VPC              *xmlVPC
	DelegationSetID  string `xml:"DelegationSetId"`
	HostedZoneConfig struct {
		Comment     string
		PrivateZone bool
	}
}

type xmlZoneAnswer struct {
	XMLName    xml.Name
	NS         string `xml:"xmlns,attr"`
	HostedZone xmlZone
	ChangeInfo *xmlChangeInfo `xml:",omitempty"`
	// Public zones only.
	DelegationSet *xmlDelegationSet `xml:",omitempty"`
	// Private zones only, the first in the answer of the creation, the other in
	// that of GetHostedZone.
	VPC  *xmlVPC  `xml:",omitempty"`
	VPCs *xmlVPCs `xml:",omitempty"`
}

type xmlDelegationSet struct {
	NameServers []string `xml:"NameServers>NameServer"`
}

type xmlVPCs struct {
	VPC []xmlVPC
}

type xmlZonesAnswer struct {
	XMLName     xml.Name `xml:"ListHostedZonesResponse"`
	NS          string   `xml:"xmlns,attr"`
	HostedZones struct {
		Zones []xmlZone `xml:"HostedZone"`
	}
	Marker      string `xml:",omitempty"`
	IsTruncated bool
	NextMarker  string `xml:",omitempty"`
	MaxItems    int
}

type xmlListAnswer struct {
	XMLName            xml.Name `xml:"ListResourceRecordSetsResponse"`
	NS                 string   `xml:"xmlns,attr"`
	ResourceRecordSets struct {
		Sets []xmlRecordSet `xml:"ResourceRecordSet"`
	}
	IsTruncated          bool
	NextRecordName       string `xml:",omitempty"`
	NextRecordType       string `xml:",omitempty"`
	NextRecordIdentifier string `xml:",omitempty"`
	MaxItems             int
}

// route53Operation names the call of a method and the path below the API version.
func route53Operation(method string, segments []string) string {
	shape := []string{method, segments[0]}
	if len(segments) > 1 {
		shape = append(shape, "ID")
	}
	if len(segments) > 2 {
		shape = append(shape, segments[2:]...)
	}
	switch strings.Join(shape, " ") {
	case "POST hostedzone":
		return "CreateHostedZone"
	case "GET hostedzone":
		return "ListHostedZones"
	case "GET hostedzone ID":
		return "GetHostedZone"
	case "DELETE hostedzone ID":
		return "DeleteHostedZone"
	case "POST hostedzone ID rrset":
		return "ChangeResourceRecordSets"
	case "GET hostedzone ID rrset":
		return "ListResourceRecordSets"
	case "GET change ID":
		return "GetChange"
	case "POST healthcheck":
		return "CreateHealthCheck"
	case "GET healthcheck":
		return "ListHealthChecks"
	case "GET healthcheck ID":
		return "GetHealthCheck"
	case "GET healthcheck ID status":
		return "GetHealthCheckStatus"
	case "DELETE healthcheck ID":
		return "DeleteHealthCheck"
	}
	return ""
}
