package config

import (
	"fmt"
	"path/filepath"
)

// journal checks where the journal is kept: in a management cluster, or without one.
func (c *checker) journal(path string, j Journal) {
	c.kubeconfig(path+".kubeconfig", j.Kubeconfig)
	c.label(path+".namespace", j.Namespace)
	if j.Directory == "" {
		return
	}
	const without = "is for a management cluster, which journal.directory does without; remove one of the two"
	if !filepath.IsAbs(j.Directory) {
		c.faultf(path+".directory", "%q is not an absolute path, and the commands are given elsewhere than the daemon runs; begin it with /", j.Directory)
	}
	if j.Kubeconfig != nil {
		c.faultf(path+".kubeconfig", without)
	}
	if j.Namespace != defaultNamespace {
		c.faultf(path+".namespace", without)
	}
	for i, p := range c.config.Pairs {
		for side, cluster := range map[string]Cluster{"blue": p.Blue, "green": p.Green} {
			if cluster.KubeconfigSecret != nil {
				c.faultf(fmt.Sprintf("pairs[%d].%s.kubeconfigSecret", i, side),
					"is read in the management cluster, which journal.directory does without; use kubeconfig or eks")
			}
		}
	}
}

// defaultNamespace is the default of journal.namespace.
const defaultNamespace = "clusterswitch"
