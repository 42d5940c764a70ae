package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/notify"
	"github.com/clusterswitch/clusterswitch/internal/reach"
)

// Many targets that don't answer take no longer than one: what stops has so much time
// and no more.
func TestLastWordsAreSpokenSideBySide(t *testing.T) {
	const targets = 3
	var first, last sync.WaitGroup // of the tries that stopping ends, and of the last words
	first.Add(targets)
	last.Add(targets)
	met := make(chan struct{})
	go func() { last.Wait(); close(met) }()
	var mu sync.Mutex
	tried := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // from then on the server sees that the client is gone
		mu.Lock()
		again := tried[r.URL.Path]
		tried[r.URL.Path] = true
		mu.Unlock()
		if !again {
			first.Done()
			<-r.Context().Done()
			return
		}
		last.Done()
		select {
		case <-met:
		case <-r.Context().Done():
			t.Error("it gave up before all had begun")
		}
	}))
	defer server.Close()
	c := &crier{log: zap.NewNop(), count: func(string, string) {}, failed: make(chan error, 1)}
	var wanted []config.Notification
	for _, name := range []string{"a", "b", "c"} {
		wanted = append(wanted, config.Notification{Name: name, Format: notify.FormatSlack, URL: server.URL + "/" + name, Severity: "info"})
	}
	c.configure(t.Context(), wanted, reach.Policy{})
	c.tell(notify.News{Pair: "shop", Kind: notify.RollbackBegan, Severity: notify.Critical})
	first.Wait()
	c.stop()
	<-met
}
