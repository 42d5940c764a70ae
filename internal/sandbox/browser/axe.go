package browser

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	// axePackage is the npm package of Deque's axe-core (MPL 2.0). It is used in tests
	// alone, and is no part of the product or of this repository.
	axePackage = "axe-core@4.14.1"
	axeSum     = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
)

// Axe gives axe-core's script. It is downloaded once, by npm, into the folder dir
// and must be the one that is known.
func Axe(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, strings.ReplaceAll(axePackage, "@", "-")+".min.js")
	script, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		if script, err = fetchAxe(ctx, dir); err == nil {
			err = os.WriteFile(path, script, 0o600)
		}
	}
	if err != nil {
		return "", fmt.Errorf("getting %s: %w", axePackage, err)
	}
	sum := sha256.Sum256(script)
	if got := hex.EncodeToString(sum[:]); got != axeSum {
		return "", fmt.Errorf("%s is not the one that is known: its SHA-256 is %s, not %s; remove it", path, got, axeSum)
	}
	return string(script), nil
}

// fetchAxe packs the package as npm has it, and takes the script out.
func fetchAxe(ctx context.Context, dir string) (script []byte, err error) {
	if _, err := exec.LookPath("npm"); err != nil {
		return nil, errors.New("there is no npm in the PATH, which downloads it: install it (Debian: apt install npm)")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp(dir, "npm-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	pack := exec.CommandContext(ctx, "npm", "pack", "--silent", "--ignore-scripts", axePackage)
	pack.Dir = scratch
	if output, err := pack.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("npm pack: %w: %s", err, output)
	}
	packed, err := filepath.Glob(filepath.Join(scratch, "*.tgz"))
	if err != nil || len(packed) != 1 {
		return nil, fmt.Errorf("npm pack wrote %v: %w", packed, err)
	}
	file, err := os.Open(packed[0])
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return unpack(file, "package/axe.min.js")
}

func unpack(packed io.Reader, name string) ([]byte, error) {
	plain, err := gzip.NewReader(packed)
	if err != nil {
		return nil, err
	}
	for files := tar.NewReader(plain); ; {
		header, err := files.Next()
		if err != nil {
			return nil, fmt.Errorf("looking for %s: %w", name, err)
		}
		if header.Name == name {
			return io.ReadAll(io.LimitReader(files, 8<<20))
		}
	}
}

// Violation is a rule of accessibility that a page breaks.
type Violation struct {
	ID     string `json:"id"`
	Impact string `json:"impact"` // minor, moderate, serious or critical
	Help   string `json:"help"`
	Nodes  []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// String tells the rule and the places.
func (v Violation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s): %s", v.ID, v.Impact, v.Help)
	for _, n := range v.Nodes {
		fmt.Fprintf(&b, "\n    %s\n      %s", n.HTML, strings.ReplaceAll(n.Summary, "\n", "\n      "))
	}
	return b.String()
}

// Violations lets axe-core judge the page as it is.
func (t *Tab) Violations(axe string) ([]Violation, error) {
	if _, err := Tell[int](t, axe+";0"); err != nil {
		return nil, fmt.Errorf("bringing axe-core into the page: %w", err)
	}
	text, err := Tell[string](t, `axe.run(document, {resultTypes: ["violations"]}).then((r) => JSON.stringify(r.violations))`)
	if err != nil {
		return nil, fmt.Errorf("running axe-core: %w", err)
	}
	var violations []Violation
	if err := json.Unmarshal([]byte(text), &violations); err != nil {
		return nil, fmt.Errorf("reading what axe-core said: %w", err)
	}
	return violations, nil
}
