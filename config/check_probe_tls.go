package config

import (
	"fmt"
	"strings"
)

// probeTrust is what the probes that speak TLS have in common.
type probeTrust struct {
	serverName, caFile, certFile, keyFile string
	insecure                              bool
}

// probeTrust checks how a probe and its server prove who they are. plain is why nobody does so, and what to do about it;
// empty: TLS is spoken.
func (c *checker) probeTrust(path, plain string, t probeTrust) {
	given := map[string]bool{
		"serverName": t.serverName != "", "caFile": t.caFile != "", "certFile": t.certFile != "", "keyFile": t.keyFile != "",
		"insecureSkipVerify": t.insecure,
	}
	if plain != "" {
		for key, ok := range given {
			if ok {
				c.faultf(path+"."+key, "has no effect %s", plain)
			}
		}
		return
	}
	if t.serverName != "" {
		c.certificateName(path+".serverName", t.serverName)
	}
	switch {
	case t.certFile != "" && t.keyFile == "":
		c.faultf(path+".certFile", "has no key; add keyFile")
	case t.keyFile != "" && t.certFile == "":
		c.faultf(path+".keyFile", "has no certificate; add certFile")
	}
	if t.insecure && t.caFile != "" {
		c.faultf(path+".caFile", "has no effect while insecureSkipVerify takes any certificate; remove one of the two")
	}
}

// certificateName checks a name as certificates carry it.
func (c *checker) certificateName(path, name string) {
	if name == "" || strings.ContainsAny(name, "/ @*") {
		c.faultf(path, "%q is not a name; use one such as shop.example.com, without scheme, path and wildcard", name)
	}
}

func (c *checker) tlsProbe(path string, p *TLSProbe) {
	c.sideAddresses(path, "address", p.Address, p.BlueAddress)
	c.probeTrust(path, "", probeTrust{serverName: p.ServerName, caFile: p.CAFile, certFile: p.CertFile, keyFile: p.KeyFile})
	seen := unique{}
	for i, name := range p.Names {
		at := fmt.Sprintf("%s.names[%d]", path, i)
		c.certificateName(at, name)
		c.unique(seen, at, name, "is listed twice", "keep one")
	}
}
