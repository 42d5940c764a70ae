package kube

import "testing"

// FuzzKubeconfig: whatever stands in a Secret, a way to a cluster that comes of it
// runs no program and reads no file.
func FuzzKubeconfig(f *testing.F) {
	const whole = `{"apiVersion":"v1","kind":"Config","current-context":"c","contexts":[{"name":"c","context":{"cluster":"k","user":"u"}}],` +
		`"clusters":[{"name":"k","cluster":{"server":"https://x"}}],"users":[{"name":"u","user":{"token":"t"}}]}`
	f.Add([]byte(whole), "")
	for _, user := range []string{`{"exec":{"command":"sh","apiVersion":"client.authentication.k8s.io/v1"}}`, `{"tokenFile":"/etc/passwd"}`, `{"client-key":"/x","client-certificate":"/y"}`, `{"auth-provider":{"name":"oidc"}}`} {
		f.Add([]byte(whole[:len(whole)-len(`{"token":"t"}}]}`)]+user+`}]}`), "c")
	}
	f.Add([]byte("apiVersion: v1\nkind: Config\n"), "c")
	f.Add([]byte("x: &x [*x]"), "")
	f.Fuzz(func(t *testing.T, text []byte, context string) {
		c, err := loadDocument(text, context)
		if err != nil {
			return
		}
		if c.ExecProvider != nil || c.AuthProvider != nil || c.BearerTokenFile != "" || c.TLSClientConfig.CAFile != "" || c.TLSClientConfig.CertFile != "" || c.TLSClientConfig.KeyFile != "" {
			t.Errorf("%q runs a program or reads a file: %+v", text, c)
		}
		if c.Host == "" {
			t.Errorf("%q leads nowhere", text)
		}
	})
}
