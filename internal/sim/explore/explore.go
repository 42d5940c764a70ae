package explore

import (
	"slices"
)

// explorer is one search.
type explorer struct {
	o      Options
	seat   *seat
	result Result

	known map[fingerprint]uint32
	from  []arrival // by state: how it was first reached
	edges [][2]uint32
	ends  []uint32
	print printer

	// Of the execution that is under way.
	faults   []Violation
	boundary bool
}

// arrival is the move that first led to a state.
type arrival struct {
	state uint32
	move  move
}

// place is a state whose moves are still to be tried.
type place struct {
	world world
	id    uint32
}

// Run searches the world that the options describe, breadth first.
func Run(o Options) Result {
	x := &explorer{o: o, seat: newSeat(o), known: map[fingerprint]uint32{}}
	x.print.pool = x.seat.pool
	first := o.first(x.seat.born)
	x.arrive(first, arrival{})
	layer := []place{{first, 0}}
	for len(layer) > 0 && !x.full() {
		layer = x.expand(layer)
		if len(layer) > 0 {
			x.result.Deepest++
		}
	}
	x.result.Complete = len(layer) == 0
	x.result.States, x.result.Ends = len(x.from), len(x.ends)
	if x.result.Complete {
		x.result.Lost = x.lost()
	}
	return x.result
}

func (x *explorer) full() bool { return x.o.MaxStates > 0 && len(x.from) >= x.o.MaxStates }

// expand tries all moves of a layer's states and gives the states that are new.
func (x *explorer) expand(layer []place) []place {
	var next []place
	var buffer []move
	for i := range layer {
		here := layer[i]
		layer[i] = place{} // so that memory is given back
		buffer = here.world.moves(x.o, buffer)
		for _, m := range buffer {
			x.faults, x.boundary = nil, false
			w := x.after(here.world, m)
			x.count(here, m)
			if len(x.faults) > 0 {
				continue // what follows a broken rule says nothing
			}
			id, fresh := x.arrive(w, arrival{here.id, m})
			x.edges = append(x.edges, [2]uint32{here.id, id})
			if fresh {
				next = append(next, place{w, id})
			}
		}
	}
	return next
}

func (x *explorer) arrive(w world, by arrival) (id uint32, fresh bool) {
	key := x.print.of(&w)
	if id, known := x.known[key]; known {
		return id, false
	}
	id = uint32(len(x.from))
	x.known[key] = id
	x.from = append(x.from, by)
	if w.ended() {
		x.ends = append(x.ends, id)
	}
	return id, true
}

// count notes what an execution broke.
func (x *explorer) count(at place, m move) {
	if x.boundary {
		x.result.Boundary++
	}
	if len(x.faults) == 0 {
		return
	}
	x.result.Broken++
	for _, f := range x.faults {
		if !slices.ContainsFunc(x.result.Violations, func(v Violation) bool { return v.Rule == f.Rule }) {
			f.Story = append(x.story(at.id), at.world.tell(x.o, m))
			x.result.Violations = append(x.result.Violations, f)
		}
	}
}

// story goes the shortest way to a state once more and tells it.
func (x *explorer) story(id uint32) []string {
	var way []move
	for ; id != 0; id = x.from[id].state {
		way = append(way, x.from[id].move)
	}
	slices.Reverse(way)
	faults, boundary, executions := x.faults, x.boundary, x.result.Executions
	var told []string
	w := x.o.first(x.seat.born)
	for _, m := range way {
		told = append(told, w.tell(x.o, m))
		w = x.after(w, m)
	}
	x.faults, x.boundary, x.result.Executions = faults, boundary, executions
	return told
}

// lost counts the states from which no end can be reached: nobody would be told
// of them by a rule, and nobody would be helped.
func (x *explorer) lost() int {
	slices.SortFunc(x.edges, func(a, b [2]uint32) int { return int(a[1]) - int(b[1]) })
	into := make([]uint32, len(x.from)+1) // by state: where the edges that lead there begin
	for i, j := 0, 0; i <= len(x.from); i++ {
		for j < len(x.edges) && int(x.edges[j][1]) < i {
			j++
		}
		into[i] = uint32(j)
	}
	saved := make([]bool, len(x.from))
	todo := slices.Clone(x.ends)
	for _, id := range todo {
		saved[id] = true
	}
	n := len(x.from)
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		n--
		for _, e := range x.edges[into[id]:into[id+1]] {
			if !saved[e[0]] {
				saved[e[0]] = true
				todo = append(todo, e[0])
			}
		}
	}
	return n
}
