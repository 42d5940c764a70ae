// Package chronicle keeps, for people who watch, where each pair stands and how
// it got there: the document of the web page's API. It is told of every turn, and
// on a replica that isn't in charge of what the daemon in charge wrote down. It
// decides nothing, and what it remembers is bounded.
package chronicle
