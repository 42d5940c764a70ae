// Package status puts a State and what is said of it into the status of a
// TrafficSwitch, and reads the State back. It is the one form of the journal,
// wherever it is kept.
package status
