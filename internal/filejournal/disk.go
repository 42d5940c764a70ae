package filejournal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

const (
	// fileMode lets only the daemon's user read and write: a journal names what
	// leads to users' traffic.
	fileMode = 0o600
	// dirMode is that of a directory that is made here.
	dirMode = 0o700
	// maxBytes bounds what is read of one file: a status takes a fraction of it.
	maxBytes = 4 << 20
)

// disk is what a durable write needs of the file system.
type disk interface {
	// Create makes an empty file in the place of whatever has its name.
	Create(name string) (file, error)
	// Rename puts a file into the place of another at once.
	Rename(from, to string) error
	// Sync makes creations and renames outlive the machine's end.
	Sync() error
}

// file is written from its beginning to its end.
type file interface {
	Write(content []byte) (int, error)
	// Sync makes the content outlive the machine's end.
	Sync() error
	Close() error
}

// folder is the directory of all files. Names can't lead out of it.
type folder struct {
	path string
	root *os.Root
	disk disk
}

// open finds the directory.
func open(path string) (*folder, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("opening the journal's directory: %w", err)
	}
	f := &folder{path: path, root: root}
	f.disk = realDisk{f}
	return f, nil
}

// temporary is the name under which a file is written before it takes its place.
// Nothing reads such a file: it may be half of one.
func temporary(name string) string { return "." + name + ".tmp" }

// put puts a whole file into the place of the former one, durably: who reads it,
// now or after the machine's end, finds the one or the other. After an error
// that names the directory it may be either; after any other it is the former.
func (f *folder) put(name string, content []byte) error {
	if err := f.write(temporary(name), content); err != nil {
		_ = f.root.Remove(temporary(name)) // what is left of it is replaced by the next write
		return fmt.Errorf("writing %s: %w; what was stored before stays", f.full(name), bare(err))
	}
	if err := f.disk.Rename(temporary(name), name); err != nil {
		return fmt.Errorf("writing %s: %w; what was stored before stays", f.full(name), bare(err))
	}
	if err := f.disk.Sync(); err != nil {
		return fmt.Errorf("making the write of %s last in its directory: %w", f.full(name), bare(err))
	}
	return nil
}

func (f *folder) write(name string, content []byte) error {
	to, err := f.disk.Create(name)
	if err != nil {
		return err
	}
	_, err = to.Write(content)
	if err == nil {
		err = to.Sync() // before the rename: it must not outlive the content
	}
	return errors.Join(err, to.Close())
}

// read gives a file's content; nil: there is none. An error says that nobody
// knows.
func (f *folder) read(name string) ([]byte, error) {
	in, err := f.root.Open(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("reading %s: %w", f.full(name), bare(err))
	}
	defer in.Close()
	content, err := io.ReadAll(io.LimitReader(in, maxBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading %s: %w", f.full(name), bare(err))
	case len(content) > maxBytes:
		return nil, fmt.Errorf("reading %s: it has more than %d bytes, which no journal has", f.full(name), maxBytes)
	case content == nil:
		content = []byte{} // an empty file is there
	}
	return content, nil
}

// remove takes a file away, if it is there.
func (f *folder) remove(name string) error {
	if err := f.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing %s: %w", f.full(name), bare(err))
	}
	return nil
}

// names gives what the names of the directory's files that end so begin with, in order.
func (f *folder) names(ending string) ([]string, error) {
	entries, err := fs.ReadDir(f.root.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", f.path, bare(err))
	}
	var names []string
	for _, e := range entries {
		if name, is := strings.CutSuffix(e.Name(), ending); is && validPair(name) {
			names = append(names, name)
		}
	}
	return names, nil
}

func (f *folder) full(name string) string { return f.path + string(os.PathSeparator) + name }

// bare leaves out the path that an error of a file names: it is named already.
func bare(err error) error {
	if e, is := errors.AsType[*fs.PathError](err); is {
		return e.Err
	}
	if e, is := errors.AsType[*os.LinkError](err); is {
		return e.Err
	}
	return err
}

// validPair tells whether a word can be a pair's name: a DNS label. Others are
// no files of pairs, and lead nowhere.
func validPair(name string) bool {
	if name == "" || len(name) > 63 || name[0] == '-' || name[len(name)-1] == '-' {
		return false
	}
	return strings.IndexFunc(name, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-') }) < 0
}

// realDisk is the operating system's.
type realDisk struct{ folder *folder }

// Create makes the file for the daemon's user.
func (d realDisk) Create(name string) (file, error) {
	if err := d.folder.remove(name); err != nil {
		return nil, err
	}
	made, err := d.folder.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return nil, err
	}
	if err := d.folder.give(made); err != nil {
		return nil, errors.Join(err, made.Close())
	}
	return made, nil
}

// Rename is the file system's.
func (d realDisk) Rename(from, to string) error { return d.folder.root.Rename(from, to) }

// Sync writes the directory itself out.
func (d realDisk) Sync() error {
	dir, err := d.folder.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
