package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// LoadForWayBack is Load for a person who takes these pairs back to blue without the daemon. That needs aws, and name and
// traffic of the pairs, and a fault elsewhere must not refuse it, such as a key that only a newer daemon knows: beside
// holds the faults that don't concern it. With an error there is no Config.
func LoadForWayBack(opts Options, pairs []string) (c *Config, beside Faults, err error) {
	return loadFor(opts, func(path string, c *Config) bool {
		if path == "pairs" || within(path, "aws") {
			return true
		}
		for i, p := range c.Pairs {
			at := fmt.Sprintf("pairs[%d]", i)
			if slices.Contains(pairs, p.Name) && (path == at || within(path, at+".name") || within(path, at+".traffic")) {
				return true
			}
		}
		return false
	})
}

// LoadForRequests is Load for a person who looks for the place of the journal, to ask the daemon for something: faults
// elsewhere are the daemon's affair. With an error there is no Config.
func LoadForRequests(opts Options) (*Config, error) {
	c, _, err := loadFor(opts, func(path string, _ *Config) bool { return within(path, "journal") })
	return c, err
}

// loadFor is Load that takes a document whose faults don't concern what it is for. What stands at the top concerns everybody.
func loadFor(opts Options, concerns func(path string, c *Config) bool) (c *Config, beside Faults, err error) {
	path, overlay, err := locate(opts)
	if err != nil {
		return nil, nil, err
	}
	doc, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the config: %w", err)
	}
	c, faults := parse(filepath.Clean(path), doc, overlay)
	if c == nil || slices.ContainsFunc(faults, func(f Fault) bool { return f.Path == "" || within(f.Path, "apiVersion") || concerns(f.Path, c) }) {
		return nil, nil, faults
	}
	return c, faults, nil
}

// within tells whether a path leads to the key or into it.
func within(path, key string) bool {
	rest, is := strings.CutPrefix(path, key)
	return is && (rest == "" || rest[0] == '.' || rest[0] == '[')
}
