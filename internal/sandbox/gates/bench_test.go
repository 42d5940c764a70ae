package gates

import "testing"

func BenchmarkHour(b *testing.B) {
	w := rampRows(ownKinds())[0]
	for i := 0; b.Loop(); i++ {
		play(w, draws(1, w.name, i))
	}
}
