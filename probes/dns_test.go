package probes

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"
)

// resolver is a DNS server by UDP and TCP on one port. It gives its address.
func resolver(t *testing.T, answers dns.HandlerFunc) string {
	t.Helper()
	for range 20 { // the port that is free for UDP may be taken for TCP
		packets, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listener, err := net.Listen("tcp", packets.LocalAddr().String())
		if err != nil {
			packets.Close()
			continue
		}
		for _, server := range []*dns.Server{{PacketConn: packets, Handler: answers}, {Listener: listener, Handler: answers}} {
			up, ended := make(chan struct{}), make(chan struct{})
			server.NotifyStartedFunc = func() { close(up) }
			go func() {
				defer close(ended)
				_ = server.ActivateAndServe()
			}()
			<-up
			t.Cleanup(func() {
				_ = server.Shutdown()
				<-ended
			})
		}
		return packets.LocalAddr().String()
	}
	t.Fatal("no port is free for both UDP and TCP")
	return ""
}

// zone answers from records in their text form, and by a code for the names below.
func zone(t *testing.T, records ...string) dns.HandlerFunc {
	t.Helper()
	var known []dns.RR
	for _, text := range records {
		record, err := dns.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		known = append(known, record)
	}
	codes := map[string]int{
		"none.example.com.": dns.RcodeNameError, "broken.example.com.": dns.RcodeServerFailure,
		"secret.example.com.": dns.RcodeRefused, "new.example.com.": dns.RcodeNotImplemented,
	}
	return func(w dns.ResponseWriter, asked *dns.Msg) {
		answer := new(dns.Msg).SetRcode(asked, codes[asked.Question[0].Name])
		for _, record := range known {
			if record.Header().Name == asked.Question[0].Name {
				answer.Answer = append(answer.Answer, record)
			}
		}
		if _, byUDP := w.RemoteAddr().(*net.UDPAddr); byUDP {
			answer.Truncate(dns.MinMsgSize)
		}
		_ = w.WriteMsg(answer)
	}
}

func TestDNSJudgesTheAnswer(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 250)
	server := resolver(t, zone(t,
		"shop.example.com. 60 CNAME green.example.com.", "shop.example.com. 60 A 192.0.2.1", "shop.example.com. 60 A 192.0.2.2",
		"six.example.com. 60 AAAA 2001:db8::1", "mail.example.com. 60 MX 10 mx.example.com.", "srv.example.com. 60 SRV 0 5 5060 sip.example.com.",
		"text.example.com. 60 TXT \"one \" \"text\"", "example.com. 60 NS ns.example.com.", "1.2.0.192.in-addr.arpa. 60 PTR shop.example.com.",
		"long.example.com. 60 TXT "+long+"1", "long.example.com. 60 TXT "+long+"2", "long.example.com. 60 TXT "+long+"3",
		"many.example.com. 60 A 192.0.2.1", "many.example.com. 60 A 192.0.2.2", "many.example.com. 60 A 192.0.2.3",
		"many.example.com. 60 A 192.0.2.4", "many.example.com. 60 A 192.0.2.5", "many.example.com. 60 A 192.0.2.6",
	))
	of := func(name, kind string, anyOf ...string) DNSOptions {
		return DNSOptions{Server: server, Name: name, Type: kind, AnyOf: anyOf}
	}
	holds := func(o DNSOptions, text string) DNSOptions {
		o.Contains = text
		return o
	}
	tests := map[string]struct {
		opts DNSOptions
		want string
	}{
		"any address by default":            {of("shop.example.com", ""), ""},
		"one of the wanted addresses":       {of("shop.example.com.", "A", "192.0.2.9", "192.0.2.2"), ""},
		"none of the wanted addresses":      {of("shop.example.com", "A", "192.0.2.9"), `got "192.0.2.1", "192.0.2.2", want any of "192.0.2.9"`},
		"more answers than are shown":       {of("many.example.com", "A", "192.0.2.9"), `got "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5" and 1 more, want any of "192.0.2.9"`},
		"an address in another spelling":    {of("six.example.com", "AAAA", "2001:DB8:0::1"), ""},
		"a name with its dot":               {of("shop.example.com", "CNAME", "Green.example.com."), ""},
		"a name server":                     {of("example.com", "NS", "ns.example.com"), ""},
		"a mail server":                     {of("mail.example.com", "MX", "10 mx.example.com"), ""},
		"a service":                         {of("srv.example.com", "SRV", "0 5 5060 sip.example.com"), ""},
		"the name of an address":            {of("1.2.0.192.in-addr.arpa", "PTR", "shop.example.com"), ""},
		"a text in parts":                   {of("text.example.com", "TXT", "one text"), ""},
		"a text in other letters":           {of("text.example.com", "TXT", "One text"), `got "one text", want any of "One text"`},
		"a part of a text":                  {holds(of("text.example.com", "TXT"), "e t"), ""},
		"no such part":                      {holds(of("text.example.com", "TXT"), "two"), `got "one text", none contains "two"`},
		"an answer that needs TCP":          {of("long.example.com", "TXT", long+"3"), ""},
		"a name without such records":       {of("shop.example.com", "AAAA"), "shop.example.com has no AAAA record"},
		"a name that does not exist":        {of("none.example.com", "A"), "the server answers NXDOMAIN: there is no name none.example.com"},
		"a server that could not find out":  {of("broken.example.com", "A"), "the server answers SERVFAIL: it could not find out"},
		"a server that does not want to":    {of("secret.example.com", "A"), "the server answers REFUSED: it answers nobody here, or not for secret.example.com"},
		"a server that is not able to":      {of("new.example.com", "A"), "the server answers NOTIMP"},
		"a type of records nobody has seen": {of("shop.example.com", "B"), `"B" is not a type of records`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := verdict(t, DNS(test.opts)); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

// An answer to another question may be an old one that was late, or forged.
func TestDNSLeavesOutAnswersToOtherQuestions(t *testing.T) {
	t.Parallel()
	server := resolver(t, func(w dns.ResponseWriter, asked *dns.Msg) {
		other := new(dns.Msg).SetRcode(asked, dns.RcodeNameError)
		other.Id++
		_ = w.WriteMsg(other)
		other = new(dns.Msg).SetRcode(asked, dns.RcodeNameError)
		other.Question[0].Name = "other.example.com."
		_ = w.WriteMsg(other)
		zone(t, "shop.example.com. 60 A 192.0.2.1")(w, asked)
	})
	if got := verdict(t, DNS(DNSOptions{Server: server, Name: "shop.example.com"})); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestDNSEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var asked atomic.Int32
	server := resolver(t, func(dns.ResponseWriter, *dns.Msg) {
		asked.Add(1)
		cancel() // and no answer
	})
	err := DNS(DNSOptions{Server: server, Name: "shop.example.com"}).run(ctx)
	if !errors.Is(err, context.Canceled) || asked.Load() != 1 {
		t.Errorf("asked %d times, got %v", asked.Load(), err)
	}
}

func TestDNSFailsWithoutAServer(t *testing.T) {
	t.Parallel()
	gone, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	got := verdict(t, DNS(DNSOptions{Server: gone.LocalAddr().String(), Name: "shop.example.com"}))
	if !strings.Contains(got, "waiting for the answer by udp: ") || !strings.Contains(got, "connection refused") {
		t.Errorf("got %q", got)
	}
}
