// Package charttest lints, renders and installs the Helm chart with the real
// helm, and holds what comes out against the code: the configuration must load,
// the CRD must be the one made from the types, the objects must decode strictly,
// and the rights must be enough on a real API server.
package charttest
