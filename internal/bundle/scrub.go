package bundle

import "regexp"

// gone stands where something was that may be a secret.
const gone = "[taken out]"

// shape is how a kind of secret is recognised wherever it stands.
type shape struct {
	pattern *regexp.Regexp
	instead string
}

// shapes are the forms of secrets that a log or a message might repeat although
// nothing of ours puts them there: what other programs and people write isn't ours.
func shapes() []shape {
	of := func(pattern, instead string) shape { return shape{regexp.MustCompile(pattern), instead} }
	return []shape{
		of(`(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)`, gone),
		// Tokens of EKS are presigned URLs in base64; others of Kubernetes are JSON Web Tokens.
		of(`k8s-aws-v1\.[A-Za-z0-9_-]+=*`, gone),
		of(`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`, gone),
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
		of(`\b(AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}\b`, gone),
		of(`(?i)(\b(?:bearer|basic)[ :]+)[A-Za-z0-9._~+/=-]{6,}`, "${1}"+gone),
		of(`(?i)(X-Amz-(?:Signature|Credential|Security-Token)=)[^&\s"'\\]+`, "${1}"+gone),
		// user:password@ in a URL.
		of(`(://)[^/\s"'@]+@`, "${1}"+gone+"@"),
		// A key with its value, as in an environment, JSON or YAML.
		of(`(?i)((?:secret_?access_?key|session_?token|password|passwd|client_?secret|api_?key|authorization|"?token"?)\\?["']?\s*[:=]\s*\\?["']?)[^\s"'\\,;}]{4,}`, "${1}"+gone),
	}
}

// scrub takes out of a text what looks like a secret, and counts it.
func scrub(content []byte) (clean []byte, found int) {
	for _, s := range shapes() {
		content = s.pattern.ReplaceAllFunc(content, func(match []byte) []byte {
			found++
			return s.pattern.ReplaceAll(match, []byte(s.instead))
		})
	}
	return content, found
}
