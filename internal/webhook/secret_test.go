package webhook_test

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/internal/webhook"
)

func TestWhatCanNotBeSignedIsNotSent(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte(" \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ file, want string }{
		"an empty secret":   {empty, "is empty"},
		"a missing secret":  {empty + "-not", "no such file"},
		"a folder's secret": {t.TempDir(), "is a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, says(200, ""))
			_, err := hook(t, webhook.Options{URL: s.URL, SecretFile: test.file}).Ask(t.Context(), question())
			if err == nil || !strings.Contains(err.Error(), test.want) || len(s.asked()) != 0 {
				t.Errorf("got error %v after %d questions, want %q and none", err, len(s.asked()), test.want)
			}
		})
	}
}

func TestAServersCertificateIsChecked(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(says(200, "go on"))
	s.Config.ErrorLog = zap.NewStdLog(zap.NewNop())
	s.StartTLS()
	t.Cleanup(s.Close)
	folder := t.TempDir()
	known, none := filepath.Join(folder, "ca.pem"), filepath.Join(folder, "none.pem")
	for file, content := range map[string][]byte{known: certificate(s), none: []byte("nothing")} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := hook(t, webhook.Options{URL: s.URL, CAFile: known}).Ask(t.Context(), question()); err != nil || !got.Good {
		t.Errorf("by its own certificate: got %+v, error %v", got, err)
	}
	if _, err := hook(t, webhook.Options{URL: s.URL}).Ask(t.Context(), question()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("by the system's certificates: got error %v", err)
	}
	for _, file := range []string{none, none + "-not"} {
		if _, err := webhook.New(webhook.Options{URL: s.URL, CAFile: file}); err == nil || !strings.Contains(err.Error(), "reading the certificates for 127.0.0.1") {
			t.Errorf("by %s: got error %v", file, err)
		}
	}
	if _, err := webhook.New(webhook.Options{URL: "http://secret\n"}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("an address that is none: got error %v", err)
	}
}

func certificate(s *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}
