package app

import (
	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/reach"
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
		if p.Latency != nil {
			specs[i].MaxP95 = p.Latency.P95
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
		case p.GRPC != nil && p.GRPC.BlueAddress != "":
			p.GRPC = new(*p.GRPC)
			p.GRPC.Address = p.GRPC.BlueAddress
		case p.DNS != nil && p.DNS.BlueServer != "":
			p.DNS = new(*p.DNS)
			p.DNS.Server = p.DNS.BlueServer
		case p.WebSocket != nil && p.WebSocket.BlueURL != "":
			p.WebSocket = new(*p.WebSocket)
			p.WebSocket.URL = p.WebSocket.BlueURL
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
		return probes.HTTP(httpOptions(*p.HTTP, p.Reach))
	case p.TCP != nil:
		return probes.TCP(probes.TCPOptions{Address: p.TCP.Address, Reach: p.Reach})
	case p.TLS != nil:
		return probes.TLS(probes.TLSOptions{
			Address: p.TLS.Address, ServerName: p.TLS.ServerName, Names: p.TLS.Names, MinDays: p.TLS.MinDays, Reach: p.Reach,
			TLSFiles: probes.TLSFiles{CAFile: p.TLS.CAFile, CertFile: p.TLS.CertFile, KeyFile: p.TLS.KeyFile},
		})
	case p.GRPC != nil:
		return probes.GRPC(grpcOptions(*p.GRPC, p.Reach))
	case p.DNS != nil:
		return probes.DNS(probes.DNSOptions{
			Server: p.DNS.Server, Name: p.DNS.Name, Type: p.DNS.Type, AnyOf: p.DNS.AnyOf, Contains: p.DNS.Contains, Reach: p.Reach,
		})
	case p.WebSocket != nil:
		w := p.WebSocket
		return probes.WebSocket(probes.WebSocketOptions{
			URL: w.URL, Host: w.Host, ServerName: w.ServerName, Subprotocol: w.Subprotocol, Headers: w.Headers,
			InsecureSkipVerify: w.InsecureSkipVerify, Reach: p.Reach,
			TLSFiles: probes.TLSFiles{CAFile: w.CAFile, CertFile: w.CertFile, KeyFile: w.KeyFile},
		})
	default: // config refuses a probe of no kind
		return probes.Service(probes.ServiceOptions{
			BaseURL: side.baseURL(), Transport: side,
			Namespace: p.Service.Namespace, Name: p.Service.Name, Port: p.Service.Port,
			Path: p.Service.Path, Scheme: p.Service.Scheme, Expect: expect(p.Service.Expect),
		})
	}
}

func httpOptions(h config.HTTPProbe, allowed reach.Policy) probes.HTTPOptions {
	opts := probes.HTTPOptions{
		URL: h.URL, Host: h.Host, ServerName: h.ServerName, Method: h.Method, Headers: h.Headers, Body: h.Body,
		InsecureSkipVerify: h.InsecureSkipVerify, Expect: expect(h.Expect), SecretFiles: h.SecretFiles, Reach: allowed,
		TLSFiles: probes.TLSFiles{CAFile: h.CAFile, CertFile: h.CertFile, KeyFile: h.KeyFile},
	}
	for _, s := range h.Steps {
		step := probes.HTTPStep{Name: s.Name, Path: s.Path, Method: s.Method, Headers: s.Headers, Body: s.Body, Expect: expect(s.Expect)}
		for _, e := range s.Extract {
			step.Extract = append(step.Extract, probes.Extract(e))
		}
		opts.Steps = append(opts.Steps, step)
	}
	return opts
}

func grpcOptions(g config.GRPCProbe, allowed reach.Policy) probes.GRPCOptions {
	opts := probes.GRPCOptions{Address: g.Address, Host: g.Host, Service: g.Service, Reach: allowed}
	if t := g.TLS; t != nil {
		opts.TLS = &probes.GRPCTLS{
			ServerName: t.ServerName, InsecureSkipVerify: t.InsecureSkipVerify,
			TLSFiles: probes.TLSFiles{CAFile: t.CAFile, CertFile: t.CertFile, KeyFile: t.KeyFile},
		}
	}
	return opts
}

func expect(e config.Expect) probes.Expect {
	return probes.Expect{Status: e.Status, Body: e.Body}
}
