package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/clusterswitch/clusterswitch/config"
)

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

func TestFaultsOfHTTPProbes(t *testing.T) {
	request := func(keys, fault, message string) breach {
		return kind(`http: {url: "https://green", `+keys+`}`, "http."+fault, message)
	}
	breakEach(t, map[string]breach{
		"a body without POST":           request(`body: a`, "body", "is sent with POST alone; set method: POST or remove it"),
		"a certificate without its key": request(`certFile: /tls.crt`, "certFile", "has no key; add keyFile"),
		"authorities that nobody asks":  request(`caFile: /ca.crt, insecureSkipVerify: true`, "caFile", "has no effect while insecureSkipVerify takes any certificate"),
		"authorities without TLS":       kind(`http: {url: "http://green", caFile: /ca.crt}`, "http.caFile", "has no effect on an http URL; remove it or use https"),
		"a secret with a dash":          request(`secretFiles: {a-b: /a}`, "secretFiles.a-b", `"a-b" is not a name for a value`),
		"a secret without a file":       request(`secretFiles: {a: ""}`, "secretFiles.a", "is empty; set it to the path of a file"),
		"a secret that is none":         request(`secretFiles: {a: /a}, headers: {Authorization: "Bearer ${b}"}`, "headers.Authorization", "uses ${b}, which stands for nothing here; name it in secretFiles"),
	})
}

func TestFaultsOfStepsOfAProbe(t *testing.T) {
	steps := func(keys, fault, message string) breach {
		return kind(`http: {url: "https://green", secretFiles: {pin: /pin}, steps: [{name: a, path: /a, extract: [{name: id, json: id}]}, {name: b, `+keys+`}]}`, "http.steps[1]."+fault, message)
	}
	breakEach(t, map[string]breach{
		"a path beside steps":                  kind(`http: {url: "https://green/x", steps: [{name: a, path: /a}]}`, "http.url", "has a path or a query although there are steps"),
		"a path of blue's beside steps":        kind(`http: {url: "https://green", blueURL: "https://blue/?x", steps: [{name: a, path: /a}]}`, "http.blueURL", "has a path or a query although there are steps"),
		"a method beside steps":                kind(`http: {url: "https://green", method: HEAD, steps: [{name: a, path: /a}]}`, "http.method", "has no effect beside steps; move it into a step"),
		"a body beside steps":                  kind(`http: {url: "https://green", body: a, steps: [{name: a, path: /a}]}`, "http.body", "has no effect beside steps"),
		"an expectation beside steps":          kind(`http: {url: "https://green", expect: {status: [204]}, steps: [{name: a, path: /a}]}`, "http.expect", "has no effect beside steps"),
		"a name of a value in every request":   kind(`http: {url: "https://green", headers: {X: "${id}"}, steps: [{name: a, path: /a, extract: [{name: id, json: id}]}]}`, "http.headers.X", "uses ${id}, which stands for nothing here"),
		"too many steps":                       kind(`http: {url: "https://green", steps: [`+manySteps(21)+`]}`, "http.steps", "has 21 steps; use up to 20"),
		"two steps of one name":                {"- name: admin\n", "- name: more\n        http: {url: \"https://green\", steps: [{name: a, path: /a}, {name: a, path: /b}]} #!\n      - name: admin\n", "pairs[0].probes[1].http.steps[1].name", "a is the name of another step of this probe"},
		"a step without a path":                steps(`method: GET`, "path", "is missing"),
		"a path without a slash":               steps(`path: "b"`, "path", `"b" is not a path`),
		"a path to another host":               steps(`path: "//b/"`, "path", `"//b/" is not a path`),
		"a value that is not known":            steps(`path: "/${other}"`, "path", "uses ${other}, which stands for nothing here"),
		"a value of its own answer":            steps(`path: "/${x}", extract: [{name: x, json: x}]`, "path", "uses ${x}, which stands for nothing here"),
		"a header with an unknown value":       steps(`path: /b, headers: {X-A: "${id} ${no}"}`, "headers.X-A", "uses ${no}, which"),
		"a body with an unknown value":         steps(`path: /b, method: POST, body: "${no}"`, "body", "write $${no} for the text itself"),
		"a body without POST in a step":        steps(`path: /b, body: x`, "body", "is sent with POST alone"),
		"no good status in a step":             steps(`path: /b, expect: {status: []}`, "expect.status", "no answer is good"),
		"a name that is taken":                 steps(`path: /b, extract: [{name: id, json: id}]`, "extract[0].name", "id stands for another value already"),
		"the name of a secret":                 steps(`path: /b, extract: [{name: pin, json: id}]`, "extract[0].name", "pin stands for another value already"),
		"a name with a dot":                    steps(`path: /b, extract: [{name: a.b, json: id}]`, "extract[0].name", `"a.b" is not a name for a value`),
		"a value from nowhere":                 steps(`path: /b, extract: [{name: x}]`, "extract[0]", "has no kind; give it one of json, header or regexp"),
		"a value from two places":              steps(`path: /b, extract: [{name: x, json: a, header: b}]`, "extract[0]", "has 2 kinds"),
		"an expression that is none":           steps(`path: /b, extract: [{name: x, regexp: "("}]`, "extract[0].regexp", "is not a regular expression: missing closing )"),
		"an expression without a group":        steps(`path: /b, extract: [{name: x, regexp: "x"}]`, "extract[0].regexp", "has no group"),
		"a body's value in the answer to HEAD": steps(`path: /b, method: HEAD, extract: [{name: x, json: x}]`, "extract[0]", "cannot be found in the answer to HEAD"),
	})
}

func manySteps(n int) string {
	var steps []string
	for i := range n {
		steps = append(steps, fmt.Sprintf("{name: s%d, path: /}", i))
	}
	return strings.Join(steps, ", ")
}

// What a single request says is sent as it is, unless it names secrets.
func TestOneRequestMayHoldAnything(t *testing.T) {
	doc := strings.Replace(small, "url:", "method: POST\n          body: \"${x} $${y}\"\n          headers: {X: \"${x}\"}\n          url:", 1)
	if _, err := config.Parse("c.yaml", []byte(doc), nil); err != nil {
		t.Error(err)
	}
	doc = strings.Replace(small, "url:", "secretFiles: {x: /x}\n          headers: {X: \"${x} $${y}\"}\n          url:", 1)
	if _, err := config.Parse("c.yaml", []byte(doc), nil); err != nil {
		t.Error(err)
	}
}

func TestFaultsOfLatency(t *testing.T) {
	const call = `grpc: {address: "green:443"}` + "\n        "
	breakEach(t, map[string]breach{
		"no limit": kind(call+`latency: {}`, "latency.p95", "is missing; set it to a duration from 1ms to 5m"),
		"a limit that the timeout never lets come": kind(call+`latency: {p95: 3s}`, "latency.p95", "3s has no effect beside the timeout of 3s"),
		"a limit of nothing":                       kind(call+`latency: {p95: 0s}`, "latency.p95", "0s is out of range"),
	})
}
