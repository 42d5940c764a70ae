package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

func (c *checker) grpcProbe(path string, p *GRPCProbe) {
	c.sideAddresses(path, "address", p.Address, p.BlueAddress)
	c.probeHost(path+".host", p.Host)
	if strings.ContainsAny(p.Service, "/ ") {
		c.faultf(path+".service", "%q is not a service; use its full name without slashes, such as shop.v1.Orders", p.Service)
	}
	if t := p.TLS; t != nil {
		c.probeTrust(path+".tls", "", probeTrust{t.ServerName, t.CAFile, t.CertFile, t.KeyFile, t.InsecureSkipVerify})
	}
}

func (c *checker) dnsProbe(path string, p *DNSProbe) {
	c.sideAddresses(path, "server", p.Server, p.BlueServer)
	c.matches(path+".name", p.Name, regexp.MustCompile(`^(\.|([A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?)$`), "a DNS name", "labels joined by dots, such as shop.example.com")
	seen := unique{}
	for i, want := range p.AnyOf {
		at := fmt.Sprintf("%s.anyOf[%d]", path, i)
		c.unique(seen, at, want, "is listed twice", "keep one")
		address, err := netip.ParseAddr(want)
		switch {
		case want == "":
			c.faultf(at, "is empty; set it to an answer")
		case p.Type == "A" && (err != nil || !address.Is4()):
			c.faultf(at, "%q is not an IPv4 address, which is the answer of type A", want)
		case p.Type == "AAAA" && (err != nil || !address.Is6()):
			c.faultf(at, "%q is not an IPv6 address, which is the answer of type AAAA", want)
		}
	}
}

func (c *checker) webSocketProbe(path string, p *WebSocketProbe) {
	green, plain := c.socketURL(path+".url", p.URL)
	if p.BlueURL != "" {
		blue, bluePlain := c.socketURL(path+".blueURL", p.BlueURL)
		if blue && p.BlueURL == p.URL {
			c.faultf(path+".blueURL", "is green's url, so that it would say nothing of blue; use an address that leads to blue alone, or remove it")
		}
		green, plain = green && blue, plain && bluePlain
	}
	c.probeHost(path+".host", p.Host)
	c.headers(path+".headers", p.Headers)
	if strings.ContainsAny(p.Subprotocol, " ,;\"\r\n") {
		c.faultf(path+".subprotocol", "%q is not one subprotocol; use a name without spaces and commas", p.Subprotocol)
	}
	without := ""
	if green && plain {
		without = "on a ws URL; remove it or use wss"
	}
	c.probeTrust(path, without, probeTrust{p.ServerName, p.CAFile, p.CertFile, p.KeyFile, p.InsecureSkipVerify})
}

// socketURL checks a URL of a WebSocket, and tells whether it is good and in plain text.
func (c *checker) socketURL(path, value string) (good, plain bool) {
	asked, err := url.Parse(value)
	if err != nil || (asked.Scheme != "ws" && asked.Scheme != "wss") || asked.Hostname() == "" {
		c.faultf(path, "is not the URL of a WebSocket; use ws://host/path or wss://host/path")
		return false, false
	}
	_, good = c.url(path, "http"+strings.TrimPrefix(value, asked.Scheme))
	return good, good && asked.Scheme == "ws"
}

// probeHost checks what is sent as a Host header.
func (c *checker) probeHost(path, host string) {
	if strings.ContainsAny(host, "/ @") {
		c.faultf(path, "%q is not a host; use a name such as shop.example.com, without scheme and path", host)
	}
}
