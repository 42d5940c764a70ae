//go:build e2e

package app

import "testing"

// eachRule: every rule of the manifest is taken away.
const eachRule = 1

func TestE2EEachRuleOfTheManifestIsNeeded(t *testing.T) {
	TestTheManifestIsEnoughAndEachRuleIsNeeded(t)
}
