package reach

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// maxFile bounds what is read of a file, in bytes: certificates, keys and tokens
// have a few KiB.
const maxFile = 1 << 20

// ReadFile reads a file that the configuration names: an ordinary file of at most
// 1 MiB. Links are followed, as Kubernetes mounts Secrets by them, but not into
// /proc and /sys: what a process or the kernel shows of itself is nobody's secret to
// send. Errors name the path, and never what is in the file.
func ReadFile(path string) ([]byte, error) {
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		if inner, ok := errors.AsType[*os.PathError](err); ok {
			err = inner.Err
		}
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	if resolved, err = filepath.Abs(resolved); err != nil {
		return nil, err
	}
	for _, kernel := range []string{"/proc", "/sys"} {
		if resolved == kernel || strings.HasPrefix(resolved, kernel+"/") {
			return nil, fmt.Errorf("%s is not an ordinary file: it lies in %s, where the system shows itself", path, kernel)
		}
	}
	// Before it is opened: opening a named pipe would wait for somebody to write.
	found, err := os.Stat(resolved)
	if err != nil {
		return nil, err
	}
	if err := ordinary(path, found); err != nil {
		return nil, err
	}
	file, err := os.Open(resolved)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(content) > maxFile {
		return nil, fmt.Errorf("%s is larger than 1 MiB", path)
	}
	return content, nil
}

// ordinary refuses what isn't a file with a content of its own.
func ordinary(path string, found os.FileInfo) error {
	switch mode := found.Mode(); {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		return &os.PathError{Op: "read", Path: path, Err: errors.New("is a directory")}
	case mode&os.ModeNamedPipe != 0:
		return fmt.Errorf("%s is not an ordinary file: it is a named pipe", path)
	case mode&os.ModeSocket != 0:
		return fmt.Errorf("%s is not an ordinary file: it is a socket", path)
	default:
		return fmt.Errorf("%s is not an ordinary file: it is a device", path)
	}
}
