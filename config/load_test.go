package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// soak is a valid document with one interval.
func soak(interval string) string {
	return `apiVersion: clusterswitch.io/v1alpha1
interval: ` + interval + `
pairs:
  - name: shop
    serve: blue
    blue: {kubeconfig: {path: blue.yaml}}
    green: {kubeconfig: {path: green.yaml}}
    traffic:
      - route53: {hostedZoneID: Z123, names: [shop.example.com], blueSetIdentifier: blue, greenSetIdentifier: green}
    steps:
      - share: 100
    soakOnly: true
`
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLoadFindsTheFile(t *testing.T) {
	const flagged, named, here, system = time.Second, 2 * time.Second, 3 * time.Second, 4 * time.Second
	tests := map[string]struct {
		flag, env, here bool
		want            time.Duration
	}{
		"the flag goes before everything":          {flag: true, env: true, here: true, want: flagged},
		"the variable goes before the folders":     {env: true, here: true, want: named},
		"the working folder goes before the other": {here: true, want: here},
		"the system's folder comes last":           {want: system},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			write(t, filepath.Join(root, "flag.conf"), soak(flagged.String()))
			write(t, filepath.Join(root, "env.yaml"), soak(named.String()))
			write(t, filepath.Join(root, "etc", fileName), soak(system.String()))
			// Neither the program itself nor a neighbour of another type is taken for the config.
			write(t, filepath.Join(root, "here", "clusterswitch"), "\x7fELF")
			write(t, filepath.Join(root, "here", "clusterswitch.json"), "{}")
			if test.here {
				write(t, filepath.Join(root, "here", fileName), soak(here.String()))
			}
			opts := Options{folders: []string{filepath.Join(root, "here"), filepath.Join(root, "etc")}}
			if test.flag {
				opts.Path = filepath.Join(root, "flag.conf")
			}
			if test.env {
				t.Setenv("CLUSTERSWITCH_CONFIG", filepath.Join(root, "env.yaml"))
			}
			c, err := Load(opts)
			if err != nil {
				t.Fatal(err)
			}
			if c.Interval != test.want {
				t.Errorf("got the file with interval %s, want %s", c.Interval, test.want)
			}
		})
	}
}

func TestLoadSaysWhatIsMissing(t *testing.T) {
	if _, err := Load(Options{folders: []string{t.TempDir()}}); err == nil || !strings.Contains(err.Error(), "$CLUSTERSWITCH_CONFIG") {
		t.Errorf("got %v, want the ways to name a file", err)
	}
	gone := filepath.Join(t.TempDir(), "gone.yaml")
	if _, err := Load(Options{Path: gone}); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), gone) {
		t.Errorf("got %v, want that %s does not exist", err, gone)
	}
}

func TestLoadTellsFaultsThatViperCannotDecode(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, fileName)
	write(t, path, "apiVersion: clusterswitch.io/v1alpha1\npairs: [\n")
	_, err := Load(Options{folders: []string{folder}})
	faults, ok := errors.AsType[Faults](err)
	if !ok || faults[0].File != path {
		t.Errorf("got %v, want a fault of %s", err, path)
	}
}

func TestLoadOverlaysTheEnvironment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.yaml")
	write(t, path, soak("1s"))
	t.Setenv("CLUSTERSWITCH_INTERVAL", "7s")
	t.Setenv("CLUSTERSWITCH_HANDSOFF", "true")
	t.Setenv("CLUSTERSWITCH_LISTEN", "")
	// Kubernetes sets this in every pod beside a Service named clusterswitch.
	t.Setenv("CLUSTERSWITCH_PORT", "tcp://10.0.0.1:80")
	c, err := Load(Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if c.Interval != 7*time.Second || !c.HandsOff || c.Listen != "" {
		t.Errorf("got interval %s, handsOff %t, listen %q", c.Interval, c.HandsOff, c.Listen)
	}
}
