package shift

import (
	"testing"
	"testing/quick"
)

func TestWeightsAreReadByTheirProportion(t *testing.T) {
	for name, test := range map[string]struct {
		weights Weights
		share   Share // rounded up
		exact   bool  // the weights give exactly that share
	}{
		"blue has everything":                  {Weights{100, 0}, 0, true},
		"green has everything":                 {Weights{0, 100}, 100, true},
		"a quarter":                            {Weights{75, 25}, 25, true},
		"a quarter in other numbers":           {Weights{3, 1}, 25, true},
		"Route 53's largest":                   {Weights{255, 255}, 50, true},
		"one of 256 still isn't nothing":       {Weights{255, 1}, 1, false},
		"nearly everything isn't less":         {Weights{1, 255}, 100, false},
		"a third is rounded up":                {Weights{2, 1}, 34, false},
		"all zero is an even split, as at AWS": {Weights{0, 0}, 50, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.weights.Share(); got != test.share {
				t.Errorf("share %s, want %s", got, test.share)
			}
			if got := test.weights.At(test.share); got != test.exact {
				t.Errorf("exactly at %s: %t, want %t", test.share, got, test.exact)
			}
		})
	}
}

func TestWeightsOfEveryShareAreItsOwnAndNeverAllZero(t *testing.T) {
	for s := Share(0); s <= Full; s++ {
		w := s.Weights()
		if w.Blue+w.Green != 100 || w.Blue < 0 || w.Green < 0 || !w.At(s) || w.Share() != s || w.whole() != s {
			t.Errorf("S1: %s gives %s, which reads as %s", s, w, w.Share())
		}
		if !s.Valid() {
			t.Errorf("%s is not valid", s)
		}
	}
	if Share(-1).Valid() || Share(101).Valid() {
		t.Error("a share outside 0 to 100 is valid")
	}
}

func TestRoundingNeverHidesTrafficOnGreen(t *testing.T) {
	honest := func(blue, green uint8) bool {
		w := Weights{Blue: int(blue), Green: int(green)}
		if blue == 0 && green == 0 {
			return !w.At(50) && !w.AtMost(49) && w.AtMost(50) && !w.same(Weights{1, 1})
		}
		down, up := w.whole(), w.Share()
		return up-down <= 1 && w.AtMost(up) && (w.AtMost(down) == w.At(down)) && (up == 0) == (green == 0) && w.same(Weights{2 * w.Blue, 2 * w.Green})
	}
	if err := quick.Check(honest, &quick.Config{MaxCount: 5000}); err != nil {
		t.Error(err)
	}
}
