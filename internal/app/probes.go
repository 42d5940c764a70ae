package app

import (
	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/probes"
)

// specsOf turns configured probes into runnable ones of one side. Service probes
// go through the side's API server.
func specsOf(configured []config.Probe, side *clusterLink) []probes.Spec {
	specs := make([]probes.Spec, len(configured))
	for i, p := range configured {
		specs[i] = probes.Spec{
			Name: p.Name, Check: checkOf(p, side),
			Interval: p.Interval, Timeout: p.Timeout, Successes: p.Successes, Failures: p.Failures,
		}
	}
	return specs
}

// onBlue gives the probes that can be run against blue, as they are run there.
// The others need an address that the configuration doesn't have.
func onBlue(configured []config.Probe) []config.Probe {
	var able []config.Probe
	for _, p := range configured {
		switch {
		case p.HTTP != nil && p.HTTP.BlueURL != "":
			p.HTTP = new(*p.HTTP)
			p.HTTP.URL = p.HTTP.BlueURL
		case p.TCP != nil && p.TCP.BlueAddress != "":
			p.TCP = &config.TCPProbe{Address: p.TCP.BlueAddress}
		case p.TLS != nil && p.TLS.BlueAddress != "":
			p.TLS = new(*p.TLS)
			p.TLS.Address = p.TLS.BlueAddress
		case p.Service != nil:
		default:
			continue
		}
		able = append(able, p)
	}
	return able
}

func checkOf(p config.Probe, side *clusterLink) probes.Check {
	switch {
	case p.HTTP != nil:
		return probes.HTTP(probes.HTTPOptions{
			URL: p.HTTP.URL, Host: p.HTTP.Host, ServerName: p.HTTP.ServerName, Method: p.HTTP.Method,
			Headers: p.HTTP.Headers, InsecureSkipVerify: p.HTTP.InsecureSkipVerify, Expect: expect(p.HTTP.Expect),
		})
	case p.TCP != nil:
		return probes.TCP(p.TCP.Address)
	case p.TLS != nil:
		return probes.TLS(probes.TLSOptions{
			Address: p.TLS.Address, ServerName: p.TLS.ServerName, Names: p.TLS.Names, MinDays: p.TLS.MinDays,
			TLSFiles: probes.TLSFiles{CAFile: p.TLS.CAFile, CertFile: p.TLS.CertFile, KeyFile: p.TLS.KeyFile},
		})
	default: // config refuses a probe of no kind
		return probes.Service(probes.ServiceOptions{
			BaseURL: side.baseURL(), Transport: side,
			Namespace: p.Service.Namespace, Name: p.Service.Name, Port: p.Service.Port,
			Path: p.Service.Path, Scheme: p.Service.Scheme, Expect: expect(p.Service.Expect),
		})
	}
}

func expect(e config.Expect) probes.Expect {
	return probes.Expect{Status: e.Status, Body: e.Body}
}
