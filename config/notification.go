package config

// Notification says who is told of what happens to pairs: a URL that takes CloudEvents, or one that takes Slack's format. News is
// tried for 15 minutes and never holds anything up. Kubernetes Events of the TrafficSwitch are written besides, always.
type Notification struct {
	// Name names it in logs and metrics.
	Name string `yaml:"name" required:"true"`

	// Format is cloudevents, which is CloudEvents 1.0 as JSON; or slack, which Slack, Mattermost and others take.
	Format string `yaml:"format" required:"true" oneof:"cloudevents slack"`

	// URL is posted to. A URL that is a secret by itself, as Slack's are, belongs into a file.
	URL string `yaml:"url"`

	// URLFile is a file that holds the URL, read anew for each message.
	URLFile string `yaml:"urlFile"`

	// SecretFile is a file with the secret that messages are signed by, as those of a webhook gate are. Only with cloudevents.
	SecretFile string `yaml:"secretFile"`

	// Severity is the least that is told: info is every step; warning is rollbacks and what waits for over 5 minutes; critical is
	// what needs a person.
	Severity string `yaml:"severity" default:"warning" oneof:"info warning critical"`

	// Pairs are the names of those that are told of. Empty is all.
	Pairs []string `yaml:"pairs"`
}
