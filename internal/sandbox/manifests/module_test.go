package manifests_test

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/manifests"
)

// proxy serves the module example.com/charts v1.0.0 from a folder, to a Go tool
// with an empty cache.
func proxy(t *testing.T) {
	t.Helper()
	dir, cache := t.TempDir(), t.TempDir()
	versions := filepath.Join(dir, "example.com", "charts", "@v")
	if err := os.MkdirAll(versions, 0o755); err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	w := zip.NewWriter(&packed)
	for name, content := range map[string]string{"go.mod": "module example.com/charts\n", "crds/b.yaml": "kind: B\n", "crds/a.yaml": "kind: A\n"} {
		file, err := w.Create("example.com/charts@v1.0.0/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"v1.0.0.info": `{"Version": "v1.0.0"}`, "v1.0.0.mod": "module example.com/charts\n", "v1.0.0.zip": packed.String(), "list": "v1.0.0\n",
	} {
		if err := os.WriteFile(filepath.Join(versions, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GOPROXY", "file://"+filepath.ToSlash(dir))
	t.Setenv("GOMODCACHE", cache)
	// Go's module cache is read-only; without this it couldn't be removed.
	t.Cleanup(func() {
		_ = filepath.WalkDir(cache, func(path string, _ fs.DirEntry, _ error) error { return os.Chmod(path, 0o755) })
	})
}

func charts(sum string) manifests.Module {
	return manifests.Module{Path: "example.com/charts", Version: "v1.0.0", Sum: sum}
}

// wholeSum is the hash of the module that proxy serves.
const wholeSum = "h1:V8mjAvsTGUoC5FQ9J34XFXBCZJWP3gxJBlfCmnXmk7k="

func TestAModuleIsTakenOnlyWithThePinnedContent(t *testing.T) {
	proxy(t)
	files, err := charts(wholeSum).Files(t.Context(), "crds/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for i := range files {
		files[i] = filepath.Base(files[i])
	}
	if diff := cmp.Diff([]string{"a.yaml", "b.yaml"}, files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	for name, c := range map[string]struct {
		module  manifests.Module
		pattern string
		says    string
	}{
		"other content than the pinned one": {charts("h1:AAAA"), "crds/*.yaml", "not h1:AAAA as pinned"},
		"a file that isn't there":           {charts(wholeSum), "bundle.yaml", "has no file bundle.yaml"},
		"a version that nobody has":         {manifests.Module{Path: "example.com/charts", Version: "v2.0.0"}, "*", "example.com/charts@v2.0.0"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := c.module.Files(t.Context(), c.pattern); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want one that says %q", err, c.says)
			}
		})
	}
}

func TestEveryDocumentOfAFileIsAnObject(t *testing.T) {
	t.Parallel()
	objects, err := manifests.Parse([]byte("# nothing\n---\nkind: A\nmetadata: {name: a}\n---\n---\nkind: B\nmetadata: {name: b, namespace: shop}\n"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range objects {
		names = append(names, manifests.Describe(o))
	}
	if diff := cmp.Diff([]string{"A a", "B shop/b"}, names); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	if _, err := manifests.Parse([]byte("a: [")); err == nil {
		t.Error("a broken file was read")
	}
}
