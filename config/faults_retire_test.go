package config_test

import "testing"

// retiring gives the small document's pair a retire section; each case breaks it by its own entry.
func retiring(section string) string { return "serve: green\n    retire: {" + section + "} #!" }

func TestFaultsOfRetire(t *testing.T) {
	const at = "pairs[0].retire"
	const server = "server: {url: https://p.example.com}"
	breakEach(t, map[string]breach{
		"a silence of no length":     {"serve: green", retiring("silentFor: 0s"), at + ".silentFor", "1m"},
		"a silence that is too long": {"serve: green", retiring("silentFor: 2000h"), at + ".silentFor", "1440h"},
		"a query without a server":   {"serve: green", retiring("queries: [{name: a, query: up}]"), at + ".queries[0].server", "is missing"},
		"a query that is none":       {"serve: green", retiring("queries: [{name: a, " + server + ", query: \"sum(\"}]"), at + ".queries[0].query", "is not PromQL"},
		"a query with a bad name":    {"serve: green", retiring("queries: [{name: A B, " + server + ", query: up}]"), at + ".queries[0].name", "is not a DNS label"},
		"two queries of one name": {
			"serve: green", retiring("queries: [{name: a, " + server + ", query: up}, {name: a, " + server + ", query: up}]"), at + ".queries[1].name", "is the name of another query",
		},
		"a match that counts for nothing": {
			"serve: green", retiring("queries: [{name: a, server: {url: https://p.example.com, match: {cluster: blue}}, query: up}]"), at + ".queries[0].server.match", "write the labels into the query",
		},
		"a server with two secrets": {
			"serve: green", retiring("queries: [{name: a, server: {url: https://p.example.com, bearerTokenFile: /t, basicAuth: {username: a, passwordFile: /p}}, query: up}]"),
			at + ".queries[0].server.bearerTokenFile", "is given beside basicAuth",
		},
		"a name that is everywhere":    {"serve: green", retiring("names: [old]"), at + ".names[0]", "is too short"},
		"a name of two words":          {"serve: green", retiring("names: [\"old cluster\"]"), at + ".names[0]", "is more than one word"},
		"a name twice":                 {"serve: green", retiring("names: [shop-blue, Shop-Blue]"), at + ".names[1]", "is listed twice"},
		"an object without a place":    {"serve: green", retiring("ignore: [ConfigMap/former]"), at + ".ignore[0]", "is not an object"},
		"an object that is only named": {"serve: green", retiring("ignore: [former]"), at + ".ignore[0]", "kind/namespace/name"},
		"an object twice":              {"serve: green", retiring("ignore: [ConfigMap/shop/a, ConfigMap/shop/a]"), at + ".ignore[1]", "is listed twice"},
	})
}
