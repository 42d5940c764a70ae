package route53

import "strings"

// markLabel is the label below which a name's mark stands.
const markLabel = "_clusterswitch."

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

// markName is where the mark of a canonical name stands.
func markName(name string) string { return markLabel + name }
