package config_test

import "testing"

// kind puts a probe of the given kind into the small document. Its line, which has the mark, is the fault's.
func kind(is, fault, message string) breach {
	at := "pairs[0].probes[1]"
	if fault != "" {
		at += "." + fault
	}
	return breach{"- name: admin\n", "- name: more\n        " + is + " #!\n      - name: admin\n", at, message}
}

func TestFaultsOfTLSProbes(t *testing.T) {
	breakEach(t, map[string]breach{
		"an address without a port":      kind(`tls: {address: green.example.com}`, "tls.address", "is not an address; use host:port"),
		"blue's address without a port":  kind(`tls: {address: "green:443", blueAddress: blue}`, "tls.blueAddress", "is not an address; use host:port"),
		"blue's address that is green's": kind(`tls: {address: "green:443", blueAddress: "green:443"}`, "tls.blueAddress", "is green's address"),
		"a name that is a URL":           kind(`tls: {address: "green:443", serverName: "https://shop"}`, "tls.serverName", `"https://shop" is not a name`),
		"a further name with a wildcard": kind(`tls: {address: "green:443", names: [shop.example.com, "*.example.com"]}`, "tls.names[1]", `"*.example.com" is not a name`),
		"a further name twice":           kind(`tls: {address: "green:443", names: [a, a]}`, "tls.names[1]", "is listed twice"),
		"days below zero":                kind(`tls: {address: "green:443", minDays: -1}`, "tls.minDays", "-1 is out of range; use a whole number from 0 to 3650"),
		"a certificate without its key":  kind(`tls: {address: "green:443", certFile: /tls.crt}`, "tls.certFile", "has no key; add keyFile"),
		"a key without its certificate":  kind(`tls: {address: "green:443", keyFile: /tls.key}`, "tls.keyFile", "has no certificate; add certFile"),
		"any certificate":                kind(`tls: {address: "green:443", insecureSkipVerify: true}`, "tls.insecureSkipVerify", "is not a known key"),
	})
}

func TestFaultsOfGRPCProbes(t *testing.T) {
	breakEach(t, map[string]breach{
		"an address without a port":      kind(`grpc: {address: green.example.com}`, "grpc.address", "is not an address; use host:port"),
		"blue's address that is green's": kind(`grpc: {address: "green:443", blueAddress: "green:443"}`, "grpc.blueAddress", "is green's address"),
		"a service by its path":          kind(`grpc: {address: "green:443", service: /shop.Orders/Get}`, "grpc.service", `"/shop.Orders/Get" is not a service`),
		"a host with a scheme":           kind(`grpc: {address: "green:443", host: "https://shop"}`, "grpc.host", `"https://shop" is not a host`),
		"a key without its certificate":  kind(`grpc: {address: "green:443", tls: {keyFile: /tls.key}}`, "grpc.tls.keyFile", "has no certificate; add certFile"),
		"authorities that nobody asks":   kind(`grpc: {address: "green:443", tls: {caFile: /ca.crt, insecureSkipVerify: true}}`, "grpc.tls.caFile", "has no effect while insecureSkipVerify takes any certificate"),
		"TLS that is a word":             kind(`grpc: {address: "green:443", tls: true}`, "grpc.tls", "is the single value true; use a mapping with the keys serverName, caFile"),
	})
}

func TestFaultsOfDNSProbes(t *testing.T) {
	breakEach(t, map[string]breach{
		"a server without a port":        kind(`dns: {server: 10.0.0.2, name: shop.example.com}`, "dns.server", "is not an address; use host:port"),
		"blue's server that is green's":  kind(`dns: {server: "10.0.0.2:53", blueServer: "10.0.0.2:53", name: shop.example.com}`, "dns.blueServer", "is green's server"),
		"no name":                        kind(`dns: {server: "10.0.0.2:53"}`, "dns.name", "is missing"),
		"a name that is a URL":           kind(`dns: {server: "10.0.0.2:53", name: "https://shop"}`, "dns.name", `"https://shop" is not a DNS name`),
		"a type that nobody has":         kind(`dns: {server: "10.0.0.2:53", name: shop.example.com, type: ANY}`, "dns.type", "ANY is not known here; use A, AAAA, CNAME"),
		"a name as an address":           kind(`dns: {server: "10.0.0.2:53", name: shop.example.com, anyOf: [192.0.2.1, a.example.com]}`, "dns.anyOf[1]", `"a.example.com" is not an IPv4 address`),
		"an address of the other family": kind(`dns: {server: "10.0.0.2:53", name: shop.example.com, type: AAAA, anyOf: [192.0.2.1]}`, "dns.anyOf[0]", `"192.0.2.1" is not an IPv6 address`),
		"an answer twice":                kind(`dns: {server: "10.0.0.2:53", name: shop.example.com, anyOf: [192.0.2.1, 192.0.2.1]}`, "dns.anyOf[1]", "is listed twice"),
		"an empty answer":                kind(`dns: {server: "10.0.0.2:53", name: shop.example.com, type: TXT, anyOf: [""]}`, "dns.anyOf[0]", "is empty"),
	})
}

func TestFaultsOfWebSocketProbes(t *testing.T) {
	breakEach(t, map[string]breach{
		"a URL of HTTP":                                     kind(`websocket: {url: "https://green/live"}`, "websocket.url", "is not the URL of a WebSocket; use ws://host/path or wss://host/path"),
		"a URL with a password":                             kind(`websocket: {url: "wss://me:secret@green/live"}`, "websocket.url", "holds a user name or password"),
		"blue's URL that is green's":                        kind(`websocket: {url: "ws://green/live", blueURL: "ws://green/live"}`, "websocket.blueURL", "is green's url"),
		"a server name without TLS":                         kind(`websocket: {url: "ws://green/live", serverName: shop.example.com}`, "websocket.serverName", "has no effect on a ws URL; remove it or use wss"),
		"a certificate unchecked without TLS on both sides": kind(`websocket: {url: "ws://green/live", blueURL: "ws://blue/live", insecureSkipVerify: true}`, "websocket.insecureSkipVerify", "has no effect on a ws URL"),
		"two subprotocols":                                  kind(`websocket: {url: "ws://green/live", subprotocol: "a, b"}`, "websocket.subprotocol", `"a, b" is not one subprotocol`),
		"a Host header":                                     kind(`websocket: {url: "ws://green/live", headers: {host: a}}`, "websocket.headers.host", "use the key host instead"),
	})
}
