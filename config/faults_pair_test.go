package config_test

import (
	"fmt"
	"strings"
	"testing"
)

const (
	ruleARN  = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee"
	blueARN  = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/blue/73e2d6bc24d8a067"
	greenARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/green/84f3e7cd35e9b178"
)

func TestFaultsOfAPair(t *testing.T) {
	breakEach(t, map[string]breach{
		"a rollback that is a number": {
			"serve: green", "serve: green\n    rollback: 7 #!", "pairs[0].rollback",
			"7 is neither true nor false; write true or false, without quotes",
		},
		"a rollback in quotes": {
			"serve: green", "serve: green\n    rollback: \"yes\" #!", "pairs[0].rollback", `"yes" is neither true nor false`,
		},
		"a rollback that is a bare yes": {
			"serve: green", "serve: green\n    rollback: yes #!", "pairs[0].rollback", "yes is neither true nor false",
		},
		"a rollback without a value": {
			"serve: green", "serve: green\n    rollback: #!", "pairs[0].rollback", "has no value; use true or false, or remove the key",
		},
		"an attempt that is text": {
			"serve: green", "serve: green\n    attempt: one #!", "pairs[0].attempt", "one is not a whole number; use a whole number from 0",
		},
		"a negative attempt": {
			"serve: green", "serve: green\n    attempt: -1 #!", "pairs[0].attempt", "-1 is out of range",
		},
		"a misspelt key": {
			"serve: green", "serve: green\n    rolback: true #!", "pairs[0].rolback", "is not a known key; did you mean rollback?",
		},
		"a key in the wrong case": {
			"serve: green", "serve: green\n    handsoff: true #!", "pairs[0].handsoff", "did you mean handsOff?",
		},
		"a key given twice": {
			"serve: green", "serve: green\n    serve: blue #!", "pairs[0].serve", "is already given on line 4; keep one of the two",
		},
		"a key that is a number": {
			"serve: green", "serve: green\n    7: blue #!", "pairs[0].7", "is not text; write the key as a plain word",
		},
		"a merge key": {
			"serve: green", "serve: green\n    <<: {paused: true} #!", "pairs[0].<<", "merge keys are not supported",
		},
		"a name that is no label": {
			"name: shop\n", "name: Shop_1 #!\n", "pairs[0].name", `"Shop_1" is not a DNS label`,
		},
		"a name that is a number": {
			"name: shop\n", "name: 7 #!\n", "pairs[0].name", "7 is not text; put it in quotes",
		},
		"a pair that serves nobody": {
			"    serve: green\n", "", "pairs[0].serve", "is missing; set it to blue or green",
		},
		"a workload without its namespace": {
			"serve: green", "serve: green\n    workloads: {ignore: [web]} #!", "pairs[0].workloads.ignore[0]", `"web" is not a workload; use namespace/name`,
		},
		"a namespace listed twice": {
			"serve: green", "serve: green\n    workloads: {namespaces: [a, a]} #!", "pairs[0].workloads.namespaces[1]", "is listed twice",
		},
		"replicas above one hundred percent": {
			"serve: green", "serve: green\n    replicas: {atLeast: 101%} #!", "pairs[0].replicas.atLeast", "101% is not a percentage; use a whole number from 0 to 100",
		},
		"a long value": {
			"serve: green", "serve: \"" + strings.Repeat("green", 20) + "\" #!", "pairs[0].serve", `greengreen…" is not known here; use blue or green`,
		},
	})
}

func TestFaultsOfProbes(t *testing.T) {
	breakEach(t, map[string]breach{
		"two probes of one name": {
			"- name: admin\n", "- name: storefront #!\n", "pairs[0].probes[1].name",
			"storefront is the name of another probe of this pair (pairs[0].probes[0].name, line 10)",
		},
		"a probe of no kind": {
			"- name: admin\n", "- name: nothing #!\n      - name: admin\n", "pairs[0].probes[1]", "has no kind; give it one of http, tcp, tls or service",
		},
		"a probe of two kinds": {
			"- name: admin\n", "- name: admin #!\n        tcp: {address: \"10.0.0.1:1\"}\n", "pairs[0].probes[1]", "has 2 kinds; give it exactly one",
		},
		"a probe of a kind to come": {
			"- name: admin\n", "- name: admin\n        grpc: {address: \"10.0.0.1:1\"} #!\n", "pairs[0].probes[1].grpc", "gRPC probes are not supported yet",
		},
		"a timeout longer than the interval": {
			"- name: admin\n", "- name: admin\n        timeout: 11s #!\n", "pairs[0].probes[1].timeout", "11s is longer than the interval of 10s",
		},
		"readings that go stale between two runs": {
			"serve: green", "serve: green\n    staleAfter: 12s #!", "pairs[0].staleAfter", "12s is shorter than the 14s that two readings of probe storefront may lie apart",
		},
		"a URL without a host": {
			"url: https://10.0.0.1:8443/healthz", "url: https:///healthz #!", "pairs[0].probes[0].http.url", "is not an absolute URL",
		},
		"a URL with a password": {
			"url: https://10.0.0.1", "url: https://me:secret@10.0.0.1 #!\n          #", "pairs[0].probes[0].http.url", "holds a user name or password",
		},
		"a server name without TLS": {
			"url: https://", "serverName: shop.example.com #!\n          url: http://", "pairs[0].probes[0].http.serverName", "has no effect on an http URL",
		},
		"a body in the answer to HEAD": {
			"url:", "method: HEAD\n          expect: {body: ok} #!\n          url:", "pairs[0].probes[0].http.expect.body", "cannot be found in the answer to HEAD",
		},
		"a status nobody sends": {
			"url:", "expect: {status: [200, 99]} #!\n          url:", "pairs[0].probes[0].http.expect.status[1]", "99 is out of range; use a whole number from 100 to 599",
		},
		"no good status": {
			"url:", "expect: {status: []} #!\n          url:", "pairs[0].probes[0].http.expect.status", "no answer is good",
		},
		"a Host header": {
			"url:", "headers: {host: a} #!\n          url:", "pairs[0].probes[0].http.headers.host", "use the key host instead",
		},
		"a header that is a number": {
			"url:", "headers: {X-Team: 7} #!\n          url:", "pairs[0].probes[0].http.headers.X-Team", "is not text; put the value in quotes",
		},
		"a port that no socket has": {
			"port: 8080", "port: 70000 #!", "pairs[0].probes[1].service.port", "70000 is out of range; use a whole number from 1 to 65535",
		},
		"a path without a slash": {
			"port: 8080", "port: 8080\n          path: healthz #!", "pairs[0].probes[1].service.path", `"healthz" is not a path`,
		},
		"a TCP address without a port": {
			"- name: admin\n", "- name: db\n        tcp: {address: 10.0.0.1} #!\n      - name: admin\n", "pairs[0].probes[1].tcp.address", "is not an address; use host:port",
		},
		"blue's URL without a host": {
			"url:", "blueURL: https:///healthz #!\n          url:", "pairs[0].probes[0].http.blueURL", "is not an absolute URL",
		},
		"blue's URL that is green's": {
			"url:", "blueURL: https://10.0.0.1:8443/healthz #!\n          url:", "pairs[0].probes[0].http.blueURL", "is green's url",
		},
		"a server name without TLS on both sides": {
			"url: https://", "blueURL: http://10.0.0.2/\n          serverName: shop.example.com #!\n          url: http://", "pairs[0].probes[0].http.serverName", "has no effect on an http URL",
		},
		"a certificate unchecked without TLS on both sides": {
			"url: https://", "blueURL: http://10.0.0.2/\n          insecureSkipVerify: true #!\n          url: http://", "pairs[0].probes[0].http.insecureSkipVerify", "has no effect on an http URL",
		},
		"blue's TCP address without a port": {
			"- name: admin\n", "- name: db\n        tcp: {address: \"10.0.0.1:1\", blueAddress: 10.0.0.2} #!\n      - name: admin\n", "pairs[0].probes[1].tcp.blueAddress", "is not an address; use host:port",
		},
		"blue's TCP address that is green's": {
			"- name: admin\n", "- name: db\n        tcp: {address: \"10.0.0.1:1\", blueAddress: \"10.0.0.1:1\"} #!\n      - name: admin\n", "pairs[0].probes[1].tcp.blueAddress", "is green's address",
		},
		"a URL with a fragment": {
			"url: https://10.0.0.1:8443/healthz", "url: https://10.0.0.1/#top #!", "pairs[0].probes[0].http.url", "has a fragment (#top)",
		},
		"a host with a scheme": {
			"url:", "host: https://shop.example.com #!\n          url:", "pairs[0].probes[0].http.host", "is not a host",
		},
		"a certificate unchecked without TLS": {
			"url: https://", "insecureSkipVerify: true #!\n          url: http://", "pairs[0].probes[0].http.insecureSkipVerify", "has no effect on an http URL",
		},
		"a header name with a space": {
			"url:", "headers: {X Team: a} #!\n          url:", `pairs[0].probes[0].http.headers["X Team"]`, "is not a header name",
		},
		"a header over two lines": {
			"url:", "headers: {X-Team: \"a\\nb\"} #!\n          url:", "pairs[0].probes[0].http.headers.X-Team", "holds a line break",
		},
		"headers as a list": {
			"url:", "headers: [a] #!\n          url:", "pairs[0].probes[0].http.headers", "is a list; use a mapping of names to texts",
		},
		"an age below the interval": {
			"pairs:\n  - name: shop\n", "interval: 1m\npairs:\n  - name: shop\n    staleAfter: 30s #!\n", "pairs[0].staleAfter", "30s is shorter than the interval of 1m0s",
		},
	})
}

func TestFaultsOfTraffic(t *testing.T) {
	breakEach(t, map[string]breach{
		"traffic of two kinds": {
			"- alb:\n", "- route53: {hostedZoneID: Z1, names: [a.example.com], blueSetIdentifier: b, greenSetIdentifier: g} #!\n        alb:\n", "pairs[0].traffic[0]",
			"has 2 kinds; give it exactly one of alb, nlb or route53",
		},
		"a rule and a listener": {
			"- alb:\n", "- alb: #!\n          listenerARN: arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2\n", "pairs[0].traffic[0].alb",
			"has 2 kinds; give it exactly one of ruleARN or listenerARN",
		},
		"neither rule nor listener": {
			"- alb:\n          ruleARN: ", "- alb: #!\n          #ruleARN: ", "pairs[0].traffic[0].alb", "has no kind; give it one of ruleARN or listenerARN",
		},
		"a network load balancer's listener at an alb": {
			"ruleARN: " + ruleARN, "listenerARN: arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/net/shop/50dc6c495c0c9188/f2f7dc8efc522ab2 #!", "pairs[0].traffic[0].alb.listenerARN",
			"is not the ARN of a listener of an Application Load Balancer",
		},
		"a listener instead of a rule": {
			ruleARN, "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2 #!", "pairs[0].traffic[0].alb.ruleARN",
			"is not the ARN of an Application Load Balancer's listener rule",
		},
		"a target group by its name": {
			blueARN, "blue #!", "pairs[0].traffic[0].alb.blueTargetGroupARN", `"blue" is not the ARN of a target group`,
		},
		"one target group for both": {
			greenARN, blueARN + " #!", "pairs[0].traffic[0].alb.greenTargetGroupARN", "is the same target group as blue's",
		},
		"a target group in another Region": {
			greenARN, strings.Replace(greenARN, "eu-west-1", "eu-west-2", 1) + " #!", "pairs[0].traffic[0].alb.greenTargetGroupARN",
			"is in eu-west-2:123456789012 but the rule is in eu-west-1:123456789012",
		},
		"one rule for two entrances": {
			"      - route53:\n", "      - alb:\n          ruleARN: " + ruleARN + " #!\n          blueTargetGroupARN: " + blueARN + "\n          greenTargetGroupARN: " + greenARN + "\n      - route53:\n",
			"pairs[0].traffic[1].alb.ruleARN", "is the rule of another entrance (pairs[0].traffic[0].alb.ruleARN, line 20)",
		},
		"no traffic": {
			small[strings.Index(small, "    traffic:"):strings.Index(small, "    steps:")], "    traffic: [] #!\n", "pairs[0].traffic", "is an empty list",
		},
		"the same name twice": {
			"names: [shop.example.com]", "names: [shop.example.com, Shop.example.com.] #!", "pairs[0].traffic[1].route53.names[1]",
			"is the record of another entrance",
		},
		"an entrance of hundreds of names": {
			"names: [shop.example.com]", "names: [" + manyNames(501) + "] #!", "pairs[0].traffic[1].route53.names", "has 501 names; one entrance takes up to 500",
		},
		"a name without a zone": {
			"names: [shop.example.com]", "names: [shop] #!", "pairs[0].traffic[1].route53.names[0]", `"shop" is not a DNS name`,
		},
		"a record type that isn't shifted": {
			"hostedZoneID: Z123", "hostedZoneID: Z123\n          types: [A, MX] #!", "pairs[0].traffic[1].route53.types[1]", "is not a type whose records can be shifted; use A, AAAA or CNAME",
		},
		"a record type twice": {
			"hostedZoneID: Z123", "hostedZoneID: Z123\n          types: [A, A] #!", "pairs[0].traffic[1].route53.types[1]", "is listed twice",
		},
		"a CNAME that isn't alone": {
			"hostedZoneID: Z123", "hostedZoneID: Z123\n          types: [A, CNAME] #!", "pairs[0].traffic[1].route53.types", "a CNAME stands alone at its name",
		},
		"no record type": {
			"hostedZoneID: Z123", "hostedZoneID: Z123\n          types: [] #!", "pairs[0].traffic[1].route53.types", "is an empty list",
		},
		"a mark with a dot": {
			"hostedZoneID: Z123", "hostedZoneID: Z123\n          markPrefix: _a.b #!", "pairs[0].traffic[1].route53.markPrefix", "is not one label of a DNS name",
		},
		"a role that is a name": {
			"hostedZoneID: Z123", "hostedZoneID: Z123\n          roleARN: dns #!", "pairs[0].traffic[1].route53.roleARN", `"dns" is not the ARN of an IAM role`,
		},
		"a zone by its path": {
			"hostedZoneID: Z123", "hostedZoneID: /hostedzone/Z123 #!", "pairs[0].traffic[1].route53.hostedZoneID", "without /hostedzone/",
		},
		"one set identifier for both": {
			"greenSetIdentifier: green", "greenSetIdentifier: blue #!", "pairs[0].traffic[1].route53.greenSetIdentifier", "is the same as blue's",
		},
		"an empty set identifier": {
			"greenSetIdentifier: green", "greenSetIdentifier: \"\" #!", "pairs[0].traffic[1].route53.greenSetIdentifier", "has 0 characters; use 1 to 128",
		},
	})
}

func TestFaultsOfSteps(t *testing.T) {
	breakEach(t, map[string]breach{
		"a share above one hundred": {
			"share: 1\n", "share: 120 #!\n", "pairs[0].steps[0].share",
			"120 is not a percentage; use a whole number from 1 to 100",
		},
		"a share of zero": {
			"share: 1\n", "share: 0 #!\n", "pairs[0].steps[0].share",
			"0 is not a percentage; use a whole number from 1 to 100",
		},
		"a share with a fraction": {
			"share: 1\n", "share: 1.9 #!\n", "pairs[0].steps[0].share",
			"1.9 is not a percentage; use a whole number from 1 to 100",
		},
		"a share in octal": {
			"share: 1\n", "share: 010 #!\n", "pairs[0].steps[0].share", "010 is not a percentage",
		},
		"shares that do not rise": {
			"share: 1\n", "share: 50\n      - share: 50 #!\n", "pairs[0].steps[1].share",
			"50 is not more than the 50 of the step before",
		},
		"a last step below one hundred": {
			"share: 100\n", "share: 99 #!\n", "pairs[0].steps[1].share",
			"99 leaves traffic on blue for ever; let the last step be 100",
		},
		"no step": {
			"steps:\n      - share: 1\n      - share: 100\n", "steps: [] #!\n", "pairs[0].steps", "is an empty list; add at least one entry",
		},
		"a step without a share": {
			"share: 1\n", "hold: 1m #!\n", "pairs[0].steps[0].share", "is missing; set it to a whole number from 1 to 100",
		},
		"a negative hold": {
			"share: 1\n", "share: 1\n        hold: -1s #!\n", "pairs[0].steps[0].hold", "-1s is out of range; use a duration of at least 0s",
		},
		"a key from somewhere else": {
			"share: 1\n", "share: 1\n        weight: 3 #!\n", "pairs[0].steps[0].weight", "is not a known key; use share, hold or approval",
		},
	})
}

func TestFaultsOfGates(t *testing.T) {
	breakEach(t, map[string]breach{
		"no gate": {
			small[strings.Index(small, "    gates:"):], "", "pairs[0].gates", "has no gate on users' traffic; add one, or set soakOnly: true",
		},
		"gates that are not wanted": {
			"serve: green", "serve: green\n    soakOnly: true #!", "pairs[0].soakOnly", "is true although there are gates",
		},
		"an error ratio in percent without its sign": {
			"maxErrorRatio: 1%", "maxErrorRatio: 5 #!", "pairs[0].gates[0].cloudwatch.maxErrorRatio",
			"5 is not a fraction; use a fraction from 0 to 1, such as 0.01 or 1%",
		},
		"a gate on blue": {
			"targetGroup: targetgroup/green/84f3e7cd35e9b178", "targetGroup: targetgroup/blue/73e2d6bc24d8a067 #!", "pairs[0].gates[0].cloudwatch.targetGroup",
			"is blue's target group; use green's",
		},
		"a period CloudWatch does not have": {
			"maxErrorRatio: 1%", "maxErrorRatio: 1%\n          period: 90s #!\n          window: 3m", "pairs[0].gates[0].cloudwatch.period",
			"1m30s is not a period of CloudWatch; use 1s, 5s, 10s, 30s or a multiple of 60s",
		},
		"a window between two periods": {
			"maxErrorRatio: 1%", "maxErrorRatio: 1%\n          window: 90s #!", "pairs[0].gates[0].cloudwatch.window", "1m30s is not a multiple of the period of 1m0s",
		},
		"an error ratio that is no number": {
			"maxErrorRatio: 1%", "maxErrorRatio: low #!", "pairs[0].gates[0].cloudwatch.maxErrorRatio", "low is not a fraction",
		},
		"an error ratio that is not a number at all": {
			"maxErrorRatio: 1%", "maxErrorRatio: .nan #!", "pairs[0].gates[0].cloudwatch.maxErrorRatio", ".nan is not a fraction",
		},
		"an error ratio of more than all": {
			"maxErrorRatio: 1%", "maxErrorRatio: 101% #!", "pairs[0].gates[0].cloudwatch.maxErrorRatio", "101% is not a fraction",
		},
	})
}

func manyNames(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("shop-%d.example.com", i)
	}
	return strings.Join(names, ", ")
}

func TestFaultsOfAPreflight(t *testing.T) {
	breakEach(t, map[string]breach{
		"a preflight of an unknown mode": {
			"serve: green", "serve: green\n    preflight: {mode: strict} #!", "pairs[0].preflight.mode", "use block, warn or off",
		},
		"a pattern that matches everything": {
			"serve: green", "serve: green\n    preflight: {ignore: [{}]} #!", "pairs[0].preflight.ignore[0]", "matches every object",
		},
		"a pattern that is none": {
			"serve: green", "serve: green\n    preflight: {ignore: [{name: \"a[\"}]} #!", "pairs[0].preflight.ignore[0].name", "is not a pattern",
		},
		"a waiver without a reason": {
			"serve: green", "serve: green\n    preflight: {waivers: [{id: A/b, until: 2027-01-31}]} #!", "pairs[0].preflight.waivers[0].reason", "is missing",
		},
		"a waiver without an end": {
			"serve: green", "serve: green\n    preflight: {waivers: [{id: A/b, reason: known}]} #!", "pairs[0].preflight.waivers[0].until", "is missing",
		},
		"a waiver that ends on no day": {
			"serve: green", "serve: green\n    preflight: {waivers: [{id: A/b, reason: known, until: \"31.1.2027\"}]} #!", "pairs[0].preflight.waivers[0].until", "is not a day",
		},
		"two waivers of one finding": {
			"serve: green", "serve: green\n    preflight: {waivers: [{id: A/b, reason: x, until: \"2027-01-31\"}, {id: A/b, reason: y, until: \"2027-01-31\"}]} #!", "pairs[0].preflight.waivers[1].id", "is waived twice",
		},
	})
}
