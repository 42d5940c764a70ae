package keep

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
)

// Folder keeps reports in the journal's directory, where there is no management
// cluster: in the files of FileName. It is safe for concurrent use, of one daemon
// for each pair.
type Folder struct{ dir string }

// NewFolder makes a Folder. It touches nothing yet.
func NewFolder(dir string) *Folder { return &Folder{dir: dir} }

// FileName is the name of the file with one of a pair's texts: of Newest, Readable
// or Start.
func FileName(pair, key string) string { return pair + ".preflight-" + key }

// Put keeps a report as Shelf.Put does.
func (f *Folder) Put(_ context.Context, r finding.Report, start bool) (digest string, err error) {
	kept := map[string]string{}
	for _, key := range []string{Newest, Start} {
		content, err := os.ReadFile(f.path(r.Pair, key))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("reading the preflight's former report: %w", err)
		}
		kept[key] = string(content)
	}
	former, err := finding.Parse([]byte(kept[Newest]))
	fresh, news, err := shelved(r, start, kept, err == nil && former.Attempt == r.Attempt)
	if err != nil {
		return "", fmt.Errorf("writing the preflight's report into %s: %w", f.dir, err)
	}
	if !news {
		return finding.Digest([]byte(kept[Newest])), nil
	}
	for _, key := range []string{Start, Readable, Newest} { // the newest last: by it the others are known
		if err := f.write(r.Pair, key, fresh[key]); err != nil {
			return "", fmt.Errorf("writing the preflight's report: %w", err)
		}
	}
	return finding.Digest([]byte(fresh[Newest])), nil
}

// write puts a whole file into the place of another; an empty text takes it away.
func (f *Folder) write(pair, key, text string) error {
	path := f.path(pair, key)
	if text == "" {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	temporary := filepath.Join(f.dir, "."+FileName(pair, key)+".tmp")
	if err := os.WriteFile(temporary, []byte(text), 0o600); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return os.Rename(temporary, path)
}

// Get gives a report that is kept: under the key Newest or Start. It wraps
// ErrNone where there is none.
func (f *Folder) Get(_ context.Context, pair, key string) (finding.Report, error) {
	path := f.path(pair, key)
	if filepath.Base(pair) != pair {
		return finding.Report{}, fmt.Errorf("%w for %q: that is no pair's name", ErrNone, pair)
	}
	content, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return finding.Report{}, fmt.Errorf("%w for %s: %s isn't there", ErrNone, pair, path)
	case err != nil:
		return finding.Report{}, fmt.Errorf("reading the preflight's report: %w", err)
	}
	r, err := finding.Parse(content)
	if err != nil {
		return finding.Report{}, fmt.Errorf("reading %s: %w", path, err)
	}
	return r, nil
}

func (f *Folder) path(pair, key string) string { return filepath.Join(f.dir, FileName(pair, key)) }
