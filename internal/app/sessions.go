package app

import (
	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/awsapi"
)

// sessionsOf says how AWS is reached, and how often.
func sessionsOf(c config.AWS, meter awsapi.Meter) awsapi.SessionsOptions {
	return awsapi.SessionsOptions{
		Region: c.Region, EndpointURL: c.EndpointURL, Meter: meter,
		Budgets: awsapi.Budgets{Route53: awsapi.Rate(c.Budget.Route53), ELB: awsapi.Rate(c.Budget.ELB)},
	}
}
