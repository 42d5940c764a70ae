package soak

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHowLongNobodyIsInCharge(t *testing.T) {
	t.Parallel()
	type figures struct{ Takeovers, Hindered []float64 }
	tests := map[string]struct {
		happens func(c *charge)
		want    figures
	}{
		"the other one takes over": {
			happens: func(c *charge) {
				c.called("one", at(0))
				c.gone("one", false, at(1))
				c.called("two", at(8))
			},
			want: figures{[]float64{7000}, []float64{}},
		},
		"the killed one is started again and is first": {
			happens: func(c *charge) {
				c.called("one", at(0))
				c.gone("one", false, at(1))
				c.here("one")
				c.called("one", at(4))
			},
			want: figures{[]float64{3000}, []float64{}},
		},
		"what the killed one had sent doesn't count": {
			happens: func(c *charge) {
				c.called("one", at(0))
				c.gone("one", false, at(1))
				c.called("one", at(1.1))
				c.called("two", at(6))
			},
			want: figures{[]float64{5000}, []float64{}},
		},
		"one that stood still goes on before another could take over": {
			happens: func(c *charge) {
				c.called("one", at(0))
				c.gone("one", true, at(1))
				c.here("one")
				c.called("one", at(3))
			},
			want: figures{[]float64{}, []float64{}},
		},
		"one that stands by may go": {
			happens: func(c *charge) {
				c.called("one", at(0))
				c.gone("two", false, at(1))
				c.called("one", at(9))
			},
			want: figures{[]float64{}, []float64{}},
		},
		"the API server was away meanwhile": {
			happens: func(c *charge) {
				c.called("one", at(0))
				c.gone("one", false, at(1))
				c.hinder()()
				c.called("two", at(20))
			},
			want: figures{[]float64{}, []float64{19000}},
		},
		"both were gone": {
			happens: func(c *charge) {
				c.called("one", at(0))
				c.gone("one", false, at(1))
				c.gone("two", false, at(2))
				c.here("two")
				c.called("two", at(20))
			},
			want: figures{[]float64{}, []float64{19000}},
		},
		"a person's calls are nobody's": {
			happens: func(c *charge) {
				c.called("one", at(0))
				c.gone("one", false, at(1))
				c.called(person, at(2))
				c.called("two", at(3))
			},
			want: figures{[]float64{2000}, []float64{}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &charge{}
			test.happens(c)
			var got figures
			got.Takeovers, got.Hindered = c.figures()
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
