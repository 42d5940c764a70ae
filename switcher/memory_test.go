package switcher

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

// TestMemoryForgetsNothing holds Memory against the loop's fields: one that is
// neither a port, nor set once, nor in Memory would make turns unrepeatable.
func TestMemoryForgetsNothing(t *testing.T) {
	t.Parallel()
	apart := []string{ // ports, what New sets, what goes between goroutines, and what is only logged
		"observer", "journal", "committer", "steward", "reporter", "lease", "log", "timeouts", "within", "plan", "wake", "cut",
	}
	var kept, want []string
	for f := range reflect.TypeFor[Memory]().Fields() {
		kept = append(kept, lowerFirst(f.Name))
	}
	for f := range reflect.TypeFor[Switcher]().Fields() {
		if !slices.Contains(apart, f.Name) {
			want = append(want, f.Name)
		}
	}
	slices.Sort(kept)
	slices.Sort(want)
	if !slices.Equal(kept, want) {
		t.Errorf("Memory has %v, the loop carries on %v", kept, want)
	}
	full := reflect.New(reflect.TypeFor[Memory]())
	for _, f := range full.Elem().Fields() {
		differ(f)
	}
	var s Switcher
	s.Recall(full.Elem().Interface().(Memory))
	if got := s.Memory(); !reflect.DeepEqual(got, full.Elem().Interface()) {
		t.Errorf("recalled %+v, remembered %+v", full.Elem(), got)
	}
}

func lowerFirst(name string) string { return string(name[0]|0x20) + name[1:] }

// differ gives a field a value that isn't its zero.
func differ(f reflect.Value) {
	switch f.Kind() {
	case reflect.Bool:
		f.SetBool(true)
	case reflect.Int, reflect.Int64:
		f.SetInt(7)
	case reflect.String:
		f.SetString("text")
	case reflect.Slice:
		f.Set(reflect.MakeSlice(f.Type(), 1, 1))
	case reflect.Interface:
		f.Set(reflect.ValueOf(ErrConflict))
	case reflect.Struct:
		if f.Type() == reflect.TypeFor[time.Time]() {
			f.Set(reflect.ValueOf(time.Unix(1, 0)))
			return
		}
		for _, v := range f.Fields() {
			if k := v.Kind(); k == reflect.Int || k == reflect.String {
				differ(v)
				return
			}
		}
		panic("nothing of " + f.Type().String() + " can be told from zero")
	default:
		panic("a field of kind " + f.Kind().String())
	}
}
