package webhook

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxNote bounds what a service says in our sentences, in bytes.
const maxNote = 200

// note gives the first line with words of a text, without what doesn't print.
func note(content []byte) string {
	for line := range strings.Lines(strings.ToValidUTF8(string(content), "")) {
		printed := strings.Map(func(r rune) rune {
			switch {
			case unicode.IsSpace(r):
				return ' '
			case !unicode.IsPrint(r):
				return -1
			}
			return r
		}, line)
		if words := strings.Join(strings.Fields(printed), " "); words != "" {
			return cut(words)
		}
	}
	return ""
}

// cut shortens a text to maxNote bytes, between two characters.
func cut(text string) string {
	if len(text) <= maxNote {
		return text
	}
	const more = "…"
	end := maxNote - len(more)
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return strings.TrimRight(text[:end], " ") + more
}
