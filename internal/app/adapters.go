package app

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	sdkroute53 "github.com/aws/aws-sdk-go-v2/service/route53"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/internal/elb"
	"github.com/clusterswitch/clusterswitch/internal/measure"
	"github.com/clusterswitch/clusterswitch/internal/route53"
)

// adaptersOf makes adapters that speak with AWS. interval is how often pairs look.
func adaptersOf(sessions *awsapi.Sessions, interval time.Duration) adapters {
	// All pairs look at the same instants, but a thousand of them take a while to
	// ask: what is at most this old is of the same instant.
	reuse := interval / 4
	return adapters{
		route53: func(p place) entrances {
			return route53.New(route53.Options{API: sdkroute53.NewFromConfig(sessions.For(p.role, p.region)), Reuse: reuse})
		},
		elb: func(p place) entrances {
			client := elasticloadbalancingv2.NewFromConfig(sessions.For(p.role, p.region))
			return elb.New(elb.Options{
				Rules: client, Listeners: client, Health: client, Tags: client, Attributes: client, Balancers: client, Reuse: reuse,
			})
		},
		meter: func(p place) meter {
			return measure.New(measure.Options{API: cloudwatch.NewFromConfig(sessions.For(p.role, p.region))})
		},
	}
}
