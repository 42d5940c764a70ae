package aws

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// SetTrust sets the trust policy that GetRole answers for a role of AddRole. It
// decides nothing: everybody may assume the role. The error says that the role
// isn't declared, or that the document is no JSON.
func (c *Cloud) SetTrust(roleARN, document string) error {
	i := c.identities
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.roles[roleARN] == "" || !json.Valid([]byte(document)) {
		return fmt.Errorf("setting the trust policy of %s: the role must be declared, and the policy be JSON", roleARN)
	}
	i.trusts[roleARN] = document
	return nil
}

// iamRole is the answer of IAM GetRole.
type iamRole struct {
	Path       string `xml:"Role>Path"`
	RoleName   string `xml:"Role>RoleName"`
	RoleID     string `xml:"Role>RoleId"`
	Arn        string `xml:"Role>Arn"`
	CreateDate string `xml:"Role>CreateDate"`
	Trust      string `xml:"Role>AssumeRolePolicyDocument"`
}

// getRole finds a role of the caller's account by its name, whatever its path.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html
func (c *Cloud) getRole(req *request) (any, error) {
	name := req.form.str("RoleName")
	i := c.identities
	i.mu.Lock()
	defer i.mu.Unlock()
	for arn, id := range i.roles {
		path, found := strings.CutSuffix(arn, "/"+name)
		if !found || name == "" || strings.Contains(name, "/") || strings.Split(arn, ":")[4] != req.caller.account {
			continue
		}
		_, below, _ := strings.Cut(path+"/", ":role/")
		trust := i.trusts[arn]
		if trust == "" {
			trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`
		}
		return iamRole{
			Path: "/" + below, RoleName: name, RoleID: id, Arn: arn,
			CreateDate: i.opts.Now().UTC().Format(time.RFC3339), Trust: strings.ReplaceAll(url.QueryEscape(trust), "+", "%20"),
		}, nil
	}
	return nil, refusal(http.StatusNotFound, "NoSuchEntity", "The role with name %s cannot be found.", name)
}
