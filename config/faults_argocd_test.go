package config_test

import "testing"

func TestFaultsOfArgoCDInAPreflight(t *testing.T) {
	breakEach(t, map[string]breach{
		"a namespace that is none": {
			"serve: green", "serve: green\n    preflight: {argocd: {namespaces: [\"*\"]}} #!", "pairs[0].preflight.argocd.namespaces[0]", `"*" is not a DNS label`,
		},
		"a namespace listed twice": {
			"serve: green", "serve: green\n    preflight: {argocd: {namespaces: [a, a]}} #!", "pairs[0].preflight.argocd.namespaces[1]", "is listed twice",
		},
		"one destination for both": {
			"serve: green", "serve: green\n    preflight: {argocd: {blueDestination: shop, greenDestination: shop}} #!", "pairs[0].preflight.argocd.greenDestination", "is blue's destination too",
		},
		"a green that is Argo CD's own cluster": {
			"serve: green", "serve: green\n    preflight: {argocd: {greenDestination: in-cluster}} #!", "pairs[0].preflight.argocd.greenDestination", "which is known; remove it",
		},
		"a blue that is Argo CD's own cluster": {
			"serve: green", "serve: green\n    preflight: {argocd: {blueDestination: in-cluster}} #!", "pairs[0].preflight.argocd.blueDestination", "which is known; remove it",
		},
	})
}
