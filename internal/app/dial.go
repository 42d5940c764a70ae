package app

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	sdkroute53 "github.com/aws/aws-sdk-go-v2/service/route53"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/internal/elb"
	"github.com/clusterswitch/clusterswitch/internal/measure"
	"github.com/clusterswitch/clusterswitch/internal/route53"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// dialAWS makes the adapters. It reads configuration and credentials, and asks
// AWS nothing yet.
func dialAWS(ctx context.Context, c *config.Config) (aws, error) {
	session, err := awsapi.Load(ctx, awsapi.Options{Region: c.AWS.Region, EndpointURL: c.AWS.EndpointURL})
	if err != nil {
		return aws{}, err
	}
	balancers := elasticloadbalancingv2.NewFromConfig(session)
	return aws{
		route53: route53.New(route53.Options{API: sdkroute53.NewFromConfig(session)}),
		elb:     elb.New(elb.Options{Rules: balancers, Health: balancers, Tags: balancers}),
		meter:   measure.New(measure.Options{API: cloudwatch.NewFromConfig(session)}),
	}, nil
}

// adapter gives the adapter of an entrance's kind.
func (a aws) adapter(e shift.Entrance) entrances {
	if e.Balancer != nil {
		return a.elb
	}
	return a.route53
}
