package aws

import (
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of tags. ELBv2 API reference, AddTags and DescribeTags.
const (
	maxTags          = 50
	maxTaggedAtOnce  = 20
	maxTagKeyChars   = 128
	maxTagValueChars = 256
)

type xmlTag struct {
	Key   string
	Value string
}

type xmlTagged struct {
	ResourceArn string
	Tags        listOf[xmlTag]
}

type xmlTagDescriptions struct {
	TagDescriptions listOf[xmlTagged]
}

func readTags(in []*element) (map[string]string, error) {
	tags := map[string]string{}
	for _, e := range in {
		key, value := e.str("Key"), e.str("Value")
		if _, twice := tags[key]; twice {
			return nil, badRequest("DuplicateTagKeys", "The tag key '%s' was specified more than once", key)
		}
		if key == "" || utf8.RuneCountInString(key) > maxTagKeyChars || utf8.RuneCountInString(value) > maxTagValueChars {
			return nil, badRequest("ValidationError", "The tag '%s' must have a key of 1 to %d and a value of up to %d characters", key, maxTagKeyChars, maxTagValueChars)
		}
		if !taggable(key) || !taggable(value) {
			return nil, badRequest("ValidationError", "The tag '%s' can have letters, digits, spaces and the characters + - = . _ : / @ only", key)
		}
		if strings.HasPrefix(strings.ToLower(key), "aws:") {
			return nil, badRequest("ValidationError", "The tag key '%s' must not begin with 'aws:'", key)
		}
		tags[key] = value
	}
	if len(tags) > maxTags {
		return nil, badRequest("TooManyTags", "A resource can have up to %d tags", maxTags)
	}
	return tags, nil
}

// taggable tells whether a tag's key or value has lawful characters only.
func taggable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsSpace(r) && !strings.ContainsRune("+-=._:/@", r)
	})
}

func (a *elbAccount) setTags(arn string, tags map[string]string) {
	if len(tags) > 0 {
		a.tags[arn] = tags
	}
}

// tagged returns the resources that a request names, all of them known.
func (a *elbAccount) tagged(form *element) ([]string, error) {
	arns := form.texts("ResourceArns")
	switch {
	case len(arns) == 0:
		return nil, badRequest("ValidationError", "At least one resource ARN must be specified")
	case len(arns) > maxTaggedAtOnce:
		return nil, badRequest("ValidationError", "Cannot have more than %d resources described", maxTaggedAtOnce)
	}
	for _, arn := range arns {
		if err := a.known(arn); err != nil {
			return nil, err
		}
	}
	return arns, nil
}

// known looks a resource up by the kind that its ARN names.
func (a *elbAccount) known(arn string) error {
	var err error
	switch kind := strings.TrimPrefix(arn, a.arn("")); {
	case strings.HasPrefix(kind, "loadbalancer/"):
		_, err = a.balancer(arn)
	case strings.HasPrefix(kind, "targetgroup/"):
		_, err = a.group(arn)
	case strings.HasPrefix(kind, "listener/"):
		_, err = a.listener(arn)
	case strings.HasPrefix(kind, "listener-rule/"):
		_, err = a.rule(arn)
	default:
		err = badRequest("ValidationError", "'%s' is not a valid ARN", arn)
	}
	return err
}

func (a *elbAccount) addTags(form *element) (any, error) {
	arns, err := a.tagged(form)
	if err != nil {
		return nil, err
	}
	added, err := readTags(form.list("Tags"))
	if err != nil {
		return nil, err
	}
	if len(added) == 0 {
		return nil, badRequest("ValidationError", "At least one tag must be specified")
	}
	next := map[string]map[string]string{}
	for _, arn := range arns {
		tags := map[string]string{}
		maps.Copy(tags, a.tags[arn])
		maps.Copy(tags, added)
		if len(tags) > maxTags {
			return nil, badRequest("TooManyTags", "A resource can have up to %d tags", maxTags)
		}
		next[arn] = tags
	}
	maps.Copy(a.tags, next)
	return struct{}{}, nil
}

func (a *elbAccount) removeTags(form *element) (any, error) {
	arns, err := a.tagged(form)
	if err != nil {
		return nil, err
	}
	keys := form.texts("TagKeys")
	if len(keys) == 0 {
		return nil, badRequest("ValidationError", "At least one tag key must be specified")
	}
	for _, arn := range arns {
		left := map[string]string{}
		maps.Copy(left, a.tags[arn])
		for _, key := range keys {
			delete(left, key)
		}
		a.tags[arn] = left
	}
	return struct{}{}, nil
}

func (a *elbAccount) describeTags(form *element) (any, error) {
	arns, err := a.tagged(form)
	if err != nil {
		return nil, err
	}
	var answer xmlTagDescriptions
	for _, arn := range arns {
		out := xmlTagged{ResourceArn: arn}
		for _, key := range slices.Sorted(maps.Keys(a.tags[arn])) {
			out.Tags.Items = append(out.Tags.Items, xmlTag{key, a.tags[arn][key]})
		}
		answer.TagDescriptions.Items = append(answer.TagDescriptions.Items, out)
	}
	return answer, nil
}
