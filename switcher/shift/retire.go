package shift

import "time"

// RetireReading is whether blue may be deleted, for those who read the journal.
// No decision looks at it.
type RetireReading struct {
	// At is when it was last looked at; zero: it was not.
	At time.Time
	// Safe: nothing speaks against it, and nothing is unknown.
	Safe bool
	// Unknown: nothing speaks against it as far as is known, and not all is.
	Unknown bool
	// Message says it in a sentence.
	Message string
}
