package app

import (
	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/probes"
)

// specsOf turns configured probes into runnable ones. Service probes go
// through green's API server.
func specsOf(configured []config.Probe, green *clusterLink) []probes.Spec {
	specs := make([]probes.Spec, len(configured))
	for i, p := range configured {
		specs[i] = probes.Spec{
			Name: p.Name, Check: checkOf(p, green),
			Interval: p.Interval, Timeout: p.Timeout, Successes: p.Successes, Failures: p.Failures,
		}
	}
	return specs
}

func checkOf(p config.Probe, green *clusterLink) probes.Check {
	switch {
	case p.HTTP != nil:
		return probes.HTTP(probes.HTTPOptions{
			URL: p.HTTP.URL, Host: p.HTTP.Host, ServerName: p.HTTP.ServerName, Method: p.HTTP.Method,
			Headers: p.HTTP.Headers, InsecureSkipVerify: p.HTTP.InsecureSkipVerify, Expect: expect(p.HTTP.Expect),
		})
	case p.TCP != nil:
		return probes.TCP(p.TCP.Address)
	default: // config refuses a probe of no kind
		return probes.Service(probes.ServiceOptions{
			BaseURL: green.baseURL(), Transport: green,
			Namespace: p.Service.Namespace, Name: p.Service.Name, Port: p.Service.Port,
			Path: p.Service.Path, Scheme: p.Service.Scheme, Expect: expect(p.Service.Expect),
		})
	}
}

func expect(e config.Expect) probes.Expect {
	return probes.Expect{Status: e.Status, Body: e.Body}
}
