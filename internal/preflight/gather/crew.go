package gather

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// Crew runs parts of a preflight side by side. Where one panics, Wait panics in
// its stead when all have ended: so that the daemon, which must outlive any
// fault of a preflight, can recover in one place. Nothing else in the program
// recovers from panics. The zero value is ready.
type Crew struct {
	running sync.WaitGroup
	first   sync.Once
	crash   *Crash
}

// Crash is what Wait panics with.
type Crash struct {
	// Value is the panic's own, Stack that of its goroutine.
	Value any
	Stack []byte
}

// String is what the program ends with where nobody recovers.
func (c *Crash) String() string { return fmt.Sprintf("%v\n\n%s", c.Value, c.Stack) }

// Go runs a part in a goroutine of its own.
func (c *Crew) Go(part func()) {
	c.running.Go(func() { c.Try(part) })
}

// Try runs a part in this goroutine. It returns even where the part panics, so
// that the parts after it are still run.
func (c *Crew) Try(part func()) {
	defer func() {
		if value := recover(); value != nil {
			crash, is := value.(*Crash) // of a crew within
			if !is {
				crash = &Crash{Value: value, Stack: debug.Stack()}
			}
			c.first.Do(func() { c.crash = crash })
		}
	}()
	part()
}

// Wait waits for all parts.
func (c *Crew) Wait() {
	c.running.Wait()
	if c.crash != nil {
		panic(c.crash)
	}
}
