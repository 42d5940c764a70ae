package edge

import (
	"errors"
	"fmt"
	"net"
	"slices"
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
	// maxAnswers is how many multivalue answer record sets are answered at once.
	maxAnswers = 8
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

// choose returns the records of one member, aliases followed.
func (r *resolver) choose(name, typ string) ([]dns.RR, error) {
	var rrs []dns.RR
	for _, set := range r.members(r.records.RecordSets(strings.ToLower(name), typ)) {
		more, err := records(name, set)
		if err != nil {
			return nil, err
		}
		rrs = append(rrs, more...)
	}
	return rrs, nil
}

// members follows the chosen record sets of a group to those with values.
func (r *resolver) members(group []routing.RecordSet) []routing.RecordSet {
	chosen := r.chosen(group)
	if len(chosen) == 1 && !chosen[0].Alias {
		return chosen
	}
	var all []routing.RecordSet
	for _, set := range chosen {
		if set.Alias {
			all = append(all, r.members(set.Targets)...)
		} else {
			all = append(all, set)
		}
	}
	return all
}

// chosen returns the record sets of a group that Route 53 answers. It leaves the
// unhealthy ones out; when all are unhealthy, all count as healthy.
// Route 53 developer guide, health-checks-how-route-53-chooses-records.
func (r *resolver) chosen(group []routing.RecordSet) []routing.RecordSet {
	if len(group) < 2 {
		return group
	}
	able := group
	if slices.ContainsFunc(group, func(set routing.RecordSet) bool { return set.Unhealthy }) {
		able = slices.DeleteFunc(slices.Clone(group), func(set routing.RecordSet) bool { return set.Unhealthy })
	}
	if len(able) == 0 {
		able = group
	}
	var at int
	switch {
	case able[0].Weighted:
		at = r.weighted(able)
	case able[0].MultiValue:
		return r.several(able)
	default:
		// A failover pair has at most one primary. For latency and geolocation the
		// first is as good as any other, since the sandbox has no places.
		at = max(slices.IndexFunc(able, func(set routing.RecordSet) bool { return !set.Secondary }), 0)
	}
	return able[at : at+1]
}

// weighted picks one member, with a chance of its weight in the sum of all. When
// no weight is above 0, because all are 0 or those above are unhealthy, all have
// the same chance.
func (r *resolver) weighted(able []routing.RecordSet) int {
	weights := make([]int64, len(able))
	for i, set := range able {
		weights[i] = set.Weight
	}
	if at := r.dice.pick(weights); at >= 0 {
		return at
	}
	return int(r.dice.below(int64(len(able))))
}

// several returns up to eight members, which change when there are more.
func (r *resolver) several(able []routing.RecordSet) []routing.RecordSet {
	if len(able) <= maxAnswers {
		return able
	}
	turn := int(r.dice.below(int64(len(able))))
	return append(slices.Clone(able[turn:]), able[:turn]...)[:maxAnswers]
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
