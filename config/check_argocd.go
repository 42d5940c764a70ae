package config

import "fmt"

func (c *checker) preflightArgoCD(at string, a PreflightArgoCD) {
	seen := unique{}
	for i, namespace := range a.Namespaces {
		here := fmt.Sprintf("%s.namespaces[%d]", at, i)
		c.label(here, namespace)
		c.unique(seen, here, namespace, "is listed twice", "keep one")
	}
	switch {
	case a.GreenDestination == "":
	case a.GreenDestination == "in-cluster":
		c.faultf(at+".greenDestination", "in-cluster is Argo CD's own cluster, which is known; remove it")
	case a.GreenDestination == a.BlueDestination:
		c.faultf(at+".greenDestination", "is blue's destination too; each cluster has one of its own")
	}
	if a.BlueDestination == "in-cluster" {
		c.faultf(at+".blueDestination", "in-cluster is Argo CD's own cluster, which is known; remove it")
	}
}
