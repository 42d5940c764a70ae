package route53

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// ownership is what is known of who else writes a name.
type ownership struct {
	owner string // empty: nobody is known
	at    time.Time
}

// heritage begins the TXT value by which external-dns claims a record.
const heritage = "heritage=external-dns"

// owner looks for external-dns's registry record beside a name: it writes its
// own weights back at each of its turns. Its name is the record's own (up to
// v0.16), or the record's with the type before the first label. A prefix of
// the user's choosing can't be guessed; such a registry isn't found.
func (a *Adapter) owner(ctx context.Context, e shift.Route53Entrance) (string, error) {
	k := keyOf(e)
	a.mu.Lock()
	known, ok := a.owners[k]
	a.mu.Unlock()
	now := a.now()
	if ok && now.Sub(known.at) < a.ownerEvery {
		return known.owner, nil
	}
	found := ownership{at: now}
	for _, name := range registryNames(k.name) {
		owner, err := a.registered(ctx, e, name)
		if err != nil {
			return "", err
		}
		if owner != "" {
			found.owner = owner
			break
		}
	}
	a.mu.Lock()
	a.owners[k] = found
	a.mu.Unlock()
	return found.owner, nil
}

// registryNames are the names under which external-dns notes an A record; an
// alias made from a CNAME source is noted as cname.
func registryNames(name string) []string {
	return []string{name, "a-" + name, "cname-" + name}
}

func (a *Adapter) registered(ctx context.Context, e shift.Route53Entrance, name string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, a.callTimeout)
	defer cancel()
	page, err := a.page(ctx, e, start{name: name, typ: types.RRTypeTxt})
	if err != nil {
		return "", err
	}
	for _, r := range page.ResourceRecordSets {
		if canonical(aws.ToString(r.Name)) != name || r.Type != types.RRTypeTxt {
			break // sorted: what follows is another name or type
		}
		for _, v := range r.ResourceRecords {
			if text := strings.Trim(aws.ToString(v.Value), `"`); strings.HasPrefix(text, heritage) {
				return describeOwner(text), nil
			}
		}
	}
	return "", nil
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
