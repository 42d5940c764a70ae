package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/webhook"
)

const docPath = "../../docs/webhook.md"

// signed stands in docs/webhook.md, letter by letter.
func signed(secret []byte, header string, body []byte, now time.Time) bool {
	stamp, sum, ok := strings.Cut(strings.TrimPrefix(header, "t="), ",v1=")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if !ok || err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
		return false
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	got, err := hex.DecodeString(sum)
	return err == nil && hmac.Equal(got, mac.Sum(nil))
}

// example gives the code of a language in the document.
func example(t *testing.T, language string) string {
	t.Helper()
	doc, err := os.ReadFile(docPath)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindSubmatch(doc)
	if found == nil {
		t.Fatalf("%s shows no %s", docPath, language)
	}
	return string(found[1])
}

// signatures are headers, and whether a service should believe them.
func signatures(now time.Time, secret, body []byte) map[string]bool {
	good := webhook.Sign(secret, now, body)
	return map[string]bool{
		good: true,
		webhook.Sign([]byte("goldfish"), now, body):             false,
		webhook.Sign(secret, now, []byte(string(body)+" ")):     false,
		webhook.Sign(secret, now.Add(-10*time.Minute), body):    false,
		strings.Replace(good, "t=", "t=1", 1):                   false,
		"t=" + strconv.FormatInt(now.Unix(), 10) + ",v1=":       false,
		"t=" + strconv.FormatInt(now.Unix(), 10) + ",v1=" + "é": false,
		"": false,
	}
}

func TestTheDocumentsGoChecksSignatures(t *testing.T) {
	t.Parallel()
	own, err := os.ReadFile("docs_test.go")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(own), example(t, "go")) {
		t.Errorf("%s shows other Go than this test tries", docPath)
	}
	secret, body := []byte("swordfish"), []byte(`{"pair":"shop"}`)
	for header, want := range signatures(noon, secret, body) {
		if got := signed(secret, header, body, noon); got != want {
			t.Errorf("%q: got %t, want %t", header, got, want)
		}
	}
}

func TestTheDocumentsPythonChecksSignatures(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3 to try it with")
	}
	secret, body := []byte("swordfish"), []byte(`{"pair":"shop"}`)
	code := example(t, "python") + "\nimport sys\nprint(signed(sys.argv[1].encode(), sys.argv[2], sys.argv[3].encode()))\n"
	for header, want := range signatures(time.Now(), secret, body) {
		out, err := exec.CommandContext(t.Context(), python, "-c", code, string(secret), header, string(body)).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != map[bool]string{true: "True", false: "False"}[want] {
			t.Errorf("%q: got %s (%v), want %t", header, got, err, want)
		}
	}
}
