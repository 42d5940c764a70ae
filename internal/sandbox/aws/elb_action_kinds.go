package aws

import (
	"slices"
	"strconv"
	"strings"
)

func readFixedResponse(e *element, a *action) error {
	a.config = e.child("FixedResponseConfig")
	status, err := strconv.Atoi(a.config.str("StatusCode"))
	contentType := a.config.str("ContentType")
	switch {
	case err != nil || status < 200 || status > 599 || status/100 == 3:
		return badRequest("ValidationError", "The fixed response status code '%s' must match '^(2|4|5)\\d\\d$'", a.config.str("StatusCode"))
	case len(a.config.str("MessageBody")) > 1024:
		return badRequest("ValidationError", "The fixed response message body can have up to 1024 bytes")
	case contentType != "" && !oneOf("text/plain", "text/css", "text/html", "application/javascript", "application/json")(contentType):
		return badRequest("ValidationError", "The fixed response content type '%s' is not supported", contentType)
	}
	a.fixedStatus = status
	return nil
}

// readRedirect fills in what a redirect leaves as it came, and refuses one that
// changes nothing. ELBv2 API reference, RedirectActionConfig.
func readRedirect(l *listener, e *element, a *action) error {
	config := e.child("RedirectConfig")
	if config == nil {
		return badRequest("ValidationError", "A redirect configuration must be specified for actions of type 'redirect'")
	}
	asCame := map[string]string{"Protocol": "#{protocol}", "Host": "#{host}", "Port": "#{port}", "Path": "/#{path}", "Query": "#{query}"}
	a.config = config.withDefaults(asCame)
	changed := false
	for name, same := range asCame {
		changed = changed || a.config.str(name) != same
	}
	if err := checkRedirect(a.config.str); err != nil {
		return err
	}
	switch {
	case l.protocol == "HTTPS" && a.config.str("Protocol") == "HTTP":
		return badRequest("InvalidLoadBalancerAction", "You can't redirect HTTPS to HTTP")
	case !changed:
		return badRequest("InvalidLoadBalancerAction", "The redirect configuration is not valid because it creates a loop.")
	}
	part := a.config.str
	a.fixedStatus, _ = strconv.Atoi(strings.TrimPrefix(part("StatusCode"), "HTTP_"))
	a.redirect = strings.ToLower(part("Protocol")) + "://" + part("Host") + ":" + part("Port") + part("Path")
	if part("Query") != "" {
		a.redirect += "?" + part("Query")
	}
	return nil
}

// checkRedirect checks each part of a redirect by itself.
func checkRedirect(part func(name string) string) error {
	port, portErr := strconv.Atoi(part("Port"))
	switch {
	case !oneOf("HTTP_301", "HTTP_302")(part("StatusCode")):
		return badRequest("ValidationError", "The redirect status code '%s' must be HTTP_301 or HTTP_302", part("StatusCode"))
	case !oneOf("HTTP", "HTTPS", "#{protocol}")(part("Protocol")):
		return badRequest("ValidationError", "The redirect protocol '%s' must match '^(HTTPS?|#\\{protocol\\})$'", part("Protocol"))
	case part("Port") != "#{port}" && (portErr != nil || port < 1 || port > 65535):
		return badRequest("ValidationError", "The redirect port '%s' must be from 1 to 65535 or #{port}", part("Port"))
	case part("Host") == "" || len(part("Host")) > 128:
		return badRequest("ValidationError", "The redirect host '%s' must have 1 to 128 characters", part("Host"))
	case !strings.HasPrefix(part("Path"), "/") || len(part("Path")) > 128:
		return badRequest("ValidationError", "The redirect path '%s' must begin with '/' and have up to 128 characters", part("Path"))
	case len(part("Query")) > 128 || strings.HasPrefix(part("Query"), "?"):
		return badRequest("ValidationError", "The redirect query '%s' must have up to 128 characters and not begin with '?'", part("Query"))
	}
	return nil
}

// readOIDC keeps the configuration as it came, but for the client secret: that
// is never answered, so a list that is written back takes it over by
// UseExistingClientSecret.
func readOIDC(e *element, a *action, before []action) error {
	config := e.child("AuthenticateOidcConfig")
	if err := readAuthentication(config, a, "Issuer", "AuthorizationEndpoint", "TokenEndpoint", "UserInfoEndpoint", "ClientId"); err != nil {
		return err
	}
	a.config = a.config.without("ClientSecret", "UseExistingClientSecret")
	a.secret = config.str("ClientSecret")
	if config.str("UseExistingClientSecret") == "true" {
		i := slices.IndexFunc(before, func(old action) bool { return old.kind == a.kind })
		switch {
		case a.secret != "":
			return badRequest("ValidationError", "A client secret can't be specified together with UseExistingClientSecret")
		case i < 0:
			return badRequest("ValidationError", "UseExistingClientSecret is set, but there is no existing client secret")
		}
		a.secret = before[i].secret
	}
	if a.secret == "" {
		return badRequest("ValidationError", "A client secret must be specified for actions of type 'authenticate-oidc'")
	}
	return nil
}

func readCognito(e *element, a *action) error {
	config := e.child("AuthenticateCognitoConfig")
	if err := readAuthentication(config, a, "UserPoolArn", "UserPoolClientId", "UserPoolDomain"); err != nil {
		return err
	}
	if !strings.HasPrefix(config.str("UserPoolArn"), "arn:aws:cognito-idp:") {
		return badRequest("InvalidLoadBalancerAction", "'%s' is not a valid user pool ARN", config.str("UserPoolArn"))
	}
	return nil
}

// readAuthentication reads what both ways to authenticate share, and fills in
// the defaults, which the API answers.
func readAuthentication(config *element, a *action, required ...string) error {
	for _, name := range required {
		if config.str(name) == "" {
			return badRequest("ValidationError", "The parameter '%s' must be specified for actions of type '%s'", name, a.kind)
		}
	}
	a.config = config.withDefaults(map[string]string{
		"SessionCookieName": "AWSELBAuthSessionCookie", "Scope": "openid",
		"SessionTimeout": strconv.Itoa(weekSeconds), "OnUnauthenticatedRequest": "authenticate",
	})
	if !oneOf("deny", "allow", "authenticate")(a.config.str("OnUnauthenticatedRequest")) {
		return badRequest("ValidationError", "'%s' is not a valid behavior for unauthenticated requests", a.config.str("OnUnauthenticatedRequest"))
	}
	if extra := a.config.child("AuthenticationRequestExtraParams").child("entry").inOrder(); len(extra) > 10 {
		return badRequest("ValidationError", "Up to 10 extra parameters can be specified, and %d are", len(extra))
	}
	_, err := a.config.integer("SessionTimeout", weekSeconds, 1, weekSeconds)
	return err
}
