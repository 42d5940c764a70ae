// Package manifests brings real manifests into a cluster: definitions, bundles
// and charts that others publish, as they lie in their Go modules. The Go tool
// fetches a module, and its content is held against a hash that is written down
// here; nothing of it is built or run.
package manifests
