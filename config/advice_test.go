package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/config"
)

func TestAdviceIsGivenWhereGreenIsOnlyHeldAgainstALimit(t *testing.T) {
	const (
		errors = "      - {name: errors, cloudwatch: {loadBalancer: app/shop/50dc6c495c0c9188, targetGroup: targetgroup/green/84f3e7cd35e9b178, maxErrorRatio: 1%}}\n"
		slow   = "      - {name: slow, prometheus: {server: {url: \"http://prometheus:9090\"}, query: a, max: 1}}\n"
		held   = "      - {name: queue, prometheus: {server: {url: \"http://prometheus:9090\"}, query: b, max: 1, onFail: hold}}\n"
		users  = "      - {name: users, requests: {cloudwatch: {}}}\n"
		asked  = "      - {name: asked, webhook: {url: \"http://gate:8080\", onFail: rollback}}\n"
	)
	advice := func(names string) []string {
		return []string{"pair shop: what users feel on green is only held against a limit (" + names + "), whatever blue has at the same time; " +
			"add a requests gate, which compares both and tells a bad green from bad luck"}
	}
	for name, test := range map[string]struct {
		gates string
		want  []string
	}{
		"one limit":                      {"    gates:\n" + errors, advice("errors")},
		"several, and a gate that holds": {"    gates:\n" + errors + slow + held, advice("errors, slow")},
		"a requests gate beside a limit": {"    gates:\n" + slow + users, nil},
		"a service that judges users":    {"    gates:\n" + slow + asked, nil},
		"no gate on users' traffic":      {"    soakOnly: true\n    gates:\n" + held, nil},
		"nothing but time":               {"    soakOnly: true\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := config.Parse("c.yaml", []byte(strings.Replace(small, ownGates, test.gates, 1)), nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, c.Advice()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
