package explore

import (
	"crypto/md5" //nolint:gosec // it tells states apart, and nobody tries to forge one
	"encoding/binary"
	"reflect"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// print is what tells states apart.
type print [md5.Size]byte

// printer writes a world down so that two worlds are written alike if, and only if,
// the same can follow from both: times as ages, versions as what they are compared for.
type printer struct {
	b   []byte
	now time.Time
}

func (p *printer) of(w *world) print {
	p.b, p.now = p.b[:0], w.now
	p.entrance(&w.entrance)
	p.state(w.journal.state)
	p.bools(w.flag, w.lease.cut, w.journal.present)
	p.ints(w.crashes, w.delays, w.cuts, w.pauses, w.lease.holder, int(w.lease.terms[0]), int(w.lease.terms[1]))
	p.time(w.lease.until)
	p.judge(&w.judge)
	p.late(w)
	for i := range w.replicas {
		p.replica(w, &w.replicas[i])
	}
	return md5.Sum(p.b) //nolint:gosec // as above
}

func (p *printer) entrance(e *entrance) {
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
	if p.ints(int(l.call.kind)); l.call.kind == noCall {
		return
	}
	p.call(&l.call)
	p.ints(l.life, l.replica)
	p.bools(l.seen == w.journal.version, l.before == w.entrance, l.heard)
	p.way(l.sent)
	p.entrance(&l.before)
}

func (p *printer) way(s way) {
	p.bools(s.began)
	p.ints(s.back, s.over, int(s.epoch))
}

func (p *printer) replica(w *world, r *replica) {
	p.ints(r.life)
	p.bools(r.seen == w.journal.version, r.flag, r.heard, r.turn == nil)
	p.value(reflect.ValueOf(r.memory).Elem())
	if r.turn == nil {
		p.time(maxTime(r.wakeAt, w.now))
		return
	}
	p.way(r.sent)
	p.bools(r.turn.woken)
	p.sight(r.turn.began)
	for _, a := range r.turn.answers {
		p.sight(a.sight)
		p.bools(a.woken)
		p.reply(&a.reply)
	}
	p.call(&r.called)
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (p *printer) sight(s sight) {
	p.time(s.at)
	p.bools(s.flag)
	p.ints(int(s.term))
	p.time(s.until)
}

func (p *printer) reply(r *reply) {
	p.text(r.err)
	p.bools(r.clash, r.present)
	p.state(r.state)
	p.ints(r.look.Weights.Blue, r.look.Weights.Green)
	p.time(r.look.At)
	if r.look.Mark != nil {
		p.value(reflect.ValueOf(r.look.Mark).Elem())
	}
	p.time(r.from)
	p.text(string(r.outcome))
}

// call is written short: what it asks for follows from the memory and the answers
// that are written already, but for a write that is late.
func (p *printer) call(c *call) {
	p.ints(int(c.kind))
	p.time(c.deadline)
	if c.kind.writes() {
		p.ints(int(c.change.Wanted), int(c.change.Priority))
		p.value(reflect.ValueOf(&c.change.Control).Elem())
		p.text(c.change.Expected.Token)
	}
	p.state(c.state)
}

func (p *printer) state(s *shift.State) {
	if s == nil {
		p.b = append(p.b, 0)
		return
	}
	p.value(reflect.ValueOf(s).Elem())
}

func (p *printer) bools(all ...bool) {
	for _, v := range all {
		if v {
			p.b = append(p.b, 1)
		} else {
			p.b = append(p.b, 0)
		}
	}
}

func (p *printer) ints(all ...int) {
	for _, v := range all {
		p.b = binary.AppendVarint(p.b, int64(v))
	}
}

// time is written as an age, or as how far ahead it is.
func (p *printer) time(t time.Time) {
	if t.IsZero() {
		p.b = append(p.b, 'z')
		return
	}
	p.b = append(p.b, 't')
	p.b = binary.AppendVarint(p.b, int64(min(max(p.now.Sub(t), -oldest), oldest)))
}

// text is written as it is, but for times in it: of the day, and in a question's id.
func (p *printer) text(s string) {
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
func (p *printer) clock(s string) int {
	if len(s) < len(dayTime) || s[2] != ':' || s[5] != ':' {
		return 0
	}
	t, err := time.Parse(time.TimeOnly, s[:len(dayTime)])
	if err != nil {
		return 0
	}
	y, m, d := p.now.Date()
	p.time(time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, time.UTC))
	return len(dayTime)
}

// value writes anything down that is made of exported fields.
func (p *printer) value(v reflect.Value) {
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
		if err, ok := v.Interface().(error); ok {
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

func (p *printer) structure(v reflect.Value) {
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
		p.value(v.Field(i))
	}
}
