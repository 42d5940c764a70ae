package reach

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestFilesThatTheConfigurationNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ok(os.WriteFile(in("token"), []byte("tuna"), 0o600))
	ok(os.WriteFile(in("large"), make([]byte, maxFile+1), 0o600))
	ok(os.WriteFile(in("full"), make([]byte, maxFile), 0o600))
	ok(os.Symlink("..data", in("mounted")))
	ok(os.Symlink("token", in("..data")))
	ok(os.Symlink("/proc/self/environ", in("environment")))
	ok(os.Symlink(in("nothing"), in("broken")))
	ok(syscall.Mkfifo(in("pipe"), 0o600))
	tests := map[string]struct {
		path, content, err string
	}{
		"a file": {path: in("token"), content: "tuna"},
		"one behind links, as a Secret is mounted": {path: in("mounted"), content: "tuna"},
		"the largest":                  {path: in("full"), content: string(make([]byte, maxFile))},
		"one that is too large":        {path: in("large"), err: "is larger than 1 MiB"},
		"none":                         {path: in("nothing"), err: "no such file"},
		"a link to none":               {path: in("broken"), err: "no such file"},
		"a folder":                     {path: dir, err: "is a directory"},
		"a pipe that nobody writes to": {path: in("pipe"), err: "named pipe"},
		"a device without end":         {path: "/dev/zero", err: "it is a device"},
		"the daemon's environment":     {path: "/proc/self/environ", err: "it lies in /proc"},
		"the same behind a link":       {path: in("environment"), err: in("environment") + " is not an ordinary file: it lies in /proc"},
		"the same by dots":             {path: "/etc/../proc/self/environ", err: "it lies in /proc"},
		"what the kernel shows":        {path: "/sys/kernel", err: "it lies in /sys"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content, err := ReadFile(test.path)
			if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("got error %v, want %q", err, test.err)
			}
			if string(content) != test.content {
				t.Errorf("got %d bytes, want %d", len(content), len(test.content))
			}
		})
	}
}
