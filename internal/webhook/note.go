package webhook

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// minHidden is how long a part of the address must be to be taken out, in bytes:
// words such as hooks would take the sense out of sentences.
const minHidden = 8

// maxNote bounds what a service says in our sentences, in bytes.
const maxNote = 200

// note gives the first line with words of a text, without what doesn't print.
func (h *Hook) note(content []byte) string {
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
			return cut(h.hide(words)) // hidden first: half a secret would not be found
		}
	}
	return ""
}

// hide takes out of a service's words what may be secret of its address and our
// headers: many answer that there is nothing at the path that they were asked at.
func (h *Hook) hide(text string) string {
	at, err := url.Parse(h.options.URL)
	if err != nil {
		return text // New has refused it
	}
	secrets := []string{at.RequestURI(), at.EscapedPath(), at.Path, at.RawQuery}
	for part := range strings.SplitSeq(at.Path, "/") {
		secrets = append(secrets, part)
	}
	for _, values := range at.Query() {
		secrets = append(secrets, values...)
	}
	for _, value := range h.options.Headers {
		secrets = append(secrets, value)
	}
	slices.SortStableFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	for _, s := range secrets {
		if len(s) >= minHidden {
			text = strings.ReplaceAll(text, s, "[…]")
		}
	}
	return text
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
