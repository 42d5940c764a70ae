package reach

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestAddressesThatAreRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		address string
		allow   []string
		refused bool
	}{
		"instance metadata":                          {"169.254.169.254", nil, true},
		"the same written as mapped into IPv6":       {"::ffff:169.254.169.254", nil, true},
		"the same behind NAT64":                      {"64:ff9b::a9fe:a9fe", nil, true},
		"the same in the oldest form":                {"::169.254.169.254", nil, true},
		"instance metadata of IPv6":                  {"fd00:ec2::254", nil, true},
		"EKS Pod Identity":                           {"169.254.170.23", nil, true},
		"EKS Pod Identity of IPv6":                   {"fd00:ec2::23", nil, true},
		"credentials of ECS tasks":                   {"169.254.170.2", nil, true},
		"the first address of IPv4's range":          {"169.254.0.0", nil, true},
		"the last":                                   {"169.254.255.255", nil, true},
		"the one before":                             {"169.253.255.255", nil, false},
		"the one behind":                             {"169.255.0.0", nil, false},
		"link-local of IPv6":                         {"fe80::1", nil, true},
		"with a zone":                                {"fe80::1%eth0", nil, true},
		"the last of IPv6's range":                   {"febf::1", nil, true},
		"the one behind, site-local":                 {"fec0::1", nil, false},
		"multicast of the link":                      {"224.0.0.251", nil, true},
		"multicast of IPv6":                          {"ff02::fb", nil, true},
		"a private network":                          {"10.0.0.1", nil, false},
		"another unique local network":               {"fd00:ec3::254", nil, false},
		"this machine":                               {"127.0.0.1", nil, false},
		"this machine by IPv6":                       {"::1", nil, false},
		"the Internet":                               {"93.184.216.34", nil, false},
		"the Internet behind NAT64":                  {"64:ff9b::5db8:d822", nil, false},
		"the cache of DNS on a node":                 {"169.254.20.10", nil, true},
		"where it is allowed":                        {"169.254.20.10", []string{"169.254.20.10"}, false},
		"where its network is":                       {"169.254.20.10", []string{"169.254.20.0/24"}, false},
		"mapped, where it is allowed":                {"::ffff:169.254.20.10", []string{"169.254.20.10"}, false},
		"what is allowed allows nothing else":        {"169.254.169.254", []string{"169.254.20.0/24", "fe80::/10"}, true},
		"a zone, where the address is allowed":       {"fe80::1%eth0", []string{"fe80::1"}, false},
		"what can't be read as allowed allows none":  {"169.254.169.254", []string{"*", "", "metadata"}, true},
		"allowed with bits behind the prefix":        {"169.254.20.10", []string{"169.254.20.99/24"}, false},
		"no address of IPv4 within IPv6's first one": {"::", nil, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := netip.MustParseAddr(test.address)
			err := Policy{Allow: test.allow}.Judge(address)
			refusal, refused := errors.AsType[*Refusal](err)
			if refused != test.refused || (err != nil) != test.refused {
				t.Fatalf("%s: got error %v", address, err)
			}
			if refused && (refusal.Address != address || !strings.Contains(err.Error(), "allowLinkLocal")) {
				t.Errorf("the refusal doesn't say what was refused, or what to do: %v", err)
			}
		})
	}
}

func TestPrefixes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct{ prefix, within string }{
		"169.254.20.10":        {"169.254.20.10/32", "yes"},
		"169.254.0.0/16":       {"169.254.0.0/16", "yes"},
		"169.0.0.0/8":          {"169.0.0.0/8", "no"},
		"0.0.0.0/0":            {"0.0.0.0/0", "no"},
		"10.0.0.1":             {"10.0.0.1/32", "no"},
		"fe80::/10":            {"fe80::/10", "yes"},
		"::ffff:169.254.20.10": {"169.254.20.10/32", "yes"},
		"metadata.internal":    {"invalid Prefix", "no"},
	} {
		prefix, err := ParsePrefix(text)
		within := map[bool]string{true: "yes", false: "no"}[err == nil && Within(prefix)]
		if prefix.String() != want.prefix || within != want.within {
			t.Errorf("%s: got %s, within %s, error %v", text, prefix, within, err)
		}
	}
}

// rebinding answers each question for an address of IPv4 with the next of its
// addresses, and no question for one of IPv6.
func rebinding(t *testing.T, addresses ...string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buffer, next := make([]byte, 512), 0
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			end := 12
			for buffer[end] != 0 {
				end += int(buffer[end]) + 1
			}
			end += 5 // the name's end, type and class
			answer := append([]byte{}, buffer[:min(end, n)]...)
			answer[2], answer[3] = 0x81, 0x80
			binary.BigEndian.PutUint16(answer[6:], 0)
			binary.BigEndian.PutUint16(answer[8:], 0)
			binary.BigEndian.PutUint16(answer[10:], 0)
			if binary.BigEndian.Uint16(answer[end-4:]) == 1 {
				binary.BigEndian.PutUint16(answer[6:], 1)
				address := netip.MustParseAddr(addresses[min(next, len(addresses)-1)]).As4()
				answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
				answer, next = append(answer, address[:]...), next+1
			}
			_, _ = conn.WriteTo(answer, from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// A name that leads to a good address when it is looked at, and to another one when
// it is connected to, is the usual way around a check of names.
func TestANameIsJudgedWhenItIsConnectedTo(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	dialer := Policy{}.Dialer()
	dialer.Resolver = rebinding(t, "127.0.0.1", "169.254.169.254")

	conn, err := dialer.DialContext(ctx, "tcp", "green.example.:"+port)
	if err != nil {
		t.Fatalf("the name leads to this machine: %v", err)
	}
	_ = conn.Close()
	for _, network := range []string{"tcp", "udp"} {
		conn, err = dialer.DialContext(ctx, network, "green.example.:"+port)
		if refusal, refused := errors.AsType[*Refusal](err); !refused || refusal.Address.String() != "169.254.169.254" {
			t.Errorf("%s: the name leads to instance metadata now: got %v, %v", network, conn, err)
		}
	}
}

func TestRedirectsAndProxiesLeadNowhereElse(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.RedirectHandler("http://169.254.169.254/latest/meta-data/", http.StatusFound))
	t.Cleanup(server.Close)
	policy := Policy{}
	client := &http.Client{Transport: &http.Transport{DialContext: policy.DialContext}} // follows redirects
	_, err := client.Get(server.URL)
	if _, refused := errors.AsType[*Refusal](err); !refused {
		t.Errorf("through a redirect: got error %v", err)
	}
	request := httptest.NewRequest(http.MethodGet, "http://169.254.169.254/", nil)
	if _, err := policy.Proxy(request); err == nil {
		t.Error("a proxy would be asked for instance metadata")
	}
	request = httptest.NewRequest(http.MethodGet, "http://127.0.0.1/", nil)
	if proxy, err := policy.Proxy(request); err != nil || proxy != nil {
		t.Errorf("this machine through a proxy: got %v, %v", proxy, err)
	}
}
