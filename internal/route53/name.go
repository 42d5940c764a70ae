package route53

import (
	"slices"
	"strings"
)

// canonical gives a name as Route 53 lists it: lower case, with the final dot,
// an asterisk as the octal escape \052.
func canonical(name string) string {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	return strings.ReplaceAll(name, "*", `\052`) + "."
}

// plain gives a listed name as people write it.
func plain(name string) string {
	return strings.ReplaceAll(strings.TrimSuffix(name, "."), `\052`, "*")
}

// sortKey is what Route 53 orders its listings by: the labels reversed, with
// the final dot, compared as text. "com.example.shop-x." comes before
// "com.example.shop.", since a hyphen is below the dot in ASCII.
// ListResourceRecordSets, API reference, "Sort order".
func sortKey(name string) string {
	labels := strings.Split(plain(name), ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".") + "."
}

// escaped tells whether a canonical name has an octal escape. Where such a name
// stands in a listing is not documented (as the escape or as what it stands
// for), so its place is never relied on.
func escaped(name string) bool { return strings.Contains(name, `\`) }

// firstLabel splits a canonical name: "shop" and "example.com.".
func firstLabel(name string) (label, rest string) {
	label, rest, _ = strings.Cut(name, ".")
	return label, rest
}
