package config

// Window is a time of the week in which green may rise. Lowering green needs no window.
type Window struct {
	// Days are the days of the week: Mon, Tue, Wed, Thu, Fri, Sat, Sun. Empty is every day.
	Days []string `yaml:"days" oneof:"Mon Tue Wed Thu Fri Sat Sun"`

	// From is when it opens, as 15:04 in the timezone.
	From string `yaml:"from" required:"true"`

	// To is when it closes, as 15:04; 24:00 is the end of the day. One that lies before from is on the next day.
	To string `yaml:"to" required:"true"`

	// Timezone is a name of the IANA database, such as Asia/Tokyo.
	Timezone string `yaml:"timezone" default:"UTC"`
}

// Freeze is a range of days in which green doesn't rise.
type Freeze struct {
	// From is the first day, as 2006-01-02.
	From string `yaml:"from" required:"true"`

	// To is the last day, which is frozen too.
	To string `yaml:"to" required:"true"`

	// Timezone is a name of the IANA database, such as Asia/Tokyo.
	Timezone string `yaml:"timezone" default:"UTC"`

	// Why is said to those who ask why nothing rises.
	Why string `yaml:"why"`
}
