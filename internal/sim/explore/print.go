package explore

import (
	"crypto/md5" //nolint:gosec // it tells states apart, and nobody tries to forge one
	"encoding/binary"
	"reflect"
	"slices"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// fingerprint is what tells states apart.
type fingerprint [md5.Size]byte

// written is something that is written down once for all the states that it occurs
// in: its shape, and the times that it holds.
type written struct {
	shape uint32
	times []moment
}

// moment is a time. far: it is told apart up to a greater age.
type moment struct {
	at  time.Time
	far bool
}

// pool keeps one of each memory and state of the journal.
type pool struct {
	writer   writer
	shapes   map[string]uint32
	memories map[string]*switcher.Memory
	states   map[string]*shift.State
	ofMemory map[*switcher.Memory]written
	ofState  map[*shift.State]written
}

func newPool() *pool {
	return &pool{
		shapes: map[string]uint32{}, memories: map[string]*switcher.Memory{}, states: map[string]*shift.State{},
		ofMemory: map[*switcher.Memory]written{}, ofState: map[*shift.State]written{},
	}
}

// keep gives what was written down its shape, and a name by shape and times.
func (p *pool) keep() (w written, name string) {
	shape, known := p.shapes[string(p.writer.b)]
	if !known {
		shape = uint32(len(p.shapes))
		p.shapes[string(p.writer.b)] = shape
	}
	w = written{shape, slices.Clone(p.writer.times)}
	b := binary.AppendUvarint(nil, uint64(shape))
	for _, t := range w.times {
		b = binary.AppendVarint(b, t.at.UnixMilli())
	}
	return w, string(b)
}

func (p *pool) memory(m switcher.Memory) *switcher.Memory {
	p.writer.begin()
	p.writer.value(reflect.ValueOf(&m).Elem())
	w, name := p.keep()
	if p.memories[name] == nil {
		p.memories[name] = &m
		p.ofMemory[&m] = w
	}
	return p.memories[name]
}

func (p *pool) state(s shift.State) *shift.State {
	p.writer.begin()
	p.writer.value(reflect.ValueOf(&s).Elem())
	w, name := p.keep()
	if p.states[name] == nil {
		p.states[name] = &s
		p.ofState[&s] = w
	}
	return p.states[name]
}

// turn writes down what a turn goes on from: besides the memory, what it was told.
// The call that it waits for follows from that.
func (p *pool) turn(t *turn) written {
	p.writer.begin()
	p.writer.sight(t.began)
	for _, a := range t.answers {
		p.writer.sight(a.sight)
		p.writer.bools(a.woken, a.reply.clash)
		p.writer.text(a.reply.err)
		p.writer.text(string(a.reply.outcome))
		p.writer.entrance(&a.reply.stands)
		p.writer.time(a.reply.from)
		p.writer.include(p.ofState[a.reply.state])
	}
	w, _ := p.keep()
	return w
}

// printer writes a world down so that two worlds are written alike only if the same
// can follow from both: times as ages, versions as what they are compared for.
type printer struct {
	writer
	pool *pool
}

func (p *printer) of(w *world) fingerprint {
	p.begin()
	p.entrance(&w.entrance)
	p.include(p.pool.ofState[w.journal.state])
	p.bools(w.flag, w.lease.cut, w.journal.state == nil)
	p.ints(w.crashes, w.delays, w.saves, w.losses, w.cuts, w.pauses, w.lease.holder, int(w.lease.terms[0]), int(w.lease.terms[1]))
	p.time(w.lease.until)
	p.judge(&w.judge)
	p.late(w)
	for i := range w.replicas {
		p.replica(w, &w.replicas[i])
	}
	for _, t := range p.times {
		most := old
		if t.far {
			most = oldest
		}
		p.b = binary.AppendVarint(p.b, int64(min(max(w.now.Sub(t.at), -most), most)/time.Second))
	}
	return md5.Sum(p.b) //nolint:gosec // as above
}

func (p *writer) entrance(e *entrance) {
	p.ints(e.weights.Blue, e.weights.Green)
	if p.bools(e.marked); e.marked {
		p.value(reflect.ValueOf(&e.mark).Elem())
	}
}

func (p *printer) judge(j *judge) {
	p.ints(j.back, j.over, int(j.epoch))
	p.bools(j.proven)
	if !j.proven {
		p.time(j.changed)
	}
	for _, m := range j.rises {
		p.ints(int(m.Epoch), int(m.Version))
	}
	for _, o := range j.owners {
		p.ints(int(o.epoch), o.replica, o.life)
	}
}

func (p *printer) late(w *world) {
	l := &w.late
	if p.bools(l.call != nil); l.call == nil {
		return
	}
	c := l.call
	p.ints(int(c.kind), l.life, l.replica, int(c.change.Wanted), int(c.change.Priority))
	p.time(l.until)
	p.bools(l.seen == w.journal.version, l.before == w.entrance, l.heard)
	p.value(reflect.ValueOf(&c.change.Control).Elem())
	p.text(c.change.Expected.Token)
	p.include(p.pool.ofState[c.state])
	p.way(l.sent)
	p.entrance(&l.before)
}

func (p *printer) way(s way) {
	p.bools(s.began, s.proven)
	p.ints(s.back, s.over, int(s.epoch), s.green)
}

func (p *printer) replica(w *world, r *replica) {
	p.ints(r.life)
	p.bools(r.seen == w.journal.version, r.flag, r.heard, r.turn == nil, r.woken)
	p.include(p.pool.ofMemory[r.memory])
	if r.turn == nil {
		p.time(maxTime(r.wakeAt, w.now))
		return
	}
	p.way(r.sent)
	p.include(r.turn.written)
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// writer writes values down, and apart from them the times that they hold.
type writer struct {
	b     []byte
	times []moment
	far   bool // what is written now is told apart up to a greater age
}

func (p *writer) begin() { p.b, p.times = p.b[:0], p.times[:0] }

// include refers to what was written down before.
func (p *writer) include(w written) {
	p.b = binary.AppendUvarint(p.b, uint64(w.shape))
	p.times = append(p.times, w.times...)
}

func (p *writer) sight(s sight) {
	p.time(s.at)
	p.bools(s.flag)
	p.ints(int(s.term))
	p.time(s.until)
}

func (p *writer) bools(all ...bool) {
	for _, v := range all {
		if v {
			p.b = append(p.b, 1)
		} else {
			p.b = append(p.b, 0)
		}
	}
}

func (p *writer) ints(all ...int) {
	for _, v := range all {
		p.b = binary.AppendVarint(p.b, int64(v))
	}
}

func (p *writer) time(t time.Time) {
	if t.IsZero() {
		p.b = append(p.b, 'z')
		return
	}
	p.b, p.times = append(p.b, 't'), append(p.times, moment{t, p.far})
}

// text is written as it is, but for times in it: of the day, and in a question's id.
func (p *writer) text(s string) {
	p.ints(len(s))
	for i := 0; i < len(s); i++ {
		if n := p.clock(s[i:]); n > 0 {
			i += n - 1
			continue
		}
		p.b = append(p.b, s[i])
	}
}

const dayTime = "10:00:00"

// clock writes a time of the day that the text begins with, and says how long it is.
func (p *writer) clock(s string) int {
	if len(s) < len(dayTime) || s[2] != ':' || s[5] != ':' {
		return 0
	}
	t, err := time.Parse(time.TimeOnly, s[:len(dayTime)])
	if err != nil {
		return 0
	}
	y, m, d := epoch().Date() // no world lives longer than a day
	p.time(time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, time.UTC))
	return len(dayTime)
}

// value writes anything down that is made of exported fields.
func (p *writer) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		p.bools(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		p.b = binary.AppendVarint(p.b, v.Int())
	case reflect.String:
		p.text(v.String())
	case reflect.Slice, reflect.Array:
		p.ints(v.Len())
		for i := range v.Len() {
			p.value(v.Index(i))
		}
	case reflect.Pointer, reflect.Interface:
		p.bools(v.IsNil())
		if v.IsNil() {
			return
		}
		if err, ok := reflect.TypeAssert[error](v); ok {
			p.text(err.Error())
			return
		}
		p.value(v.Elem())
	case reflect.Struct:
		p.structure(v)
	default:
		panic("a state holds a " + v.Kind().String())
	}
}

func (p *writer) structure(v reflect.Value) {
	switch s := v.Addr().Interface().(type) {
	case *time.Time:
		p.time(*s)
		return
	case *shift.Entrance: // there is one, and it stays
		return
	case *shift.Step:
		return
	case *shift.State:
		if s.Schema == 0 { // of a loop that has read nothing yet
			p.b = append(p.b, 0)
			return
		}
	}
	for i := range v.NumField() {
		p.far = v.Type().Field(i).Name == "SentAt" // what was sent may land for minutes
		p.value(v.Field(i))
		p.far = false
	}
}
