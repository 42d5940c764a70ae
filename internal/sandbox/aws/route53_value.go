package aws

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// canonicalValue checks one value of a record set and returns a form in which
// equal values are equal strings. Listings return values as they were sent.
func canonicalValue(typ, value string) (string, error) {
	switch typ {
	case "A":
		ip, err := netip.ParseAddr(value)
		if err != nil || !ip.Is4() {
			return "", invalidRecord("ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)", value)
		}
		return ip.String(), nil
	case "AAAA":
		ip, err := netip.ParseAddr(value)
		if err != nil || !ip.Is6() || ip.Zone() != "" {
			return "", invalidRecord("AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)", value)
		}
		return ip.String(), nil
	case "CNAME", "NS":
		name, err := canonicalName(value)
		if err != nil {
			return "", faultf("Invalid Resource Record: '%s'", err)
		}
		return name, nil
	case "TXT":
		parts, ok := textStrings(value)
		if !ok {
			return "", invalidRecord("InvalidCharacterString (Value should be enclosed in quotation marks)", value)
		}
		if slices.ContainsFunc(parts, func(s string) bool { return len(s) > 255 }) {
			return "", invalidRecord("CharacterStringTooLong (Value is too long)", value)
		}
		return fmt.Sprintf("%q", parts), nil
	case "SOA":
		return canonicalSOA(value)
	}
	return "", faultf("the sandbox doesn't know record sets of the type %s", typ)
}

func invalidRecord(problem, value string) error {
	return faultf("Invalid Resource Record: 'FATAL problem: %s encountered with '%s''", problem, value)
}

func canonicalSOA(value string) (string, error) {
	fields := strings.Fields(value)
	if len(fields) != 7 {
		return "", invalidRecord("SOARRDATAInvalid (Value should have seven fields)", value)
	}
	for i, field := range fields {
		if i < 2 {
			name, err := canonicalName(field)
			if err != nil {
				return "", invalidRecord("SOARRDATAInvalid (Value has an invalid name)", value)
			}
			fields[i] = name
			continue
		}
		if _, err := strconv.ParseUint(field, 10, 32); err != nil {
			return "", invalidRecord("SOARRDATAInvalid (Value has an invalid number)", value)
		}
	}
	return strings.Join(fields, " "), nil
}

// textStrings reads the quoted strings of a TXT value; escapes are \", \\ and
// three octal digits.
func textStrings(value string) ([]string, bool) {
	var parts []string
	rest := strings.TrimSpace(value)
	for rest != "" {
		if rest[0] != '"' {
			return nil, false
		}
		part, tail, ok := textString(rest[1:])
		if !ok {
			return nil, false
		}
		parts = append(parts, part)
		if tail != "" && tail[0] != ' ' && tail[0] != '\t' {
			return nil, false
		}
		rest = strings.TrimLeft(tail, " \t")
	}
	return parts, len(parts) > 0
}

// textString reads up to the closing quotation mark.
func textString(s string) (part, tail string, ok bool) {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			return out.String(), s[i+1:], true
		case '\\':
			if b, isOctal := octal(s[i+1:]); isOctal {
				out.WriteByte(b)
				i += 3
				continue
			}
			if i++; i == len(s) || (s[i] != '"' && s[i] != '\\') {
				return "", "", false
			}
			out.WriteByte(s[i])
		default:
			out.WriteByte(s[i])
		}
	}
	return "", "", false
}

// zoneFileValue writes a value for a zone file parser, whose escapes are decimal
// (RFC 1035, 5.1) where Route 53's are octal.
func zoneFileValue(typ, value string) string {
	if typ != "TXT" {
		return value
	}
	parts, ok := textStrings(value)
	if !ok {
		return value
	}
	var out strings.Builder
	for i, part := range parts {
		if i > 0 {
			out.WriteByte(' ')
		}
		out.WriteByte('"')
		for _, b := range []byte(part) {
			switch {
			case b == '"' || b == '\\':
				out.WriteByte('\\')
				out.WriteByte(b)
			case b < ' ' || b > '~':
				fmt.Fprintf(&out, `\%03d`, b)
			default:
				out.WriteByte(b)
			}
		}
		out.WriteByte('"')
	}
	return out.String()
}
