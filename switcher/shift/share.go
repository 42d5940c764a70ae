package shift

import "fmt"

// Share is the percentage of users' traffic that green gets: 0 to 100. Blue
// gets the rest. Zero is a value: it is written to AWS explicitly.
type Share int

// Full is all traffic on green.
const Full Share = 100

// Weights are the two weights that AWS stores for a share. They always sum to
// 100, which both Route 53 (0 to 255 a record) and ELB (0 to 999 a target
// group) accept, so a group's weights are never all zero.
type Weights struct {
	Blue  int `json:"blue"`
	Green int `json:"green"`
}

// Weights gives the weights that stand for the share.
func (s Share) Weights() Weights {
	return Weights{Blue: int(Full - s), Green: int(s)}
}

// Valid tells whether s is a percentage.
func (s Share) Valid() bool { return s >= 0 && s <= Full }

// String gives the share as people write it, "25 %".
func (s Share) String() string { return fmt.Sprintf("%d %%", int(s)) }

// At tells whether the weights give green exactly the share. Only the
// proportion counts: 1 and 0 stand for the same traffic as 100 and 0. Weights
// that are all zero stand for no share: AWS would split traffic evenly.
func (w Weights) At(s Share) bool {
	total := w.Blue + w.Green
	return total > 0 && w.Green*int(Full) == int(s)*total
}

// AtMost tells whether the weights give green no more than the share. Weights
// that are all zero give it half, as AWS splits traffic evenly then.
func (w Weights) AtMost(s Share) bool {
	total := w.Blue + w.Green
	if total <= 0 {
		return s >= Full/2
	}
	return w.Green*int(Full) <= int(s)*total
}

// same tells whether both weights give the same proportion.
func (w Weights) same(v Weights) bool {
	return w == v || w.Blue+w.Green > 0 && v.Blue+v.Green > 0 && w.Blue*v.Green == w.Green*v.Blue
}

// Share gives green's share in whole percent, rounded up so that a trickle
// never reads as nothing. All zero reads as an even split, as AWS treats it.
func (w Weights) Share() Share {
	total := w.Blue + w.Green
	if total <= 0 {
		return Full / 2
	}
	return Share((w.Green*int(Full) + total - 1) / total)
}

// whole gives green's share in whole percent, rounded down.
func (w Weights) whole() Share {
	if total := w.Blue + w.Green; total > 0 {
		return Share(w.Green * int(Full) / total)
	}
	return Full / 2
}

// String gives the weights as an operator would say them.
func (w Weights) String() string {
	return fmt.Sprintf("blue %d, green %d", w.Blue, w.Green)
}
