package elb

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
)

// looker is something to look at: it takes a second, and notes who asked.
type looker struct {
	mu    sync.Mutex
	looks []string // the keys of each look
	ended int      // looks that were ended early
}

func (l *looker) look(ctx context.Context, keys []string) map[string]answer[string] {
	l.mu.Lock()
	l.looks = append(l.looks, strings.Join(keys, "+"))
	n := len(l.looks)
	l.mu.Unlock()
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		l.mu.Lock()
		defer l.mu.Unlock()
		l.ended++
		return nil
	}
	answers := map[string]answer[string]{}
	for _, key := range keys {
		answers[key] = answer[string]{value: strings.Repeat("I", n)}
	}
	return answers
}

func TestReadersShareTheirLooks(t *testing.T) {
	t.Parallel()
	young := ages{good: 2 * time.Second}
	type ask struct {
		at     time.Duration
		keys   string
		urgent bool
		old    ages
		touch  bool // the key is touched first
		gives  time.Duration
	}
	cases := map[string]struct {
		manner manner
		asks   []ask
		looks  []string
	}{
		"who asks within a moment is answered by one look": {asks: []ask{{keys: "a"}, {at: 2 * time.Millisecond, keys: "b"}, {at: 4 * time.Millisecond, keys: "a"}}, looks: []string{"a+b"}},
		"who asks right after it began joins it":           {asks: []ask{{keys: "a"}, {at: 20 * time.Millisecond, keys: "a"}}, looks: []string{"a"}},
		"who asks later needs one of its own":              {asks: []ask{{keys: "a"}, {at: 30 * time.Millisecond, keys: "a"}}, looks: []string{"a", "a"}},
		"nor does anybody join after a touch":              {asks: []ask{{keys: "a"}, {at: 10 * time.Millisecond, keys: "a", touch: true}}, looks: []string{"a", "a"}},
		"a young answer does for who says so":              {asks: []ask{{keys: "a"}, {at: 1900 * time.Millisecond, keys: "a"}, {at: 3500 * time.Millisecond, keys: "a", old: young}}, looks: []string{"a", "a"}},
		"and is kept for its time":                         {asks: []ask{{keys: "a"}, {at: 1900 * time.Millisecond, keys: "a", old: young}}, looks: []string{"a"}},
		"but not beyond a touch":                           {asks: []ask{{keys: "a"}, {at: 1900 * time.Millisecond, keys: "a", old: young, touch: true}}, looks: []string{"a", "a"}},
		"an urgent one goes at once":                       {asks: []ask{{keys: "a"}, {at: time.Millisecond, keys: "a", urgent: true}}, looks: []string{"a", "a"}},
		"urgent ones gather behind the first":              {asks: []ask{{keys: "a", urgent: true}, {at: 22 * time.Millisecond, keys: "b", urgent: true}, {at: 30 * time.Millisecond, keys: "c", urgent: true}}, looks: []string{"a", "b+c"}},
		"what is asked one by one is shared all the same":  {manner: eachAlone, asks: []ask{{keys: "a b"}, {at: time.Millisecond, keys: "b"}}, looks: []string{"a", "b"}},
		"who gives up ends the look that is only its own":  {asks: []ask{{keys: "a", gives: 100 * time.Millisecond}}, looks: []string{"a"}},
		"but not one that another waits for":               {asks: []ask{{keys: "a", gives: 100 * time.Millisecond}, {at: time.Millisecond, keys: "a"}}, looks: []string{"a"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var l looker
				j := newJoint(time.Now, l.look, c.manner)
				var readers sync.WaitGroup
				for _, ask := range c.asks {
					readers.Go(func() {
						time.Sleep(ask.at)
						ctx := t.Context()
						if ask.gives > 0 {
							var cancel context.CancelFunc
							ctx, cancel = context.WithTimeout(ctx, ask.gives)
							defer cancel()
						}
						if ask.urgent {
							ctx = awsapi.Urgent(ctx)
						}
						keys := strings.Fields(ask.keys)
						if ask.touch {
							j.touch(keys[0])
						}
						for key, got := range j.get(ctx, keys, ask.old) {
							if (got.failed != nil) != (ask.gives > 0) {
								t.Errorf("%s: got %+v", key, got)
							}
						}
					})
				}
				readers.Wait()
				slices.Sort(l.looks)
				slices.Sort(c.looks)
				if diff := cmp.Diff(c.looks, l.looks); diff != "" {
					t.Errorf("looks (-want +got):\n%s", diff)
				}
				alone := len(c.asks) == 1 && c.asks[0].gives > 0
				if (l.ended == 1) != alone {
					t.Errorf("%d looks were ended early", l.ended)
				}
			})
		})
	}
}

func TestWhatIsAmendedIsKnownWithoutALook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l looker
		j := newJoint(time.Now, l.look, together)
		j.get(t.Context(), []string{"a"}, ages{})
		j.amend("a", func(had string) string { return had + " amended" })
		got := j.get(t.Context(), []string{"a"}, ages{good: time.Minute})["a"]
		if got.value != "I amended" || len(l.looks) != 1 {
			t.Errorf("got %+v after %q", got, l.looks)
		}
	})
}

func TestLookupsTakeTheFewestCalls(t *testing.T) {
	t.Parallel()
	rules := func(listener string, n int) []string {
		var arns []string
		for i := range n {
			arns = append(arns, "arn:x:listener-rule/app/web/lb/"+listener+"/"+strings.Repeat("r", i+1))
		}
		return arns
	}
	cases := map[string]struct {
		arns []string
		gone string
		want []string // of each call: the listener, or how many ARNs
	}{
		"nothing to look at":                         {nil, "", nil},
		"few rules go by their ARNs":                 {rules("a", 3), "", []string{"3"}},
		"so do few of many listeners":                {slices.Concat(rules("a", 6), rules("b", 4)), "", []string{"10"}},
		"many of one listener are listed":            {slices.Concat(rules("a", 25), rules("b", 4)), "", []string{"arn:x:listener/app/web/lb/a", "4"}},
		"listeners are asked for apart":              {slices.Concat(rules("a", 2), []string{"arn:x:listener/app/web/lb/c"}), "", []string{"2", "1"}},
		"what was gone is asked for by itself":       {rules("a", 3), "arn:x:listener-rule/app/web/lb/a/rr", []string{"2", "1"}},
		"listing that saves nothing isn't worthwile": {slices.Concat(rules("a", 11), rules("b", 9)), "", []string{"10", "10"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			covered := map[string]bool{}
			for _, call := range lookups(c.arns, 10, func(arn string) bool { return arn == c.gone }) {
				what := call.listener
				if what == "" {
					what = strconv.Itoa(len(call.arns))
				}
				got = append(got, what)
				for _, arn := range call.arns {
					covered[arn] = true
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" || len(covered) != len(c.arns) {
				t.Errorf("%d of %d are covered (-want +got):\n%s", len(covered), len(c.arns), diff)
			}
		})
	}
}
