package edge

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

const (
	// udpSize is the largest answer by UDP that is safe from fragments.
	udpSize = 1232
	// aliasDepth bounds the CNAMEs followed for one answer.
	aliasDepth = 8
	// portTries bounds the search for a port that is free for UDP and TCP.
	portTries = 20
)

// nameServer is the authoritative server, one port for UDP and TCP.
type nameServer struct {
	address string
	servers []*dns.Server
	ended   chan error // one error of each server
}

func startNameServer(address string, handler dns.Handler) (*nameServer, error) {
	packets, stream, err := listenBoth(address)
	if err != nil {
		return nil, fmt.Errorf("opening the name server: %w", err)
	}
	n := &nameServer{
		address: packets.LocalAddr().String(),
		servers: []*dns.Server{
			{PacketConn: packets, Handler: handler},
			{Listener: stream, Handler: handler},
		},
		ended: make(chan error, 2),
	}
	for _, server := range n.servers {
		started := make(chan struct{})
		server.NotifyStartedFunc = func() { close(started) }
		go func() { n.ended <- server.ActivateAndServe() }()
		// A server that was never started cannot be shut down either.
		<-started
	}
	return n, nil
}

// listenBoth opens one port for UDP and TCP. For port 0 the system chooses a
// UDP port, and the choice is repeated while TCP has it taken.
func listenBoth(address string) (net.PacketConn, net.Listener, error) {
	var faults error
	for range portTries {
		packets, err := net.ListenPacket("udp", address)
		if err != nil {
			return nil, nil, err
		}
		stream, err := net.Listen("tcp", packets.LocalAddr().String())
		if err == nil {
			return packets, stream, nil
		}
		faults = errors.Join(err, packets.Close())
		if !strings.HasSuffix(address, ":0") {
			break
		}
	}
	return nil, nil, faults
}

// close stops both servers and waits for the queries under way.
func (n *nameServer) close() error {
	var faults error
	for _, server := range n.servers {
		faults = errors.Join(faults, server.Shutdown(), <-n.ended)
	}
	return faults
}

// resolver answers queries from the published records.
type resolver struct {
	records Records
	dice    *dice
}

// ServeDNS answers one query.
func (r *resolver) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	answer := r.answer(query)
	size := dns.MinMsgSize
	if edns := query.IsEdns0(); edns != nil {
		answer.SetEdns0(udpSize, false)
		size = min(max(int(edns.UDPSize()), dns.MinMsgSize), udpSize)
	}
	if _, ok := w.RemoteAddr().(*net.TCPAddr); ok {
		size = dns.MaxMsgSize
	}
	answer.Truncate(size)
	// The asker who went away is the only one who could be told.
	_ = w.WriteMsg(answer)
}

func (r *resolver) answer(query *dns.Msg) *dns.Msg {
	answer := new(dns.Msg)
	if query.Opcode != dns.OpcodeQuery || len(query.Question) != 1 {
		return answer.SetRcode(query, dns.RcodeNotImplemented)
	}
	question := query.Question[0]
	typ, known := dns.TypeToString[question.Qtype]
	if question.Qclass != dns.ClassINET || !known {
		return answer.SetRcode(query, dns.RcodeRefused)
	}
	answer.SetReply(query)
	answer.Authoritative = true

	name := question.Name
	for range aliasDepth {
		rrs, err := r.choose(name, typ)
		if err == nil && len(rrs) == 0 && typ != "CNAME" {
			rrs, err = r.choose(name, "CNAME")
		}
		if err != nil {
			return answer.SetRcode(query, dns.RcodeServerFailure)
		}
		if len(rrs) == 0 {
			break
		}
		answer.Answer = append(answer.Answer, rrs...)
		alias, ok := rrs[0].(*dns.CNAME)
		if !ok || typ == "CNAME" {
			return answer
		}
		name = alias.Target
	}
	return r.negative(answer, query, name)
}

// choose returns the records of one member. Route 53 answers one member of a
// weighted group, with a chance of its weight in the sum of all; when all
// weights are 0, all members have the same chance.
func (r *resolver) choose(name, typ string) ([]dns.RR, error) {
	sets := r.records.RecordSets(strings.ToLower(name), typ)
	if len(sets) == 0 {
		return nil, nil
	}
	weights := make([]int64, len(sets))
	for i, set := range sets {
		weights[i] = set.Weight
	}
	chosen := 0
	if len(sets) > 1 {
		if chosen = r.dice.pick(weights); chosen < 0 {
			chosen = int(r.dice.below(int64(len(sets))))
		}
	}
	return records(name, sets[chosen])
}

// records writes one member under the name as it was asked, upper case and
// all, since resolvers compare it.
func records(name string, set routing.RecordSet) ([]dns.RR, error) {
	rrs := make([]dns.RR, 0, len(set.Values))
	for _, value := range set.Values {
		rr, err := dns.NewRR(fmt.Sprintf("%s %d IN %s %s", name, int64(set.TTL/time.Second), set.Type, value))
		if err != nil {
			return nil, fmt.Errorf("writing %s %s: %w", set.Name, set.Type, err)
		}
		rrs = append(rrs, rr)
	}
	return rrs, nil
}

// negative completes an answer whose last name has no records of the type:
// NODATA if the name exists, NXDOMAIN if only its zone does, REFUSED outside of
// every zone. An alias that leaves our zones is a whole answer.
func (r *resolver) negative(answer, query *dns.Msg, name string) *dns.Msg {
	name = strings.ToLower(name)
	origin, served := r.records.Zone(name)
	switch {
	case !served && len(answer.Answer) > 0:
		return answer
	case !served:
		answer.Authoritative = false
		return answer.SetRcode(query, dns.RcodeRefused)
	case !r.records.HasName(name):
		answer.Rcode = dns.RcodeNameError
	}
	// The SOA record tells resolvers how long they may remember the answer.
	soa, err := r.choose(origin, "SOA")
	if err != nil {
		return answer.SetRcode(query, dns.RcodeServerFailure)
	}
	answer.Ns = lowerTTL(soa)
	return answer
}

// lowerTTL gives an SOA record of a negative answer the smaller of its own TTL
// and its MINIMUM field, as RFC 2308 section 3 asks.
func lowerTTL(rrs []dns.RR) []dns.RR {
	for _, rr := range rrs {
		if soa, ok := rr.(*dns.SOA); ok {
			soa.Hdr.Ttl = min(soa.Minttl, soa.Hdr.Ttl)
		}
	}
	return rrs
}
