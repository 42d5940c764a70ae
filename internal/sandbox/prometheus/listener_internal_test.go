package prometheus

import (
	"io"
	"testing"
)

func TestReadinessIsHeardInAnyOrderAndInPieces(t *testing.T) {
	const listening, ready = `{"msg":"Listening on","address":"127.0.0.1:9"}` + "\n", `{"msg":"Server is ready to receive web requests."}` + "\n"
	for name, pieces := range map[string][]string{
		"as usual":        {listening, ready},
		"the other way":   {"no JSON\n", ready, listening},
		"in pieces":       {listening[:10], listening[10:] + ready[:5], ready[5:]},
		"said repeatedly": {listening, ready + ready + listening},
	} {
		t.Run(name, func(t *testing.T) {
			l := listen(io.Discard)
			for i, piece := range pieces {
				select {
				case <-l.ready:
					t.Fatalf("ready before piece %d", i)
				default:
				}
				if _, err := io.WriteString(l, piece); err != nil {
					t.Fatal(err)
				}
			}
			select {
			case <-l.ready:
			default:
				t.Fatal("not ready")
			}
			if l.address != "127.0.0.1:9" {
				t.Errorf("address %q", l.address)
			}
		})
	}
}
