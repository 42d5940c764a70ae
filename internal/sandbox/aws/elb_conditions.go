package aws

import (
	"slices"
)

// maxConditionValues is how many values all conditions of a rule have together.
const maxConditionValues = 5

// condition is one condition of a rule. Only host-header and path-pattern are
// interpreted; the others are stored and answered.
type condition struct {
	field  string
	values []string // of host-header and path-pattern
	config *element // of the others
}

type xmlCondition struct {
	Field                   string
	Values                  []string   `xml:"Values>member"`
	HostHeaderConfig        *xmlValues `xml:",omitempty"`
	PathPatternConfig       *xmlValues `xml:",omitempty"`
	HTTPHeaderConfig        *element   `xml:"HttpHeaderConfig,omitempty"`
	QueryStringConfig       *element   `xml:",omitempty"`
	HTTPRequestMethodConfig *element   `xml:"HttpRequestMethodConfig,omitempty"`
	SourceIPConfig          *element   `xml:"SourceIpConfig,omitempty"`
}

type xmlValues struct {
	Values []string `xml:"Values>member"`
}

func (c condition) wire() xmlCondition {
	out := xmlCondition{Field: c.field, Values: c.values}
	switch c.field {
	case "host-header":
		out.HostHeaderConfig = &xmlValues{c.values}
	case "path-pattern":
		out.PathPatternConfig = &xmlValues{c.values}
	case "http-header":
		out.HTTPHeaderConfig = c.config
	case "query-string":
		out.QueryStringConfig = c.config
	case "http-request-method":
		out.HTTPRequestMethodConfig = c.config
	case "source-ip":
		out.SourceIPConfig = c.config
	}
	return out
}

// conditionConfig names the parameter that holds the settings of a field.
func conditionConfig(field string) string {
	return map[string]string{
		"host-header":         "HostHeaderConfig",
		"path-pattern":        "PathPatternConfig",
		"http-header":         "HttpHeaderConfig",
		"query-string":        "QueryStringConfig",
		"http-request-method": "HttpRequestMethodConfig",
		"source-ip":           "SourceIpConfig",
	}[field]
}

func readConditions(in []*element) ([]condition, error) {
	var out []condition
	values := 0
	for _, e := range in {
		c := condition{field: e.str("Field")}
		name := conditionConfig(c.field)
		if name == "" {
			return nil, badRequest("ValidationError", "Condition field '%s' must be one of '[path-pattern, host-header, http-header, http-request-method, query-string, source-ip]'", c.field)
		}
		config := e.child(name)
		c.values = append(e.texts("Values"), config.texts("Values")...)
		values += max(1, len(c.values))
		if c.field != "host-header" && c.field != "path-pattern" {
			if config == nil {
				return nil, badRequest("ValidationError", "The parameter '%s' must be specified for the condition field '%s'", name, c.field)
			}
			c.values, c.config = nil, config
			out = append(out, c)
			continue
		}
		if e.has("RegexValues") || config.has("RegexValues") {
			return nil, badRequest("ValidationError", "The sandbox has no regular expressions in conditions (field '%s')", c.field)
		}
		if len(c.values) == 0 {
			return nil, badRequest("ValidationError", "A condition value must be specified")
		}
		if slices.ContainsFunc(c.values, func(v string) bool { return v == "" || len(v) > 128 }) {
			return nil, badRequest("ValidationError", "A condition value of '%s' must have 1 to 128 characters", c.field)
		}
		if slices.ContainsFunc(out, func(other condition) bool { return other.field == c.field }) {
			return nil, badRequest("ValidationError", "A rule can only have one '%s' condition", c.field)
		}
		out = append(out, c)
	}
	if values > maxConditionValues {
		return nil, badRequest("ValidationError", "A rule can only have '%d' condition values", maxConditionValues)
	}
	return out, nil
}
