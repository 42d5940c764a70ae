package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sagikazarmark/locafero"
	"github.com/spf13/viper"
)

const (
	fileName  = "clusterswitch.yaml"
	envPrefix = "CLUSTERSWITCH"
	// envFile is the key under which viper keeps $CLUSTERSWITCH_CONFIG.
	envFile = "config"
)

// ErrNotFound tells that no path was given and that no folder has a document.
var ErrNotFound = errors.New("no " + fileName + " in the working folder or /etc/clusterswitch")

// Options say where the document is.
type Options struct {
	// Path is the file to read, as a flag gives it. Empty takes $CLUSTERSWITCH_CONFIG, else the first of
	// ./clusterswitch.yaml and /etc/clusterswitch/clusterswitch.yaml that exists.
	Path string

	// folders replaces the folders that are searched.
	folders []string
}

// Load finds the document, reads it, and lays the environment's CLUSTERSWITCH_… variables over its scalar top-level
// keys. An error of type Faults says what is wrong in the document; any other says that it could not be read, among them
// ErrNotFound.
func Load(opts Options) (*Config, error) {
	path, overlay, err := locate(opts)
	if err != nil {
		return nil, err
	}
	return read(path, overlay)
}

// locate finds the document, and what the environment lays over it.
func locate(opts Options) (string, Overlay, error) {
	folders := opts.folders
	if folders == nil {
		folders = []string{".", "/etc/clusterswitch"}
	}
	v := newViper(folders)
	// Before the file: afterwards viper's merged view would hold the file's own values too.
	overlay := environment(v)
	path, err := find(v, opts.Path)
	return path, overlay, err
}

// newViper knows the file's name, the folders to search and the environment variables.
//
// The finder is explicit because viper's own tries every extension it knows and, once told the type, the bare name too:
// it would read the binary ./clusterswitch.
func newViper(folders []string) *viper.Viper {
	v := viper.NewWithOptions(viper.WithFinder(locafero.Finder{
		Paths: folders,
		Names: []string{fileName},
		Type:  locafero.FileTypeFile,
	}))
	v.SetConfigType("yaml")
	v.SetEnvPrefix(envPrefix)
	// An empty variable counts: CLUSTERSWITCH_LISTEN= switches the listener off.
	v.AllowEmptyEnv(true)
	for _, k := range append(overlaid(), key{name: envFile}) {
		// BindEnv errs only when it gets no name at all.
		_ = v.BindEnv(k.name)
	}
	return v
}

// find returns the path of the document.
func find(v *viper.Viper, path string) (string, error) {
	if path == "" {
		path = v.GetString(envFile)
	}
	if path != "" {
		return path, nil
	}
	err := v.ReadInConfig()
	if _, absent := errors.AsType[viper.ConfigFileNotFoundError](err); absent {
		return "", fmt.Errorf("finding the config: %w; give the path with --config or $%s_CONFIG", ErrNotFound, envPrefix)
	}
	if found := v.ConfigFileUsed(); found != "" {
		// What viper could not decode is told with its lines by Parse.
		return found, nil
	}
	return "", fmt.Errorf("finding the config: %w", err)
}

// environment returns the values that the environment gives to top-level keys.
func environment(v *viper.Viper) Overlay {
	overlay := Overlay{}
	for _, k := range overlaid() {
		if v.IsSet(k.name) {
			overlay[k.name] = v.GetString(k.name)
		}
	}
	return overlay
}

// FromText reads a document that came from elsewhere than a file, and lays the environment's variables over it as Load does;
// name stands for the file in faults. Its errors are those of Parse.
func FromText(name, text string) (*Config, error) {
	return Parse(name, []byte(text), environment(newViper(nil)))
}

// read parses the file at path.
func read(path string, overlay Overlay) (*Config, error) {
	doc, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the config: %w", err)
	}
	return Parse(filepath.Clean(path), doc, overlay)
}
