//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package filejournal

import (
	"errors"
	"os"
)

func exclusive(*os.File) error {
	return errors.New("this system has no lock that ends with its process: keep the journal in a management cluster")
}

func (f *folder) give(*os.File) error { return nil }
