// Package config loads, defaults and validates one immutable Config; it is the only place that knows viper.
//
// viper finds the file and overlays environment variables on the scalar top-level keys. It does not decode the
// document: it folds the case of map keys, forgets lines, and turns `share: 1.9` into 1 and `rollback: 7` into true. The
// document is decoded from its YAML nodes instead, strictly, by the keys, defaults and ranges that stand in the tags of
// the types; the same tags and comments make docs/config.md.
package config
