package aws

// callerIdentity is the answer of STS GetCallerIdentity.
type callerIdentity struct {
	Arn     string
	UserID  string `xml:"UserId"`
	Account string
}

// getCallerIdentity knows one caller, whatever the access key.
func (c *Cloud) getCallerIdentity(*request) (any, error) {
	return callerIdentity{
		Arn:     "arn:aws:iam::" + c.opts.AccountID + ":user/sandbox",
		UserID:  "AIDASANDBOXSANDBOXSB",
		Account: c.opts.AccountID,
	}, nil
}
