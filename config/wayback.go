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
	path, overlay, err := locate(opts)
	if err != nil {
		return nil, nil, err
	}
	doc, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the config: %w", err)
	}
	c, faults := parse(filepath.Clean(path), doc, overlay)
	concerns := func(f Fault) bool { return concernsWayBack(f.Path, c, pairs) }
	if c == nil || slices.ContainsFunc(faults, concerns) {
		return nil, nil, faults
	}
	return c, faults, nil
}

// concernsWayBack tells whether a fault at path keeps the pairs from being taken back.
func concernsWayBack(path string, c *Config, pairs []string) bool {
	inside := func(key string) bool {
		rest, is := strings.CutPrefix(path, key)
		return is && (rest == "" || rest[0] == '.' || rest[0] == '[')
	}
	if path == "" || path == "pairs" || inside("apiVersion") || inside("aws") {
		return true
	}
	for i, p := range c.Pairs {
		at := fmt.Sprintf("pairs[%d]", i)
		if slices.Contains(pairs, p.Name) && (path == at || inside(at+".name") || inside(at+".traffic")) {
			return true
		}
	}
	return false
}
