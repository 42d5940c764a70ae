package awsapi

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
)

// A program for credentials that goes wrong may have said keys; no error repeats them.
func TestWhatACredentialProgramSaysIsNotRepeated(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ script, want string }{
		"what is no JSON":    {"echo 'not JSON: sw0rdfish'", "invalid character"},
		"JSON without a key": {`echo '{"Version": 1, "SecretAccessKey": "sw0rdfish"}'`, "credential_process"},
		"another version":    {`echo '{"Version": 7, "SecretAccessKey": "sw0rdfish"}'`, "version"},
		"one that fails":     {"echo 'sw0rdfish'; exit 3", "exit status 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "program")
			if err := os.WriteFile(path, []byte("#!/bin/sh\n"+c.script+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			_, err := (&source{from: processcreds.NewProvider(path)}).Retrieve(t.Context())
			if err == nil || strings.Contains(err.Error(), "sw0rdfish") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}
