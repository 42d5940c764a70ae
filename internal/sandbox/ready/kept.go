package ready

import (
	"bytes"
	"maps"
	"net/http"
	"strings"
)

// kept is an answer that waits to be given.
type kept struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newKept() *kept { return &kept{header: http.Header{}, status: http.StatusOK} }

// Header is part of http.ResponseWriter.
func (k *kept) Header() http.Header { return k.header }

// WriteHeader is part of http.ResponseWriter.
func (k *kept) WriteHeader(status int) { k.status = status }

// Write is part of http.ResponseWriter.
func (k *kept) Write(p []byte) (int, error) { return k.body.Write(p) }

// give hands the answer over.
func (k *kept) give(w http.ResponseWriter) {
	maps.Copy(w.Header(), k.header)
	w.WriteHeader(k.status)
	// A client that went away is the only one who could be told.
	_, _ = w.Write(k.body.Bytes())
}

func contains(s string, parts ...string) bool {
	for _, part := range parts {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}
