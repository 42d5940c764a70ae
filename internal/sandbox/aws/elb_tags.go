package aws

import (
	"maps"
	"slices"
	"strings"
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
		if key == "" || len(key) > maxTagKeyChars || len(value) > maxTagValueChars {
			return nil, badRequest("ValidationError", "The tag '%s' must have a key of 1 to %d and a value of up to %d characters", key, maxTagKeyChars, maxTagValueChars)
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

func (s *elbStore) setTags(arn string, tags map[string]string) {
	if len(tags) > 0 {
		s.tags[arn] = tags
	}
}

// tagged returns the resources that a request names, all of them known.
func (s *elbStore) tagged(form *element) ([]string, error) {
	arns := form.texts("ResourceArns")
	if len(arns) == 0 || len(arns) > maxTaggedAtOnce {
		return nil, badRequest("ValidationError", "Between 1 and %d resource ARNs must be specified, and %d are", maxTaggedAtOnce, len(arns))
	}
	for _, arn := range arns {
		if err := s.known(arn); err != nil {
			return nil, err
		}
	}
	return arns, nil
}

// known looks a resource up by the kind that its ARN names.
func (s *elbStore) known(arn string) error {
	var err error
	switch kind := strings.TrimPrefix(arn, s.arn("")); {
	case strings.HasPrefix(kind, "loadbalancer/"):
		_, err = s.balancer(arn)
	case strings.HasPrefix(kind, "targetgroup/"):
		_, err = s.group(arn)
	case strings.HasPrefix(kind, "listener/"):
		_, err = s.listener(arn)
	case strings.HasPrefix(kind, "listener-rule/"):
		_, _, err = s.rule(arn)
	default:
		err = badRequest("ValidationError", "'%s' is not a valid ARN", arn)
	}
	return err
}

func (s *elbStore) addTags(form *element) (any, error) {
	arns, err := s.tagged(form)
	if err != nil {
		return nil, err
	}
	added, err := readTags(form.list("Tags"))
	if err != nil {
		return nil, err
	}
	next := map[string]map[string]string{}
	for _, arn := range arns {
		tags := map[string]string{}
		maps.Copy(tags, s.tags[arn])
		maps.Copy(tags, added)
		if len(tags) > maxTags {
			return nil, badRequest("TooManyTags", "A resource can have up to %d tags", maxTags)
		}
		next[arn] = tags
	}
	maps.Copy(s.tags, next)
	return struct{}{}, nil
}

func (s *elbStore) removeTags(form *element) (any, error) {
	arns, err := s.tagged(form)
	if err != nil {
		return nil, err
	}
	for _, arn := range arns {
		for _, key := range form.texts("TagKeys") {
			delete(s.tags[arn], key)
		}
	}
	return struct{}{}, nil
}

func (s *elbStore) describeTags(form *element) (any, error) {
	arns, err := s.tagged(form)
	if err != nil {
		return nil, err
	}
	var answer xmlTagDescriptions
	for _, arn := range arns {
		out := xmlTagged{ResourceArn: arn}
		for _, key := range slices.Sorted(maps.Keys(s.tags[arn])) {
			out.Tags.Items = append(out.Tags.Items, xmlTag{key, s.tags[arn][key]})
		}
		answer.TagDescriptions.Items = append(answer.TagDescriptions.Items, out)
	}
	return answer, nil
}
