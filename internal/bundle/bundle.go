// Package bundle packs what helps to understand a daemon into one archive that may
// be sent to others: it says what is in it, what was left out and why, and takes
// out what looks like a secret.
package bundle

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// ManifestName is the archive's last file, which tells of all others.
const ManifestName = "manifest.json"

// schemaVersion is the manifest's. Under the same number fields are only ever added.
const schemaVersion = 1

// Manifest says what an archive has.
type Manifest struct {
	// SchemaVersion is 1.
	SchemaVersion int `json:"schemaVersion"`
	// Made is when, By which version of clusterswitch.
	Made time.Time `json:"made"`
	By   string    `json:"by"`
	// Files are in the order of the archive.
	Files []File `json:"files"`
	// LeftOut is what was looked for and isn't there.
	LeftOut []LeftOut `json:"leftOut"`
	// Never is what is never looked for.
	Never []string `json:"never"`
}

// File is one of an archive.
type File struct {
	Name string `json:"name"`
	// What says in a sentence what it is.
	What string `json:"what"`
	// Bytes and SHA256 are of the file as it is in the archive.
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256"`
	// TakenOut is how often something was taken out that looked like a secret.
	TakenOut int `json:"takenOut"`
	// Shortened: only its end is there.
	Shortened bool `json:"shortened,omitempty"`
}

// LeftOut is something that isn't in the archive.
type LeftOut struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// never is what no archive has, whoever makes it.
func never() []string {
	return []string{
		"credentials of AWS, and the environment of any process",
		"kubeconfigs, tokens and client certificates",
		"contents of files that the configuration names: tokens, passwords, keys, secrets of webhooks and probes",
		"Secrets of any cluster",
		"values of headers and bodies of requests, user names, and paths and queries of URLs, in the configuration",
	}
}

// Options say what an archive is made of.
type Options struct {
	// To takes the archive, a tar in gzip.
	To io.Writer
	// Folder is what all files lie in.
	Folder string
	// Made is the time in the manifest and of all files.
	Made time.Time
	// By is the version of clusterswitch.
	By string
	// MostBytes bounds one file: of a longer one the end is kept. 0: 8 MiB.
	MostBytes int
}

// Bundle is an archive that is being written.
type Bundle struct {
	options  Options
	gzip     *gzip.Writer
	tar      *tar.Writer
	manifest Manifest
	err      error // the first
}

// New begins an archive.
func New(o Options) *Bundle {
	if o.MostBytes == 0 {
		o.MostBytes = 8 << 20
	}
	b := &Bundle{options: o, gzip: gzip.NewWriter(o.To)}
	b.tar = tar.NewWriter(b.gzip)
	b.manifest = Manifest{
		SchemaVersion: schemaVersion, Made: o.Made.UTC(), By: o.By, Files: []File{}, LeftOut: []LeftOut{}, Never: never(),
	}
	return b
}

// Add puts a file into the archive, without what looks like a secret.
func (b *Bundle) Add(name, what string, content []byte) {
	clean, found := scrub(content)
	shortened := len(clean) > b.options.MostBytes
	if shortened {
		clean = clean[len(clean)-b.options.MostBytes:]
	}
	sum := sha256.Sum256(clean)
	b.manifest.Files = append(b.manifest.Files, File{
		Name: name, What: what, Bytes: len(clean), SHA256: hex.EncodeToString(sum[:]), TakenOut: found, Shortened: shortened,
	})
	b.put(name, clean)
}

// AddJSON puts a value into the archive.
func (b *Bundle) AddJSON(name, what string, value any) {
	content, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		b.LeaveOut(what, err)
		return
	}
	b.Add(name, what, append(content, '\n'))
}

// LeaveOut notes that something isn't there, and why.
func (b *Bundle) LeaveOut(what string, why error) {
	clean, _ := scrub([]byte(why.Error()))
	b.manifest.LeftOut = append(b.manifest.LeftOut, LeftOut{What: what, Why: string(clean)})
}

func (b *Bundle) put(name string, content []byte) {
	if b.err != nil {
		return
	}
	header := &tar.Header{
		Name: strings.TrimSuffix(b.options.Folder, "/") + "/" + name, Typeflag: tar.TypeReg, Mode: 0o600,
		Size: int64(len(content)), ModTime: b.options.Made.UTC().Truncate(time.Second),
	}
	if b.err = b.tar.WriteHeader(header); b.err == nil {
		_, b.err = b.tar.Write(content)
	}
}

// Close ends the archive with its manifest, and gives what that says. The error is
// the first of all that was written.
func (b *Bundle) Close() (Manifest, error) {
	content, err := json.MarshalIndent(b.manifest, "", "  ")
	if err != nil {
		return b.manifest, fmt.Errorf("writing the manifest: %w", err)
	}
	b.put(ManifestName, append(content, '\n'))
	for _, end := range []io.Closer{b.tar, b.gzip} {
		if err := end.Close(); b.err == nil {
			b.err = err
		}
	}
	if b.err != nil {
		return b.manifest, fmt.Errorf("writing the archive: %w", b.err)
	}
	return b.manifest, nil
}
