// Package soak lets two real daemons shift real traffic while everything around
// them breaks: their processes are killed and stand still, API servers crash,
// connections are cut and fall silent, AWS throttles. Each run has a plan of its own
// that follows from its seed. What takes effect at AWS is judged when it takes
// effect, and each failed request of a user is counted.
package soak
