package planted

import (
	"context"
	"slices"
)

// change changes the content of an object.
type change func(object map[string]any)

// put sets a value at a path of names and places in lists.
func put(value any, path ...any) change {
	return func(object map[string]any) {
		last := len(path) - 1
		switch parent, key := follow(object, path[:last]), path[last]; p := parent.(type) {
		case map[string]any:
			p[name(key)] = value
		case []any:
			p[place(key)] = value
		}
	}
}

// drop removes a name.
func drop(path ...any) change {
	return func(object map[string]any) {
		last := len(path) - 1
		if parent, ok := follow(object, path[:last]).(map[string]any); ok {
			delete(parent, name(path[last]))
		}
	}
}

// all makes several changes.
func all(changes ...change) change {
	return func(object map[string]any) {
		for _, c := range changes {
			c(object)
		}
	}
}

// follow goes down a path, and makes maps where nothing is.
func follow(object map[string]any, path []any) any {
	var at any = object
	for _, step := range path {
		switch parent := at.(type) {
		case map[string]any:
			if parent[name(step)] == nil {
				parent[name(step)] = map[string]any{}
			}
			at = parent[name(step)]
		case []any:
			at = parent[place(step)]
		}
	}
	return at
}

func name(step any) string {
	s, _ := step.(string)
	return s
}

func place(step any) int {
	i, _ := step.(int)
	return i
}

// in gives the path of something in the pods of a workload.
func inPods(path ...any) []any { return slices.Concat([]any{"spec", "template"}, path) }

// container gives a path in the first container of a workload.
func container(path ...any) []any {
	return inPods(slices.Concat([]any{"spec", "containers", 0}, path)...)
}

// edited is a row whose object is another one in green.
func edited(what, check, want string, r ref, c change, also ...string) row {
	return row{name: what, check: check, want: want, also: also, plant: func(ctx context.Context, s *stage) error {
		return s.edit(ctx, green, r, c)
	}}
}

// removed is a row whose object isn't in green.
func removed(what, check, want string, r ref, also ...string) row {
	return row{name: what, check: check, want: want, also: also, plant: func(ctx context.Context, s *stage) error {
		return s.remove(ctx, green, r)
	}}
}

// replaced is a row whose object is removed from green and made anew: it can't be
// changed.
func replaced(what, check, want string, r ref, text string, also ...string) row {
	return row{name: what, check: check, want: want, also: also, plant: func(ctx context.Context, s *stage) error {
		if err := s.remove(ctx, green, r); err != nil {
			return err
		}
		return s.create(ctx, green, text)
	}}
}

// created is a row that adds objects to one cluster, or to both by "".
func created(what, check, want string, where side, text string, also ...string) row {
	return row{name: what, check: check, want: want, also: also, plant: func(ctx context.Context, s *stage) error {
		return s.createIn(ctx, where, text)
	}}
}

// twoWays is a row that adds other objects to green than to blue.
func twoWays(what, check, want, inBlue, inGreen string) row {
	return row{name: what, check: check, want: want, plant: func(ctx context.Context, s *stage) error {
		if err := s.create(ctx, blue, inBlue); err != nil {
			return err
		}
		return s.create(ctx, green, inGreen)
	}}
}

// alone gives a row a run of its own.
func alone(r row) row {
	r.alone = true
	return r
}

// createIn creates in one cluster, or in both by "".
func (s *stage) createIn(ctx context.Context, where side, text string) error {
	for _, at := range []side{blue, green} {
		if where == "" || where == at {
			if err := s.create(ctx, at, text); err != nil {
				return err
			}
		}
	}
	return nil
}
