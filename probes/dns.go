package probes

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterswitch/clusterswitch/internal/reach"
)

// answerSize is the largest answer by UDP that is asked for, in bytes: what fits into any path without fragments.
const answerSize = 1232

// maxAnswers bounds how many answers an error shows.
const maxAnswers = 5

// DNSOptions say what a DNS probe asks.
type DNSOptions struct {
	// Server is host:port.
	Server string
	// Name is asked for, with or without the dot at its end.
	Name string
	// Type is A, AAAA, CNAME, MX, NS, PTR, SRV or TXT; empty means A.
	Type string
	// AnyOf lists answers of which at least one must come: addresses, names, the text of a TXT record, or the fields of an MX
	// or SRV record with a space between them. Empty takes any answer of the type.
	AnyOf []string
	// Contains is a text that at least one answer must contain.
	Contains string
	// Reach says which link-local addresses may be connected to; the zero one: none.
	Reach reach.Policy
}

// DNS makes a Check that asks one server, by UDP, and by TCP where the answer doesn't fit.
func DNS(opts DNSOptions) Check {
	kind, known := dns.StringToType[opts.Type]
	if opts.Type == "" {
		kind, known = dns.TypeA, true
	}
	question := new(dns.Msg).SetQuestion(dns.Fqdn(opts.Name), kind)
	question.SetEdns0(answerSize, false)
	return Check{identity: identity("dns", opts), run: func(ctx context.Context) error {
		if !known {
			return fmt.Errorf("%q is not a type of records", opts.Type)
		}
		answer, err := opts.exchange(ctx, "udp", question)
		if err == nil && answer.Truncated {
			answer, err = opts.exchange(ctx, "tcp", question)
		}
		if err != nil {
			return err
		}
		return opts.judge(answer, dns.TypeToString[kind])
	}}
}

// exchange sends a question and waits for its answer. Answers to other questions are left out.
func (o DNSOptions) exchange(ctx context.Context, network string, question *dns.Msg) (*dns.Msg, error) {
	asked := question.Copy()
	asked.Id = dns.Id()
	plain, err := o.Reach.DialContext(ctx, network, o.Server)
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	// The connection knows nothing of ctx: its end ends the waiting.
	defer context.AfterFunc(ctx, func() { _ = plain.SetDeadline(time.Unix(1, 0)) })()
	conn := &dns.Conn{Conn: plain, UDPSize: answerSize}
	if err := conn.WriteMsg(asked); err != nil {
		return nil, fmt.Errorf("asking by %s: %w", network, cause(ctx, err))
	}
	for {
		answer, err := conn.ReadMsg()
		if err != nil {
			return nil, fmt.Errorf("waiting for the answer by %s: %w", network, cause(ctx, err))
		}
		// A server that refuses may leave the question out.
		if answer.Id == asked.Id && answer.Response && (len(answer.Question) == 0 || slices.Equal(answer.Question, asked.Question)) {
			return answer, nil
		}
	}
}

// cause gives the end of ctx where that is why a connection failed.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// judge holds an answer against what is wanted.
func (o DNSOptions) judge(answer *dns.Msg, kind string) error {
	switch answer.Rcode {
	case dns.RcodeSuccess:
	case dns.RcodeNameError:
		return fmt.Errorf("the server answers NXDOMAIN: there is no name %s", o.Name)
	case dns.RcodeServerFailure:
		return errors.New("the server answers SERVFAIL: it could not find out")
	case dns.RcodeRefused:
		return fmt.Errorf("the server answers REFUSED: it answers nobody here, or not for %s", o.Name)
	default:
		return fmt.Errorf("the server answers %s", dns.RcodeToString[answer.Rcode])
	}
	var got []string
	for _, record := range answer.Answer {
		if dns.TypeToString[record.Header().Rrtype] == kind {
			got = append(got, valueOf(record))
		}
	}
	switch {
	case len(got) == 0:
		return fmt.Errorf("%s has no %s record", o.Name, kind)
	case len(o.AnyOf) > 0 && !slices.ContainsFunc(got, func(value string) bool { return o.wants(value, kind) }):
		return fmt.Errorf("got %s, want any of %s", shownAnswers(got), shownAnswers(o.AnyOf))
	case !slices.ContainsFunc(got, func(value string) bool { return strings.Contains(value, o.Contains) }):
		return fmt.Errorf("got %s, none contains %q", shownAnswers(got), o.Contains)
	default:
		return nil
	}
}

// wants reports whether an answer is one of those that are wanted. Names and addresses have many spellings.
func (o DNSOptions) wants(value, kind string) bool {
	return slices.ContainsFunc(o.AnyOf, func(want string) bool {
		if kind == "TXT" {
			return want == value
		}
		if address, err := netip.ParseAddr(want); err == nil {
			return address.Unmap().String() == value
		}
		return strings.EqualFold(strings.TrimSuffix(want, "."), value)
	})
}

// valueOf gives a record's data as people write it: names without their last dot, a text without quotes.
func valueOf(record dns.RR) string {
	name := func(fqdn string) string { return strings.TrimSuffix(fqdn, ".") }
	switch r := record.(type) {
	case *dns.A:
		return r.A.String()
	case *dns.AAAA:
		return r.AAAA.String()
	case *dns.CNAME:
		return name(r.Target)
	case *dns.MX:
		return fmt.Sprintf("%d %s", r.Preference, name(r.Mx))
	case *dns.NS:
		return name(r.Ns)
	case *dns.PTR:
		return name(r.Ptr)
	case *dns.SRV:
		return fmt.Sprintf("%d %d %d %s", r.Priority, r.Weight, r.Port, name(r.Target))
	case *dns.TXT:
		return strings.Join(r.Txt, "")
	default:
		return strings.TrimPrefix(record.String(), record.Header().String())
	}
}

// shownAnswers lists the first few answers. A server's texts may hold anything, so they are quoted.
func shownAnswers(values []string) string {
	shown := make([]string, 0, maxAnswers)
	for _, value := range values[:min(len(values), maxAnswers)] {
		shown = append(shown, fmt.Sprintf("%q", value))
	}
	text := strings.Join(shown, ", ")
	if more := len(values) - maxAnswers; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
