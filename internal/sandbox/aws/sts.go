package aws

import (
	"net/http"
	"regexp"
	"strings"
	"time"
)

// Limits of a session. STS API reference, AssumeRole; a role's maximum is one
// hour unless it says otherwise, and roles here say nothing.
const (
	shortestSession = 900
	roleMaximum     = 3600
	longestSession  = 43200
)

// callerIdentity is the answer of STS GetCallerIdentity.
type callerIdentity struct {
	Arn     string
	UserID  string `xml:"UserId"`
	Account string
}

func (c *Cloud) getCallerIdentity(req *request) (any, error) {
	return callerIdentity{Arn: req.caller.arn, UserID: req.caller.userID, Account: req.caller.account}, nil
}

// assumedRole is the answer of STS AssumeRole.
type assumedRole struct {
	AccessKeyID     string `xml:"Credentials>AccessKeyId"`
	SecretAccessKey string `xml:"Credentials>SecretAccessKey"`
	SessionToken    string `xml:"Credentials>SessionToken"`
	Expiration      string `xml:"Credentials>Expiration"`
	AssumedRoleID   string `xml:"AssumedRoleUser>AssumedRoleId"`
	Arn             string `xml:"AssumedRoleUser>Arn"`
}

// assumeRole hands out temporary credentials of a declared role to everybody.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func (c *Cloud) assumeRole(req *request) (any, error) {
	role, session := req.form.str("RoleArn"), req.form.str("RoleSessionName")
	switch {
	case len(role) < 20:
		return nil, validationError("Value '%s' at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20", role)
	case !strings.HasPrefix(role, "arn:aws:iam::"):
		return nil, badRequest("ValidationError", "%s is invalid", role)
	case !regexp.MustCompile(`^[\w+=,.@-]{2,64}$`).MatchString(session):
		return nil, validationError("Value '%s' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]{2,64}", session)
	}
	for _, unknown := range []string{"Policy", "PolicyArns", "Tags", "ExternalId", "SourceIdentity", "SerialNumber", "TokenCode", "TransitiveTagKeys", "ProvidedContexts"} {
		if req.form.has(unknown) {
			return nil, badRequest("ValidationError", "The sandbox has no %s in AssumeRole", unknown)
		}
	}
	seconds, err := req.form.integer("DurationSeconds", roleMaximum, shortestSession, longestSession)
	if err != nil {
		return nil, err
	}
	if seconds > roleMaximum {
		return nil, badRequest("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	i := c.identities
	i.mu.Lock()
	defer i.mu.Unlock()
	id, known := i.roles[role]
	if !known {
		return nil, refusal(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: sts:AssumeRole on resource: %s", req.caller.arn, role)
	}
	// arn:aws:iam::ACCOUNT:role/PATH/NAME; a session's ARN lacks the path.
	account, name := strings.Split(role, ":")[4], role[strings.LastIndexByte(role, '/')+1:]
	given := &credential{
		principal: principal{account: account, arn: "arn:aws:sts::" + account + ":assumed-role/" + name + "/" + session, userID: id + ":" + session, iam: role},
		secret:    i.ids.next()[:40],
		token:     i.ids.next() + i.ids.next(),
		expires:   i.opts.Now().Add(time.Duration(seconds) * time.Second),
	}
	key := "ASIA" + i.ids.upper("")[:16]
	i.keys[key] = given
	return assumedRole{
		AccessKeyID: key, SecretAccessKey: given.secret, SessionToken: given.token,
		Expiration:    given.expires.UTC().Format(time.RFC3339),
		AssumedRoleID: given.userID, Arn: given.arn,
	}, nil
}
