// Package charttest lints and renders the Helm chart with the real helm, and
// holds what comes out against the code: the configuration must load, the CRD
// must be the one made from the types, and the objects must decode strictly.
package charttest
