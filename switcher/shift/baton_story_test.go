package shift

import (
	"slices"
	"strings"
	"time"
)

// singleton puts one into both clusters: "CronJob shop/nightly every 5m takes
// 40s", "Deployment shop/mailer of 2 takes 10s".
func (s *story) singleton(words []string) {
	if s.w.hands == nil {
		s.w.hands = newHands(s.w.now)
	}
	w := work{startingDeadline: 30 * time.Second, takes: s.duration(words[5])}
	if w.cron = words[0] == "CronJob"; w.cron {
		w.every = s.duration(words[3])
	} else {
		w.replicas = s.number(words[3])
	}
	s.w.hands.add(words[0]+" "+words[1], w)
}

// cluster: "dies" or "returns"; what runs in a dead one is over after a while.
func (s *story) cluster(side Side, does string) {
	c, err := s.w.hands.sides[side], "connection refused"
	if does == "returns" {
		err = ""
	}
	c.err, c.dead = err, err != ""
	if side == Green {
		s.w.green.err = err
		return
	}
	s.w.blue.err = err
}

// notes writes down what else is said of the singletons.
func (s *story) notes() {
	for _, note := range batonNotes(s.w.mind, s.w.observe(s.w.mind), s.w.now) {
		s.lines = append(s.lines, "          "+note)
	}
}

// where tells of each singleton where it truly is on, in clusters that live.
func (h *hands) where() []string {
	if h == nil {
		return nil
	}
	var all []string
	for key, b := range h.sides[Blue].work {
		var sides []string
		if b.on() && !h.sides[Blue].dead {
			sides = append(sides, "blue")
		}
		if h.sides[Green].work[key].on() && !h.sides[Green].dead {
			sides = append(sides, "green")
		}
		_, name, _ := strings.Cut(key, "/")
		all = append(all, name+" "+strings.Join(append(sides, "nowhere")[:max(1, len(sides))], "+"))
	}
	slices.Sort(all)
	return all
}
