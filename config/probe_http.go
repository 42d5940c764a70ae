package config

// HTTPProbe asks a URL, or one path after the other. Redirects are not followed: the answer itself is judged.
type HTTPProbe struct {
	// URL is an http or https address. With steps it is the scheme and the host alone.
	URL string `yaml:"url" required:"true"`

	// BlueURL is the same for blue. It is asked all the time: standby doesn't end while it fails, and the planned way back
	// waits for it. Empty doesn't probe blue.
	BlueURL string `yaml:"blueURL"`

	// Host replaces the Host header, to ask for the users' name at an internal address, on both sides.
	Host string `yaml:"host" derived:"the URL's host"`

	// ServerName is the name the certificate is asked and checked for (SNI), on both sides. It needs an https URL.
	ServerName string `yaml:"serverName" derived:"host's name, else the URL's"`

	// Method is the request's method.
	Method string `yaml:"method" default:"GET" oneof:"GET HEAD OPTIONS POST"`

	// Headers are sent with the request, to both sides; with steps, with each of them.
	Headers map[string]string `yaml:"headers"`

	// Body is sent with a POST request. Its type is the header Content-Type, else application/json where it begins with { or [,
	// else application/x-www-form-urlencoded.
	Body string `yaml:"body"`

	// CAFile is a file with the certificates, in PEM, that the server's is checked by. Empty takes those of the system. This
	// file and the next two are read anew for each run, so that rotated ones are taken over. They need an https URL.
	CAFile string `yaml:"caFile"`

	// CertFile is a file with a client certificate, in PEM, for a server that asks for one. It needs keyFile.
	CertFile string `yaml:"certFile"`

	// KeyFile is a file with the client certificate's key, in PEM.
	KeyFile string `yaml:"keyFile"`

	// InsecureSkipVerify takes any certificate, on both sides. It needs an https URL.
	InsecureSkipVerify bool `yaml:"insecureSkipVerify"`

	// SecretFiles name files, each with one line, which stands for ${NAME} in headers, body and steps: {password: /etc/probe/password}.
	// They are read anew for each run, and are never shown in an error.
	SecretFiles map[string]string `yaml:"secretFiles"`

	// Steps are requests that are sent one after the other instead of a single one, such as log in, then read. Cookies are
	// kept from one to the next, and forgotten after the last. timeout and latency are for all of them together.
	Steps []HTTPStep `yaml:"steps"`

	// Expect says which answer is good.
	Expect Expect `yaml:"expect"`
}

// HTTPStep is one request of a sequence. In its path, its headers and its body, ${NAME} stands for a secret or for what an
// earlier step extracted, escaped as a URL, a form or JSON needs it; $${NAME} stands for ${NAME} itself.
type HTTPStep struct {
	// Name tells the step apart within its probe, and is told when it fails. It is a DNS label.
	Name string `yaml:"name" required:"true"`

	// Path is asked for, with its query if any.
	Path string `yaml:"path" required:"true"`

	// Method is the request's method.
	Method string `yaml:"method" default:"GET" oneof:"GET HEAD OPTIONS POST"`

	// Headers are sent with the request. They go before those of the probe.
	Headers map[string]string `yaml:"headers"`

	// Body is sent with a POST request; its type is found as that of the probe's body.
	Body string `yaml:"body"`

	// Extract takes values from the answer, for later steps. Each is one line of up to 8 KiB.
	Extract []ProbeExtract `yaml:"extract"`

	// Expect says which answer is good.
	Expect Expect `yaml:"expect"`
}

// ProbeExtract names a value of an answer. It has exactly one of json, header and regexp.
type ProbeExtract struct {
	// Name stands for the value, as ${NAME}, in the steps that follow: letters, digits and _.
	Name string `yaml:"name" required:"true"`

	// JSON leads to a text, number or truth in the body: keys, and places in lists from 0, joined by dots: items.0.id.
	JSON string `yaml:"json"`

	// Header is the name of a header.
	Header string `yaml:"header"`

	// Regexp is a regular expression, in the syntax of Go, with a group: the group's text is taken where the body matches
	// first. Like expect, it sees the first 64 KiB.
	Regexp string `yaml:"regexp"`
}
