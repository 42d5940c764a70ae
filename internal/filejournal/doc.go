// Package filejournal keeps the state of each pair in a file of one directory,
// for who has no management cluster, and hands out what people ask for in the
// request file beside it.
//
// Five promises:
//
//   - What can't be read is never taken for absent, and never overwritten.
//   - A file holds what was there before a write or what is there after it,
//     whatever ends the program or the machine in between.
//   - Nobody's write to the journal is overwritten unseen: Save then answers
//     ErrConflict.
//   - One process at a time has the directory, by a lock that ends with it.
//   - A disk that hangs holds nobody up for longer than its context.
package filejournal
