package manifests

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Module is one version of a Go module.
type Module struct {
	Path    string
	Version string
	// Sum is the hash of its content, as go.sum has it.
	Sum string
}

// Fetch returns the folder with the module's content. It downloads it when Go's
// module cache hasn't got it: the largest, Argo CD, has 60 MB. A content that
// isn't the pinned one is refused.
func (m Module) Fetch(ctx context.Context) (dir string, err error) {
	// Outside of any module the answer depends on nothing but the arguments.
	outside, err := os.MkdirTemp("", "clusterswitch-manifests-")
	if err != nil {
		return "", fmt.Errorf("fetching %s: %w", m, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(outside)) }()
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", m.String())
	cmd.Dir = outside
	// The hash is checked below, so no other witness is needed. The module's own
	// wish for a newer Go is no matter: nothing is compiled.
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GONOSUMDB=*", "GO111MODULE=on")
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, runErr := cmd.Output()
	var answer struct{ Dir, Sum, Error string }
	if err := json.Unmarshal(out, &answer); err != nil {
		return "", fmt.Errorf("fetching %s: %w: %s", m, errors.Join(runErr, err), strings.TrimSpace(complaint.String()))
	}
	switch {
	case answer.Error != "":
		return "", fmt.Errorf("fetching %s: %s", m, answer.Error)
	case answer.Sum != m.Sum:
		return "", fmt.Errorf("fetching %s: its content has the hash %s, not %s as pinned", m, answer.Sum, m.Sum)
	}
	return answer.Dir, nil
}

// String gives path@version.
func (m Module) String() string { return m.Path + "@" + m.Version }

// Files returns the module's files that match the patterns of filepath.Glob,
// relative to its root, in the patterns' order. A pattern that matches nothing is
// an error.
func (m Module) Files(ctx context.Context, patterns ...string) ([]string, error) {
	dir, err := m.Fetch(ctx)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, fmt.Errorf("looking for %s in %s: %w", pattern, m, err)
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("%s has no file %s", m, pattern)
		}
		all = append(all, files...)
	}
	return all, nil
}
