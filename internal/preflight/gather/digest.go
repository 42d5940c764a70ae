package gather

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// digestLength is how much of a digest is kept, in bytes: enough that two texts
// out of a million never meet.
const digestLength = 12

// digest gives what tells two texts apart and says nothing else.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:digestLength])
}

// keyed gives a digest that can't be guessed without the key.
func keyed(key []byte, parts map[string][]byte) string {
	mac := hmac.New(sha256.New, key)
	names := make([]string, 0, len(parts))
	for name := range parts {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value := sha256.Sum256(parts[name])
		mac.Write([]byte(name))
		mac.Write([]byte{0})
		mac.Write(value[:])
	}
	return hex.EncodeToString(mac.Sum(nil)[:digestLength])
}

// meaning gives a digest of a value in which no order of lists counts: of the
// rules of a policy or a role, which are sets.
func meaning(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return "" // no type of Kubernetes gives an error
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return ""
	}
	return digest(sorted(tree))
}

// sorted writes a value with its lists in the order of their texts.
func sorted(tree any) string {
	switch t := tree.(type) {
	case []any:
		texts := make([]string, len(t))
		for i, each := range t {
			texts[i] = sorted(each)
		}
		slices.Sort(texts)
		return "[" + strings.Join(texts, ",") + "]"
	case map[string]any:
		keys := make([]string, 0, len(t))
		for key := range t {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		var b strings.Builder
		for _, key := range keys {
			b.WriteString(key + ":" + sorted(t[key]) + ";")
		}
		return "{" + b.String() + "}"
	}
	text, err := json.Marshal(tree)
	if err != nil {
		return ""
	}
	return string(text)
}

// plainer takes out of texts what names one cluster alone.
type plainer struct {
	names *strings.Replacer
	ids   *regexp.Regexp
}

func newPlainer(own []string) plainer {
	var pairs []string
	for _, name := range own {
		pairs = append(pairs, name, "<cluster>")
	}
	return plainer{
		names: strings.NewReplacer(pairs...),
		// The id of an EKS cluster's issuer, and those of what is made for one cluster
		// at EC2.
		ids: regexp.MustCompile(`\b(oidc\.eks\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/id/[0-9A-F]{32}|(vpc|subnet|sg|eni|lt|rtb|nat|eipalloc)-[0-9a-f]{8,17})\b`),
	}
}

// plain gives the text without what names the cluster; empty: there was none.
func (p plainer) plain(text string) string {
	without := p.ids.ReplaceAllString(p.names.Replace(text), "<id>")
	if without == text {
		return ""
	}
	return without
}
