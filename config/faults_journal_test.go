package config_test

import (
	"strings"
	"testing"

	"github.com/clusterswitch/clusterswitch/config"
)

func TestFaultsOfAJournalInADirectory(t *testing.T) {
	const blue = "kubeconfig: {path: /etc/blue.yaml}"
	breakEach(t, map[string]breach{
		"a path that starts anywhere": {
			"pairs:", "journal: {directory: journal} #!\npairs:", "journal.directory", `"journal" is not an absolute path, and the commands are given elsewhere`,
		},
		"a management cluster besides": {
			"pairs:", "journal: {directory: /j, kubeconfig: {path: /hub}} #!\npairs:", "journal.kubeconfig", "is for a management cluster, which journal.directory does without",
		},
		"a namespace besides": {
			"pairs:", "journal: {directory: /j, namespace: switch} #!\npairs:", "journal.namespace", "is for a management cluster, which journal.directory does without",
		},
	})
	doc := strings.Replace(small, "pairs:", "journal: {directory: /j}\npairs:", 1)
	faults := faultsOf(t, strings.Replace(doc, blue, "kubeconfigSecret: {name: blue}", 1))
	if len(faults) != 1 || faults[0].Path != "pairs[0].blue.kubeconfigSecret" || !strings.Contains(faults[0].Message, "use kubeconfig or eks") {
		t.Errorf("a Secret of no cluster gives %v", faults)
	}
	c, err := config.Parse("c.yaml", []byte(doc), nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Journal.Directory != "/j" || c.Pairs[0].Preflight.ArgoCD.Management {
		t.Errorf("got the journal %+v, and Argo CD in a management cluster: %t", c.Journal, c.Pairs[0].Preflight.ArgoCD.Management)
	}
}
