package config

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// maxShown bounds how much of a wrong value a fault repeats.
const maxShown = 60

// errNotOne says that a scalar is not of the kind the key has; the fault's words come from the key.
var errNotOne = errors.New("not of the key's kind")

// scalar decodes one text, boolean, number or duration. Nothing is coerced: "yes" is not true and 1.9 is not 1.
func (d *decoder) scalar(into reflect.Value, n *yaml.Node, path string, k key) {
	if n.Kind != yaml.ScalarNode {
		d.faultf(path, "is %s; use %s", shape(n), k.want())
		return
	}
	switch {
	case k.kind == reflect.TypeFor[time.Duration]():
		d.duration(into, n, path, k)
	case k.kind.Kind() == reflect.String:
		d.text(into, n, path, k)
	case k.kind.Kind() == reflect.Bool:
		if n.ShortTag() != "!!bool" || (n.Value != "true" && n.Value != "false") {
			d.faultf(path, "%s is neither true nor false; write true or false, without quotes", show(n))
			return
		}
		into.SetBool(n.Value == "true")
	case k.kind.Kind() == reflect.Int:
		whole, err := wholeNumber(n, k.unit == "percent")
		d.number(n, path, k, float64(whole), err, func() { into.SetInt(int64(whole)) })
	case k.kind.Kind() == reflect.Float64:
		ratio, err := decimal(n, k.unit == "fraction")
		d.number(n, path, k, ratio, err, func() { into.SetFloat(ratio) })
	}
}

func (d *decoder) text(into reflect.Value, n *yaml.Node, path string, k key) {
	// A day without quotes is a timestamp to YAML, and its text is what we want.
	if tag := n.ShortTag(); tag != "!!str" && tag != "!!timestamp" {
		d.faultf(path, "%s is not text; put it in quotes", show(n))
		return
	}
	if strings.HasSuffix(k.name, "File") && isContent(n.Value) {
		d.faultf(path, notAPath)
		return
	}
	if len(k.oneOf) > 0 {
		for _, good := range k.oneOf {
			if n.Value == good {
				into.SetString(good)
				return
			}
		}
		d.faultf(path, "%s is not %s; use %s", show(n), k.noun(), k.want())
		return
	}
	into.SetString(n.Value)
}

func (d *decoder) duration(into reflect.Value, n *yaml.Node, path string, k key) {
	tag := n.ShortTag()
	if (tag == "!!int" || tag == "!!float") && n.Value != "0" {
		d.faultf(path, "%s has no unit; use %s", show(n), k.want())
		return
	}
	got, err := time.ParseDuration(n.Value)
	if err != nil || (tag != "!!str" && tag != "!!int") {
		d.faultf(path, "%s is not a duration; use %s (the units are ms, s, m and h)", show(n), k.want())
		return
	}
	low, high := bound(k.low, math.MinInt64), bound(k.high, math.MaxInt64)
	if got < low || got > high {
		d.faultf(path, "%s is out of range; use %s", show(n), k.want())
		return
	}
	into.SetInt(int64(got))
}

// number checks a number against the key's range and sets it.
func (d *decoder) number(n *yaml.Node, path string, k key, got float64, err error, set func()) {
	if err != nil {
		d.faultf(path, "%s is not %s; use %s", show(n), k.noun(), k.want())
		return
	}
	low, high := math.Inf(-1), math.Inf(1)
	if k.low != "" {
		low, _ = strconv.ParseFloat(k.low, 64)
	}
	if k.high != "" {
		high, _ = strconv.ParseFloat(k.high, 64)
	}
	if got >= low && got <= high {
		set()
		return
	}
	if k.unit != "" {
		d.faultf(path, "%s is not %s; use %s", show(n), k.noun(), k.want())
		return
	}
	d.faultf(path, "%s is out of range; use %s", show(n), k.want())
}

// wholeNumber reads an int in its plain decimal form, or as 90% where percent is set. Forms that YAML's versions
// disagree about, such as 010 and 1_000, are refused.
func wholeNumber(n *yaml.Node, percent bool) (int, error) {
	digits := n.Value
	switch n.ShortTag() {
	case "!!int":
	case "!!str":
		var cut bool
		if digits, cut = strings.CutSuffix(digits, "%"); !cut || !percent {
			return 0, errNotOne
		}
	default:
		return 0, errNotOne
	}
	whole, err := strconv.Atoi(digits)
	if err != nil || strconv.Itoa(whole) != digits {
		return 0, errNotOne
	}
	return whole, nil
}

// decimal reads a number such as 0.01, or 1% where percent is set.
func decimal(n *yaml.Node, percent bool) (float64, error) {
	switch n.ShortTag() {
	case "!!int", "!!float":
		ratio, err := strconv.ParseFloat(n.Value, 64)
		if err != nil || math.IsNaN(ratio) {
			return 0, errNotOne
		}
		return ratio, nil
	case "!!str":
		digits, cut := strings.CutSuffix(n.Value, "%")
		if !cut || !percent {
			return 0, errNotOne
		}
		hundredths, err := strconv.ParseFloat(digits, 64)
		if err != nil || math.IsNaN(hundredths) {
			return 0, errNotOne
		}
		return hundredths / 100, nil
	default:
		return 0, errNotOne
	}
}

// bound reads an end of a duration's range from its tag.
func bound(text string, open time.Duration) time.Duration {
	limit, err := time.ParseDuration(text)
	if err != nil {
		return open
	}
	return limit
}

// notAPath is what a content in the place of a file's path is told: an error of opening it would show a part of it.
const notAPath = "holds a content and not the path of a file; write it into a file, and name that"

// isContent tells whether a text can't be the path of a file.
func isContent(text string) bool { return strings.ContainsAny(text, "\r\n\x00") }

// shape names the kind of a node that is not of the key's kind, without its value where that may be a secret.
func (k key) shape(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && (k.kind.Kind() == reflect.Map || k.name == "basicAuth" || k.name == "") {
		return "a single value"
	}
	return shape(n)
}

// shape names the kind of a node that is not of the wanted kind.
func shape(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	default:
		return "the single value " + show(n)
	}
}

// show repeats a scalar as it was written, cut to a readable length.
func show(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode {
		return shape(n)
	}
	text := n.Value
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + "…"
	}
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 || text == "" || strings.ContainsAny(text, "\n\r\t") {
		return fmt.Sprintf("%q", text)
	}
	return text
}
