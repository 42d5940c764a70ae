package kube_test

import (
	"strings"
	"testing"

	"github.com/clusterswitch/clusterswitch/internal/kube"
)

// document is a kubeconfig with these words about its cluster and its user.
func document(cluster, user string) string {
	return `
apiVersion: v1
kind: Config
current-context: green
clusters: [{name: g, cluster: {server: "https://green.example.com:6443"` + cluster + `}}, {name: far, cluster: {server: "https://far.example.com"}}]
users: [{name: u, user: {` + user + `}}, {name: program, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: /bin/sh}}}]
contexts: [{name: green, context: {cluster: g, user: u}}, {name: far, context: {cluster: far, user: program}}]
`
}

// Whoever may write a Secret must not run programs in the daemon's pod, nor have
// its files sent away.
func TestADocumentNamesNoFilesAndNoPrograms(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ document, context, want string }{
		"a token":                {document("", "token: t"), "", ""},
		"certificates inside":    {document(`, certificate-authority-data: "Y2E="`, `client-certificate-data: "YQ==", client-key-data: "YQ=="`), "", ""},
		"another user's program": {document("", "token: t"), "green", ""},
		"a program":              {document("", "token: t"), "far", "user program gets its credentials from a program (exec: /bin/sh), which the daemon runs for nobody"},
		"an auth provider":       {document("", "auth-provider: {name: gcp}"), "", "has an auth-provider (gcp)"},
		"a token's file":         {document("", "tokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token"), "", "names a file (tokenFile), which the daemon's pod doesn't have; use token"},
		"a certificate's file":   {document("", "client-certificate: /a, client-key-data: YQ=="), "", "names a file (client-certificate)"},
		"a key's file":           {document("", "client-certificate-data: YQ==, client-key: /a"), "", "names a file (client-key)"},
		"an authority's file":    {document(", certificate-authority: /ca", "token: t"), "", "cluster g names a file (certificate-authority), which the daemon's pod doesn't have"},
		"no such context":        {document("", "token: t"), "red", `it has no context "red"`},
		"no context at all":      {"{}", "", `it has no context ""`},
		"no kubeconfig":          {"hello", "", "reading the kubeconfig"},
		"a user that is missing": {strings.Replace(document("", "token: t"), "user: u}", "user: nobody}", 1), "", `names the user "nobody", which it doesn't have`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config, err := kube.Connect(kube.Access{Document: []byte(c.document), Context: c.context, UserAgent: "clusterswitch/1"})
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want %q in it", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if config.Host != "https://green.example.com:6443" || config.UserAgent != "clusterswitch/1" {
				t.Errorf("got %+v", config)
			}
		})
	}
}
