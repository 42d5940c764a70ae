package aws

import (
	"fmt"
	"slices"
	"strings"
)

// canonicalName writes a domain name the way Route 53 stores it: lower case,
// final dot, and every octet but a-z, 0-9, '-', '_' as an octal escape, so that
// "*.Example.com" becomes "\052.example.com.".
func canonicalName(name string) (string, error) {
	if name == "" {
		return "", faultf("FATAL problem: DomainNameEmpty (Domain name is empty) encountered with ''")
	}
	var out strings.Builder
	label, octets := 0, 0
	for i := 0; i < len(name); i++ {
		b := name[i]
		switch b {
		case '.':
			if label == 0 {
				return "", faultf("FATAL problem: DomainLabelEmpty (Domain label is empty) encountered with '%s'", name)
			}
			label = 0
			octets++
			out.WriteByte('.')
			continue
		case '\\':
			escaped, ok := octal(name[i+1:])
			if !ok {
				return "", faultf("FATAL problem: InvalidEscape (Escape codes are three octal digits) encountered with '%s'", name)
			}
			b, i = escaped, i+3
		}
		writeOctet(&out, b)
		octets++
		if label++; label > 63 {
			return "", faultf("FATAL problem: DomainLabelTooLong (Domain label is too long) encountered with '%s'", name)
		}
	}
	if label > 0 {
		out.WriteByte('.')
		octets++
	}
	if octets > 255 {
		return "", faultf("FATAL problem: DomainNameTooLong (Domain name is too long) encountered with '%s'", name)
	}
	return out.String(), nil
}

func writeOctet(out *strings.Builder, b byte) {
	switch {
	case b >= 'A' && b <= 'Z':
		out.WriteByte(b + 'a' - 'A')
	case b >= 'a' && b <= 'z', b >= '0' && b <= '9', b == '-', b == '_':
		out.WriteByte(b)
	default:
		fmt.Fprintf(out, `\%03o`, b)
	}
}

// octal reads the three octal digits after a backslash.
func octal(s string) (byte, bool) {
	if len(s) < 3 {
		return 0, false
	}
	n := 0
	for i := range 3 {
		if s[i] < '0' || s[i] > '7' {
			return 0, false
		}
		n = n*8 + int(s[i]-'0')
	}
	return byte(n), n <= 255
}

// dnsName turns a stored name into the form that a name server asks with: the
// asterisk of a wildcard stands as itself.
func dnsName(canonical string) string {
	return strings.ReplaceAll(canonical, `\052`, "*")
}

// sortName reverses the labels, which is how Route 53 orders its listings:
// com.example.www. with the final dot, so that characters below the dot in ASCII
// sort before it.
func sortName(canonical string) string {
	labels := strings.Split(strings.TrimSuffix(dnsName(canonical), "."), ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".") + "."
}

// within reports whether a canonical name is the origin or below it.
func within(name, origin string) bool {
	if !strings.HasSuffix(name, origin) {
		return false
	}
	above := len(name) - len(origin)
	return above == 0 || name[above-1] == '.'
}
