package config_test

import (
	"strings"
	"testing"

	"github.com/clusterswitch/clusterswitch/config"
)

func TestFaultsOfSingletons(t *testing.T) {
	with := func(singletons string) string { return "serve: green\n    singletons: {" + singletons + "} #!" }
	breakEach(t, map[string]breach{
		"a CronJob without its namespace": {
			"serve: green", with("cronJobs: [report]"), "pairs[0].singletons.cronJobs[0]", `"report" is not a CronJob; use namespace/name, or namespace/* for a whole namespace`,
		},
		"a pattern for part of a name": {
			"serve: green", with("cronJobs: [shop/report-*]"), "pairs[0].singletons.cronJobs[0]", `"shop/report-*" is not a CronJob`,
		},
		"CronJobs of all namespaces": {
			"serve: green", with(`cronJobs: ["*/*"]`), "pairs[0].singletons.cronJobs[0]", `"*/*" is not a CronJob`,
		},
		"Deployments of a whole namespace": {
			"serve: green", with("deployments: [shop/*]"), "pairs[0].singletons.deployments[0]", `"shop/*" names a whole namespace, which only cronJobs may; list each by its name`,
		},
		"a StatefulSet with its kind": {
			"serve: green", with("statefulSets: [StatefulSet/shop/db]"), "pairs[0].singletons.statefulSets[0]", `"StatefulSet/shop/db" is not a StatefulSet; use namespace/name`,
		},
		"a CronJob listed twice": {
			"serve: green", with("cronJobs: [shop/report, shop/report]"), "pairs[0].singletons.cronJobs[1]", "shop/report is listed twice",
		},
		"a CronJob of a namespace that is listed as a whole": {
			"serve: green", with("cronJobs: [shop/report, shop/*]"), "pairs[0].singletons.cronJobs[0]", "is one of shop/*, which is listed too; keep one of the two",
		},
		"a hand-over between two steps": {
			"serve: green", with("at: 7, deployments: [shop/mailer]"), "pairs[0].singletons.at", "7 is the share of no step; use one of ",
		},
		"an overlap of a day": {
			"serve: green", with("overlap: 24h"), "pairs[0].singletons.overlap", "24h is out of range",
		},
	})
}

// A Deployment and a StatefulSet may share a name, and without any name it is of
// no consequence at which step nothing is handed over.
func TestSingletonsThatAreInOrder(t *testing.T) {
	for name, singletons := range map[string]string{
		"one name, two kinds":   "deployments: [shop/db], statefulSets: [shop/db]",
		"a whole namespace":     "cronJobs: [shop/*, post/report.daily]",
		"nothing at no step":    "at: 7",
		"the last step's share": "at: 100, deployments: [shop/mailer]",
	} {
		t.Run(name, func(t *testing.T) {
			doc := strings.Replace(small, "serve: green", "serve: green\n    singletons: {"+singletons+"}", 1)
			if _, err := config.Parse("c.yaml", []byte(doc), nil); err != nil {
				t.Error(err)
			}
		})
	}
}
