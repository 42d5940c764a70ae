package prometheus

import (
	"bytes"
	"encoding/json"
	"io"
	"sync"
)

// listener hears in what Prometheus logs where it listens and that it is ready,
// so that nobody has to ask again and again. It copies all to the log.
type listener struct {
	// ready is closed when it answers; address may be read then.
	ready   chan struct{}
	address string

	once sync.Once
	able bool // it said that it is ready

	mu   sync.Mutex
	log  io.Writer
	line []byte
	tail []byte
}

func listen(log io.Writer) *listener {
	return &listener{ready: make(chan struct{}), log: log}
}

// Write takes what is logged, in any pieces.
func (l *listener) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tail = append(l.tail, p...)
	l.tail = l.tail[max(0, len(l.tail)-1000):]
	l.line = append(l.line, p...)
	for {
		line, rest, whole := bytes.Cut(l.line, []byte("\n"))
		if !whole {
			break
		}
		l.hear(line)
		l.line = rest
	}
	return l.log.Write(p)
}

func (l *listener) hear(line []byte) {
	var said struct{ Msg, Address string }
	if json.Unmarshal(line, &said) != nil {
		return
	}
	switch said.Msg {
	case "Listening on":
		l.address = said.Address
	case "Server is ready to receive web requests.":
		l.able = true
	default:
		return
	}
	// They may come in any order.
	if l.able && l.address != "" {
		l.once.Do(func() { close(l.ready) })
	}
}

func (l *listener) lastWords() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(bytes.TrimSpace(l.tail))
}
