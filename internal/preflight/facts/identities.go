package facts

// Identities is how pods of an EKS cluster get their rights at AWS.
type Identities struct {
	// Issuer is the OIDC issuer of the cluster's tokens, without https://; empty:
	// EKS didn't tell, or it isn't an EKS cluster.
	Issuer string
	// Pods has the role's ARN of each Pod Identity association, by the
	// ServiceAccount. PodsKnown: EKS told of all.
	Pods      map[Name]string
	PodsKnown bool
	// Accounts has the ServiceAccounts by the ARN of the role that they are
	// annotated with (eks.amazonaws.com/role-arn).
	Accounts map[string][]Name
	// Trusts has what the annotated roles trust, by their ARN. A role with a gap
	// has no entry. Of blue it is not read.
	Trusts map[string]Trust
}

// Trust is whose tokens a role takes.
type Trust struct {
	// Issuers are the OIDC issuers that it names, without https://, sorted.
	Issuers []string
}
