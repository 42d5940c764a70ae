package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func made() time.Time { return time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC) }

// unpack gives an archive's files by name.
func unpack(t *testing.T, archive []byte) map[string]string {
	t.Helper()
	plain, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for reader := tar.NewReader(plain); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		files[header.Name] = string(content)
	}
}

func TestAnArchiveTellsWhatItHas(t *testing.T) {
	t.Parallel()
	var to bytes.Buffer
	b := New(Options{To: &to, Folder: "shop", Made: made(), By: "v1.2.3", MostBytes: 20})
	b.Add("log", "what it said", []byte("0123456789 password=hunter2 the end"))
	b.AddJSON("status.json", "where it stands", map[string]int{"share": 25})
	b.AddJSON("none.json", "what can't be written", func() {})
	b.LeaveOut("the metrics", errors.New(`Get "http://shop:hunter2@10.0.0.1/metrics": refused`))
	manifest, err := b.Close()
	if err != nil {
		t.Fatal(err)
	}
	files := unpack(t, to.Bytes())
	var stored Manifest
	if err := json.Unmarshal([]byte(files["shop/manifest.json"]), &stored); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(manifest, stored); diff != "" {
		t.Errorf("the manifest in the archive (-said +stored):\n%s", diff)
	}
	want := Manifest{
		SchemaVersion: 1, Made: made(), By: "v1.2.3", Never: never(),
		Files: []File{
			{Name: "log", What: "what it said", Bytes: 20, SHA256: "", TakenOut: 1, Shortened: true},
			{Name: "status.json", What: "where it stands", Bytes: 18},
		},
		LeftOut: []LeftOut{
			{What: "what can't be written", Why: "json: unsupported type: func()"},
			{What: "the metrics", Why: `Get "http://[taken out]@10.0.0.1/metrics": refused`},
		},
	}
	for i := range stored.Files {
		if len(stored.Files[i].SHA256) != 64 {
			t.Errorf("%s has the sum %q", stored.Files[i].Name, stored.Files[i].SHA256)
		}
		stored.Files[i].SHA256 = ""
	}
	if diff := cmp.Diff(want, stored); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	delete(files, "shop/manifest.json")
	if diff := cmp.Diff(map[string]string{"shop/log": "=[taken out] the end", "shop/status.json": "{\n  \"share\": 25\n}\n"}, files); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestAnArchiveThatCanNotBeWrittenIsAnError(t *testing.T) {
	t.Parallel()
	b := New(Options{To: broken{}, Folder: "shop", Made: made()})
	b.Add("log", "what it said", bytes.Repeat([]byte("line\n"), 1000))
	if _, err := b.Close(); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("got error %v", err)
	}
}

func TestWhatLooksLikeASecretIsTakenOut(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"an access key of AWS":       {"by AKIAIOSFODNN7EXAMPLE today", "by [taken out] today"},
		"a temporary one":            {"ASIAIOSFODNN7EXAMPLE", "[taken out]"},
		"a role's id is none":        {"AROAIOSFODNN7EXAMPLE", "AROAIOSFODNN7EXAMPLE"},
		"a secret key by its name":   {"AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "AWS_SECRET_ACCESS_KEY=[taken out]"},
		"the same in JSON":           {`{"SecretAccessKey": "wJalr/X", "a": 1}`, `{"SecretAccessKey": "[taken out]", "a": 1}`},
		"the same in JSON in JSON":   {`{"error":"{\"SessionToken\":\"abcdefgh\"}"}`, `{"error":"{\"SessionToken\":\"[taken out]\"}"}`},
		"a bearer token":             {"Authorization: Bearer abc.def-123", "Authorization: [taken out] [taken out]"},
		"a bearer token by itself":   {"sent bearer abcdef123", "sent bearer [taken out]"},
		"a token of EKS":             {"k8s-aws-v1.aHR0cHM6Ly9zdHM", "[taken out]"},
		"a JSON Web Token":           {"got eyJhbGciOiJSUzI1.eyJpc3MiOiJrdWJl.c2lnbmF0dXJl.", "got [taken out]."},
		"a presigned URL":            {"https://sts/?X-Amz-Signature=0123abcd&X-Amz-Date=1", "https://sts/?X-Amz-Signature=[taken out]&X-Amz-Date=1"},
		"a user in a URL":            {"http://shop:hunter2@10.0.0.1/", "http://[taken out]@10.0.0.1/"},
		"a private key":              {"a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nb", "a\n[taken out]\nb"},
		"a private key without end":  {"-----BEGIN PRIVATE KEY-----\nMIIE", "[taken out]"},
		"a certificate is none":      {"-----BEGIN CERTIFICATE-----\nMIIE", "-----BEGIN CERTIFICATE-----\nMIIE"},
		"a token by its name":        {"token: abcdefgh", "token: [taken out]"},
		"a sentence about a token":   {"check the token or the user", "check the token or the user"},
		"an ARN and a digest remain": {"arn:aws:iam::123456789012:role/shop 0123456789abcdef", "arn:aws:iam::123456789012:role/shop 0123456789abcdef"},
		"an address remains":         {"https://10.0.0.1:6443/healthz?a=b@c", "https://10.0.0.1:6443/healthz?a=b@c"},
	} {
		if got, _ := scrub([]byte(c.text)); string(got) != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
