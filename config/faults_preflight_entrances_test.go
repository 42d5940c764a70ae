package config_test

import "testing"

func TestFaultsOfPreflightEntrances(t *testing.T) {
	entrances := func(list string) string { return "serve: green\n    preflight: {entrances: [" + list + "]} #!" }
	const at = "pairs[0].preflight.entrances[0]"
	breakEach(t, map[string]breach{
		"an entrance of a kind that isn't one": {
			"serve: green", entrances("{kind: Deployment, namespace: shop, name: web}"), at + ".kind", "use Ingress, Gateway, Service or TargetGroupBinding",
		},
		"an entrance without a name": {
			"serve: green", entrances("{kind: Service, namespace: shop}"), at + ".name", "is missing",
		},
		"an entrance in a namespace that can't be": {
			"serve: green", entrances("{kind: Service, namespace: Shop, name: web}"), at + ".namespace", "is not a DNS label",
		},
		"an entrance whose name can't be": {
			"serve: green", entrances("{kind: Service, namespace: shop, name: shop/web}"), at + ".name", "is not the name of an object",
		},
		"one entrance twice": {
			"serve: green", entrances("{kind: Service, namespace: shop, name: web}, {kind: Service, namespace: shop, name: web}"),
			"pairs[0].preflight.entrances[1]", "names the object of pairs[0].preflight.entrances[0] again",
		},
	})
}
