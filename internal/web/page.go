package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/chronicle"
)

//go:embed assets
var assets embed.FS

// PageOptions say what the page shows, and to whom.
type PageOptions struct {
	Chronicle *chronicle.Chronicle
	// Admit judges bearer tokens; nil: everybody may read.
	Admit Admit
	// Namespace holds the TrafficSwitches that a reader must have the right to get.
	Namespace string
	// Release is what the chart's objects are called: its Service, and its Role for
	// readers with "-viewer" behind. Empty: the daemon isn't the chart's.
	Release string
	// Findings gives the preflight's findings of a pair; nil: nobody keeps any.
	Findings func(ctx context.Context, pair, digest string) ([]chronicle.Finding, error)
	// Heartbeat is the time between signs of life on a stream; 0: 15 s.
	Heartbeat time.Duration
}

// page serves the web page and its API.
type page struct {
	chronicle *chronicle.Chronicle
	admit     Admit
	namespace string
	release   string
	findings  func(ctx context.Context, pair, digest string) ([]chronicle.Finding, error)
	heartbeat time.Duration
	// places holds one for each stream that is open.
	places chan struct{}
	// closing ends streams: a server that stops waits for what is under way.
	closing chan struct{}
}

// maxStreams bounds how many browsers watch at a time. They may all come from one
// address, an ingress, and must leave room for others from there.
const maxStreams = maxFromOne / 2

func newPage(o PageOptions) *page {
	p := &page{
		chronicle: o.Chronicle, admit: o.Admit, namespace: o.Namespace, release: o.Release, findings: o.Findings, heartbeat: o.Heartbeat,
		places: make(chan struct{}, maxStreams), closing: make(chan struct{}),
	}
	if p.heartbeat == 0 {
		p.heartbeat = 15 * time.Second
	}
	return p
}

// handle adds the page to what is served.
func (p *page) handle(mux *http.ServeMux) error {
	files, err := fs.Sub(assets, "assets")
	if err != nil {
		return fmt.Errorf("opening the page: %w", err)
	}
	err = fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		pattern := "GET /assets/" + name
		if name == "index.html" {
			pattern, content = "GET /{$}", p.welcome(content)
		}
		mux.Handle(pattern, secured(file(name, content)))
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading the page: %w", err)
	}
	mux.Handle("GET /api/v1/access", secured(http.HandlerFunc(p.access)))
	mux.Handle("GET /api/v1/pairs", secured(p.guarded(p.overview)))
	mux.Handle("GET /api/v1/pairs/{pair}", secured(p.guarded(p.detail)))
	mux.Handle("GET /api/v1/events", secured(p.guarded(p.stream)))
	return nil
}

// file serves one file of the page. A browser asks each time whether it is still
// the same: a new version of the daemon shows at once.
func file(name string, content []byte) http.Handler {
	sum := sha256.Sum256(content)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	kind := mime.TypeByExtension(path.Ext(name))
	switch path.Ext(name) { // the machine's own table may not know them
	case ".js":
		kind = "text/javascript; charset=utf-8"
	case ".css":
		kind = "text/css; charset=utf-8"
	case ".svg":
		kind = "image/svg+xml"
	case ".html":
		kind = "text/html; charset=utf-8"
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(content) // the client may be gone; nobody to tell
	})
}

// entry says whether a token is needed, the namespace that its rights are for, and
// what the chart's objects are called there.
func (p *page) entry() map[string]any {
	return map[string]any{"schemaVersion": chronicle.Schema, "tokenNeeded": p.admit != nil, "namespace": p.namespace, "release": p.release}
}

// access is the one question that needs no token: whether others do.
func (p *page) access(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, p.entry())
}

// welcome writes the answer of access into the page itself, which so needs not ask
// before it asks for what it shows.
func (p *page) welcome(content []byte) []byte {
	text, err := json.Marshal(p.entry())
	if err != nil { // strings and a boolean
		panic(err)
	}
	return bytes.Replace(content, []byte(`content="{}"`), []byte(`content="`+html.EscapeString(string(text))+`"`), 1)
}

func (p *page) overview(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, p.chronicle.Overview())
}

func (p *page) detail(w http.ResponseWriter, r *http.Request) {
	d, ok := p.chronicle.Detail(r.PathValue("pair"))
	if !ok {
		refuse(w, &refusal{http.StatusNotFound, "NoSuchPair", "the configuration has no pair of this name"})
		return
	}
	if d.Preflight != nil && d.Preflight.Digest != "" && p.findings != nil {
		findings, err := p.findings(r.Context(), r.PathValue("pair"), d.Preflight.Digest)
		if d.Preflight.Findings = findings; err != nil {
			d.Preflight.FindingsTrouble = err.Error()
		}
	}
	writeJSON(w, http.StatusOK, d)
}

func writeJSON(w http.ResponseWriter, status int, document any) {
	text, err := json.Marshal(document)
	if err != nil { // a number that JSON doesn't have, at most
		status, text = http.StatusInternalServerError, []byte(`{"code":"Internal","error":"the document can't be written"}`)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // the client may be gone; nobody to tell
}
