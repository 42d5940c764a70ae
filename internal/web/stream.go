package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/chronicle"
)

// writeWithin bounds each write to a stream: who doesn't read is let go.
const writeWithin = 10 * time.Second

// stream tells of changes by server-sent events, from a whole overview on. A
// reader that is slow gets the newest of each pair, and never a backlog.
func (p *page) stream(w http.ResponseWriter, r *http.Request) {
	select {
	case p.places <- struct{}{}:
		defer func() { <-p.places }()
	default:
		refuse(w, &refusal{http.StatusServiceUnavailable, "TooManyStreams", fmt.Sprintf("%d streams are open, and no more are served", maxStreams)})
		return
	}
	s := &stream{page: p, w: w, control: http.NewResponseController(w)}
	// The server's bounds are for answers that end.
	_ = s.control.SetReadDeadline(time.Time{}) // a server that can't has no bound
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy in between passes on at once
	listener := p.chronicle.Listen()
	defer listener.Close()
	if !s.begin() {
		return
	}
	heartbeat := time.NewTicker(p.heartbeat)
	defer heartbeat.Stop()
	for {
		var going bool
		select {
		case <-r.Context().Done():
			return
		case <-p.closing:
			s.event("closing", struct{}{})
			s.send()
			return
		case <-listener.Changed():
			going = s.changed(listener.Take())
		case <-heartbeat.C:
			going = s.alive(r)
		}
		if !going {
			return
		}
	}
}

// stream is one reader's.
type stream struct {
	page    *page
	w       http.ResponseWriter
	control *http.ResponseController
	buffer  bytes.Buffer
	daemon  chronicle.Daemon
}

// begin sends everything once.
func (s *stream) begin() bool {
	s.buffer.WriteString("retry: 2000\n\n")
	overview := s.page.chronicle.Overview()
	s.daemon = overview.Daemon
	s.event("overview", overview)
	return s.send()
}

// changed sends the pairs that are not what they were.
func (s *stream) changed(pairs []string) bool {
	if !sameDaemon(s.daemon, s.page.chronicle.Daemon()) {
		return s.begin()
	}
	for _, pair := range pairs {
		summary, ok := s.page.chronicle.Summary(pair)
		if !ok {
			s.event("gone", map[string]string{"pair": pair})
			continue
		}
		s.event("pair", summary)
	}
	return s.send()
}

// alive is a sign of life, where the reader may still read.
func (s *stream) alive(r *http.Request) bool {
	if no := s.page.admitted(r); no != nil && no.status != http.StatusServiceUnavailable {
		s.event("refused", no)
		s.send()
		return false
	}
	if !sameDaemon(s.daemon, s.page.chronicle.Daemon()) {
		return s.begin()
	}
	s.event("alive", map[string]time.Time{"at": time.Now().UTC()})
	return s.send()
}

func (s *stream) event(name string, document any) {
	text, err := json.Marshal(document)
	if err != nil {
		return // a document that JSON can't have; the next one comes
	}
	fmt.Fprintf(&s.buffer, "event: %s\ndata: %s\n\n", name, text)
}

// send writes what is in the buffer; false: the reader is gone.
func (s *stream) send() bool {
	defer s.buffer.Reset()
	_ = s.control.SetWriteDeadline(time.Now().Add(writeWithin)) // a server that can't has no bound
	if _, err := s.w.Write(s.buffer.Bytes()); err != nil {
		return false
	}
	return s.control.Flush() == nil
}

func sameDaemon(a, b chronicle.Daemon) bool {
	sameLead := a.Leads == b.Leads || a.Leads != nil && b.Leads != nil && *a.Leads == *b.Leads
	return sameLead && a.Version == b.Version && a.Identity == b.Identity && a.Leader == b.Leader
}
