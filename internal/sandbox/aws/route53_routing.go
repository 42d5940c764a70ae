package aws

import "slices"

// readRouting reads the routing policy, which goes with an identifier, and the
// health check.
func readRouting(in xmlRecordSet, at string, c *change) error {
	if in.SetIdentifier != nil {
		c.set.id = *in.SetIdentifier
		if len(c.set.id) < 1 || len(c.set.id) > 128 {
			return badRequest("InvalidInput", "1 validation error detected: Value at '%s.resourceRecordSet.setIdentifier' failed to satisfy constraint: Member must have length between 1 and 128", at)
		}
	}
	if in.HealthCheckID != nil {
		if c.set.healthCheck = *in.HealthCheckID; len(c.set.healthCheck) > 64 {
			return badRequest("InvalidInput", "1 validation error detected: Value at '%s.resourceRecordSet.healthCheckId' failed to satisfy constraint: Member must have length less than or equal to 64", at)
		}
	}
	policies := 0
	for _, found := range []bool{in.Weight != nil, in.Region != nil, in.Failover != nil, in.GeoLocation != nil, in.MultiValueAnswer != nil} {
		if found {
			policies++
		}
	}
	const oneOf = "Invalid request: Expected exactly one of [Weight, Region, Failover, GeoLocation, MultiValueAnswer, GeoProximityLocation, CidrRoutingConfig], but found %s in Change with %s"
	switch {
	case policies > 1:
		return badRequest("InvalidInput", oneOf, "more than one", *c)
	case policies == 1 && in.SetIdentifier == nil:
		return badRequest("InvalidInput", "Invalid request: Missing field 'SetIdentifier' in Change with %s", *c)
	case policies == 0 && in.SetIdentifier != nil:
		return badRequest("InvalidInput", oneOf, "none", *c)
	case policies == 0:
		return nil
	}
	return readPolicy(in, at, c)
}

// readPolicy reads the one setting that makes the policy.
func readPolicy(in xmlRecordSet, at string, c *change) error {
	switch {
	case in.Weight != nil:
		if bound := weightBound(*in.Weight); bound != "" {
			return badRequest("InvalidInput", "1 validation error detected: Value '%d' at '%s.resourceRecordSet.weight' failed to satisfy constraint: Member must have value %s", *in.Weight, at, bound)
		}
		c.set.weight = in.Weight
	case in.Region != nil:
		if c.set.region = *in.Region; c.set.region == "" || len(c.set.region) > 64 {
			return badRequest("InvalidInput", "1 validation error detected: Value at '%s.resourceRecordSet.region' failed to satisfy constraint: Member must have length between 1 and 64", at)
		}
	case in.Failover != nil:
		if c.set.failover = *in.Failover; !slices.Contains([]string{"PRIMARY", "SECONDARY"}, c.set.failover) {
			return badRequest("InvalidInput", "1 validation error detected: Value '%s' at '%s.resourceRecordSet.failover' failed to satisfy constraint: Member must satisfy enum value set: [PRIMARY, SECONDARY]", c.set.failover, at)
		}
	case in.GeoLocation != nil:
		return readGeoLocation(*in.GeoLocation, c)
	case in.MultiValueAnswer != nil:
		if c.set.multi = *in.MultiValueAnswer; !c.set.multi {
			return badRequest("InvalidInput", "Invalid request: MultiValueAnswer must be true in Change with %s", *c)
		}
	}
	return nil
}

// weightBound returns the bound that a weight breaks, empty for none.
func weightBound(weight int64) string {
	switch {
	case weight < 0:
		return "greater than or equal to 0"
	case weight > 255:
		return "less than or equal to 255"
	}
	return ""
}

// readGeoLocation reads a continent, or a country with or without one of its
// parts. API reference, GeoLocation.
func readGeoLocation(in xmlGeoLocation, c *change) error {
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	c.set.geo = geoLocation{text(in.ContinentCode), text(in.CountryCode), text(in.SubdivisionCode)}
	g := c.set.geo
	if (g.continent == "") == (g.country == "") || (g.subdivision != "" && g.country == "") {
		return badRequest("InvalidInput", "Invalid request: Expected exactly one of [ContinentCode, CountryCode] and SubdivisionCode only with CountryCode in Change with %s", *c)
	}
	return nil
}
