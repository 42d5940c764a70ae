package route53

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// claim is a TXT record by which external-dns notes that a record is its own.
type claim struct {
	at        string // the TXT record's name, canonical
	id        string // its set identifier, copied from the record; empty: none
	owner     string // a phrase for people
	encrypted bool
}

// registry says which records of a zone external-dns writes.
type registry struct {
	claims  map[string][]claim // by the record's name
	members map[string][]member
}

// member is one record set of a name; id is empty for a simple one.
type member struct{ typ, id string }

// The types that external-dns keeps records of, as they stand in TXT names.
// TXT registry, https://kubernetes-sigs.github.io/external-dns/latest/docs/registry/txt/
func claimedTypes() []string {
	return []string{"a", "aaaa", "cname", "ns", "mx", "srv", "naptr"}
}

const (
	// heritage begins the value by which external-dns claims a record.
	heritage = "heritage=external-dns"
	// leastEncrypted is fewer bytes than any encrypted value has: a nonce of 12, a
	// tag of 16, and gzip's 18 around the compressed labels.
	leastEncrypted = 64
)

// claimOf reads a TXT record; nil: it isn't external-dns's.
func claimOf(r types.ResourceRecordSet) *claim {
	c := claim{at: canonical(aws.ToString(r.Name)), id: aws.ToString(r.SetIdentifier)}
	for _, v := range r.ResourceRecords {
		text := strings.ReplaceAll(strings.Trim(aws.ToString(v.Value), `"`), `" "`, "")
		switch {
		case strings.HasPrefix(text, heritage):
			c.owner, c.encrypted = describeOwner(text), false
			return &c
		case looksEncrypted(text):
			c.owner, c.encrypted = "external-dns (its TXT record is encrypted and doesn't tell the owner's ID)", true
		}
	}
	if c.owner == "" {
		return nil
	}
	return &c
}

// looksEncrypted tells whether a value may be what external-dns writes with
// --txt-encrypt-enabled: standard base64 of AES-GCM over gzip, so of bytes that
// are no text.
func looksEncrypted(text string) bool {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) < leastEncrypted {
		return false
	}
	return slices.ContainsFunc(raw, func(b byte) bool { return b < ' ' || b > '~' })
}

// describeOwner turns external-dns's labels into a phrase.
func describeOwner(text string) string {
	owner := []string{"external-dns"}
	for label := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(label, "=")
		switch key {
		case "external-dns/owner":
			owner = append(owner, value)
		case "external-dns/resource":
			owner = append(owner, "for", value)
		}
	}
	return strings.Join(owner, " ")
}

// newRegistry attributes the claims of a zone to its records. The user's prefix
// or suffix isn't known. What is: the TXT record's name is prefix, "TYPE-" (if
// the type isn't in the affix), first label, suffix, then the rest of the
// record's name; there is either a prefix or a suffix; and it copies the set
// identifier. So each claim goes to the longest of the names that it can be
// about: "extdns-cname-api.example.com" is about api.example.com where that
// exists, not about i.example.com.
//
// The forms without an affix, NAME and TYPE-NAME, count for a name whatever
// their set identifier is.
func newRegistry(members map[string][]member, claims []claim) *registry {
	r := &registry{claims: map[string][]claim{}, members: members}
	byRest := map[string][]string{} // names by what follows their first label
	for name := range members {
		_, rest := firstLabel(name)
		byRest[rest] = append(byRest[rest], name)
	}
	for _, c := range claims {
		var about []string
		best := 0
		for head, rest := range splits(c.at) {
			for _, name := range byRest[rest] {
				fits := likeness(c, head, name, members[name])
				if fits < best || fits == 0 {
					continue
				}
				if fits > best {
					about, best = nil, fits
				}
				about = append(about, name)
			}
		}
		for _, name := range about {
			r.claims[name] = append(r.claims[name], c)
		}
	}
	return r
}

// splits gives every way to cut a name into a head and the rest after a dot.
func splits(name string) func(yield func(head, rest string) bool) {
	return func(yield func(head, rest string) bool) {
		for i := range len(name) {
			if name[i] == '.' && i > 0 && i < len(name)-1 && !yield(name[:i], name[i+1:]) {
				return
			}
		}
	}
}

// likeness is how many characters of a record's name a claim's name repeats; 0:
// it can't be about that record.
func likeness(c claim, head, name string, members []member) int {
	label, rest := firstLabel(name)
	same := slices.ContainsFunc(members, func(m member) bool { return m.id == c.id })
	bare := head == label && !c.encrypted // before types were written; encrypted ones always have theirs
	typed := slices.ContainsFunc(claimedTypes(), func(t string) bool { return head == t+"-"+label })
	switch {
	case bare || typed:
	case !same:
		return 0
	case label == `\052`: // the asterisk is written as whatever the user chose
		label = ""
	case strings.HasSuffix(head, label) || strings.HasPrefix(head, label) && head != label:
	case slices.ContainsFunc(claimedTypes(), func(t string) bool { return strings.HasPrefix(head, t+"-"+label) }):
	default:
		return 0
	}
	if c.encrypted && !namesType(head) {
		return 0
	}
	return len(label) + len(rest)
}

// namesType tells whether a record type stands in the head of a TXT name, as it
// does wherever external-dns encrypts.
func namesType(head string) bool {
	return slices.ContainsFunc(claimedTypes(), func(t string) bool { return strings.Contains(head, t) })
}

// owner says who claims a record of the entrance; empty: nobody does.
func (r *registry) owner(e shift.Route53Entrance) string {
	var owners []string
	for _, n := range e.Names {
		name := canonical(n)
		for _, c := range r.claims[name] {
			// A claim with the identifier of another member of the group is about that
			// member alone.
			ours := c.id == e.BlueSetIdentifier || c.id == e.GreenSetIdentifier
			if !ours && slices.ContainsFunc(r.members[name], func(m member) bool { return m.id == c.id && slices.Contains(e.Types, m.typ) }) {
				continue
			}
			if phrase := c.owner + ", by the TXT record " + plain(c.at); !slices.Contains(owners, phrase) {
				owners = append(owners, phrase)
			}
		}
	}
	if len(owners) == 0 {
		return ""
	}
	return listed(owners)
}
