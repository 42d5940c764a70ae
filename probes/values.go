package probes

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/reach"
)

const (
	// maxValue bounds a value that is carried over, in bytes.
	maxValue = 8 << 10
	// minHidden is how long a value that was taken from an answer must be to be hidden in errors, in bytes. Without shorter
	// ones, such as 1, an error couldn't be read any more.
	minHidden = 6
)

// values are texts by the names that stand for them.
type values map[string]string

// readSecrets reads the files of secrets.
func readSecrets(files map[string]string) (values, error) {
	known := values{}
	for name, path := range files {
		content, err := reach.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading the secret %s: %w", name, err)
		}
		value := strings.TrimRight(string(content), "\r\n")
		if err := usable(value); err != nil {
			return nil, fmt.Errorf("reading the secret %s: the text in %s %w", name, path, err)
		}
		known[name] = value
	}
	return known, nil
}

// usable says what is wrong with a value for headers and URLs.
func usable(value string) error {
	switch {
	case value == "":
		return errors.New("is empty")
	case len(value) > maxValue:
		return errors.New("is longer than 8 KiB")
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return errors.New("is not one line of plain text")
	default:
		return nil
	}
}

// fill puts values in the place of ${NAME}, each as the text around it needs it. $${NAME} stands for ${NAME} itself.
func (v values) fill(text string, as func(string) string) (string, error) {
	var missing error
	filled := regexp.MustCompile(`\$?\$\{[^}]*\}`).ReplaceAllStringFunc(text, func(found string) string {
		if strings.HasPrefix(found, "$$") {
			return found[1:]
		}
		name := found[2 : len(found)-1]
		value, known := v[name]
		if !known {
			missing = fmt.Errorf("nothing is known as %s", name)
		}
		return as(value)
	})
	return filled, missing
}

// hidden puts the names of secrets, and of what was taken from answers, in the place of their values in an error.
func (v values) hidden(err error, secrets map[string]string) error {
	text := err.Error()
	byLength := func(a, b string) int { return cmp.Or(cmp.Compare(len(v[b]), len(v[a])), cmp.Compare(a, b)) }
	for _, name := range slices.SortedFunc(maps.Keys(v), byLength) {
		if _, secret := secrets[name]; secret || len(v[name]) >= minHidden {
			text = strings.ReplaceAll(text, v[name], "${"+name+"}")
		}
	}
	if text == err.Error() {
		return err
	}
	return errors.New(text)
}

// contentType gives the type of a body that has none: what it looks like.
func contentType(body string) string {
	if text := strings.TrimSpace(body); strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		return "application/json"
	}
	return "application/x-www-form-urlencoded"
}

// escapeFor gives how a value is written inside a body of a type.
func escapeFor(contentType string) func(string) string {
	kind, _, _ := mime.ParseMediaType(contentType)
	switch {
	case kind == "application/json" || strings.HasSuffix(kind, "+json"):
		return func(value string) string {
			quoted, err := json.Marshal(value)
			if err != nil {
				return "" // a text is always one
			}
			return string(quoted[1 : len(quoted)-1])
		}
	case kind == "application/x-www-form-urlencoded":
		return url.QueryEscape
	default:
		return func(value string) string { return value }
	}
}

// taker takes one value from an answer.
type taker struct {
	name string
	from func(answered) (string, error)
}

func (t taker) take(got answered) (string, error) {
	value, err := t.from(got)
	if err != nil {
		return "", err
	}
	if err := usable(value); err != nil {
		return "", fmt.Errorf("its value %w", err)
	}
	return value, nil
}

func takersOf(extracts []Extract) ([]taker, error) {
	takers := make([]taker, len(extracts))
	for i, e := range extracts {
		takers[i] = taker{e.Name, func(got answered) (string, error) { return inJSON(got.body, e.JSON) }}
		switch {
		case e.Header != "":
			takers[i].from = func(got answered) (string, error) {
				if len(got.header.Values(e.Header)) == 0 {
					return "", fmt.Errorf("the answer has no header %s", e.Header)
				}
				return got.header.Get(e.Header), nil
			}
		case e.Regexp != "":
			pattern, err := regexp.Compile(e.Regexp)
			if err != nil || pattern.NumSubexp() == 0 {
				return nil, fmt.Errorf("%q is not a regular expression with a group", e.Regexp)
			}
			takers[i].from = func(got answered) (string, error) {
				found := pattern.FindSubmatch(got.body)
				if found == nil {
					return "", fmt.Errorf("the body does not match %s", e.Regexp)
				}
				return string(found[1]), nil
			}
		}
	}
	return takers, nil
}

// inJSON follows a path into a JSON text.
func inJSON(body []byte, path string) (string, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber() // an identifier may have more digits than a float holds
	var at any
	if err := decoder.Decode(&at); err != nil {
		if len(body) == maxBody {
			return "", errors.New("the body's first 64 KiB are no whole JSON")
		}
		return "", errors.New("the body is no JSON")
	}
	var way []string
	for part := range strings.SplitSeq(path, ".") {
		way = append(way, part)
		here := strings.Join(way, ".")
		switch around := at.(type) {
		case map[string]any:
			inside, ok := around[part]
			if !ok {
				return "", fmt.Errorf("the body has no %s", here)
			}
			at = inside
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(around) {
				return "", fmt.Errorf("the body has no %s: that is a list of %d", here, len(around))
			}
			at = around[i]
		default:
			return "", fmt.Errorf("the body has no %s", here)
		}
	}
	switch value := at.(type) {
	case string:
		return value, nil
	case json.Number:
		return value.String(), nil
	case bool:
		return strconv.FormatBool(value), nil
	default:
		return "", fmt.Errorf("the body's %s is neither a text nor a number", path)
	}
}
