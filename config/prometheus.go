package config

import (
	"time"

	"github.com/clusterswitch/clusterswitch/internal/reach"
)

// Prometheus says how the HTTP API of a Prometheus is reached, or of what speaks it: Thanos, Mimir, VictoriaMetrics. Secrets
// are read from files, anew for each request, so that a rotated one is taken over.
type Prometheus struct {
	// URL is the server's address; /api/v1 is appended.
	URL string `yaml:"url" required:"true"`

	// BearerTokenFile is a file with the token that is sent. Empty sends none.
	BearerTokenFile string `yaml:"bearerTokenFile"`

	// BasicAuth is the user that is sent, instead of a token.
	BasicAuth *BasicAuth `yaml:"basicAuth"`

	// CAFile is a file with the certificates, in PEM, that the server's certificate is checked by. Empty takes those of the
	// system. It needs an https URL.
	CAFile string `yaml:"caFile"`

	// ServerName is the name the certificate is asked and checked for (SNI). It needs an https URL.
	ServerName string `yaml:"serverName" derived:"the URL's"`

	// InsecureSkipVerify takes any certificate. It needs an https URL.
	InsecureSkipVerify bool `yaml:"insecureSkipVerify"`

	// Headers are sent with each request, such as X-Scope-OrgID for a tenant. Secrets don't belong here.
	Headers map[string]string `yaml:"headers"`

	// Timeout is how long one answer may take.
	Timeout time.Duration `yaml:"timeout" default:"30s" range:"1s..5m"`

	// MaxResponseMiB is how large one answer may be, in MiB.
	MaxResponseMiB int `yaml:"maxResponseMiB" default:"16" range:"1..1024"`

	// Match selects one cluster's series by their labels, such as {cluster: shop-blue}, where one server holds several
	// clusters. Empty takes all series.
	Match map[string]string `yaml:"match"`

	// Reach is made of allowLinkLocal.
	Reach reach.Policy `yaml:"-"`
}

func (Prometheus) laterKeys() map[string]string {
	return map[string]string{
		"sigv4": "signing for Amazon Managed Service for Prometheus is not supported yet; put a signing proxy before it",
	}
}

// BasicAuth is a user of HTTP's basic authentication.
type BasicAuth struct {
	// Username is the user's name, without a colon.
	Username string `yaml:"username" required:"true"`

	// PasswordFile is a file with the password.
	PasswordFile string `yaml:"passwordFile" required:"true"`
}
