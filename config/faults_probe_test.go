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
