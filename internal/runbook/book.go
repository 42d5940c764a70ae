package runbook

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Book is the way back of one pair, as it was known at one time.
type Book struct {
	Pair string
	// Attempt is the attempt that it was written for; 0: not known.
	Attempt int
	// At is when it was written, from what AWS showed then.
	At time.Time
	// Version is the program's.
	Version   string
	Entrances []Entrance
}

// Entrance is the part of one entrance.
type Entrance struct {
	Name string
	// What says in a few words where the entrance is at AWS.
	What string
	// RoleARN is the role that the commands need; empty: any credentials that may
	// write there.
	RoleARN string
	// Commands are lines for a shell, to be run one after the other.
	Commands []string
	// Fault says why there are no commands; empty: there are.
	Fault string
}

// Whole tells whether every entrance has its commands.
func (b Book) Whole() bool {
	return !slices.ContainsFunc(b.Entrances, func(e Entrance) bool { return e.Fault != "" })
}

// Faults names the entrances without commands, and why; empty: there are none.
func (b Book) Faults() string {
	var faults []string
	for _, e := range b.Entrances {
		if e.Fault != "" {
			faults = append(faults, fmt.Sprintf("entrance %s: %s", e.Name, e.Fault))
		}
	}
	return strings.Join(faults, "; ")
}

// Same tells whether two books tell the same, whenever they were written.
func (b Book) Same(c Book) bool {
	return b.Pair == c.Pair && b.Attempt == c.Attempt && b.Version == c.Version &&
		slices.EqualFunc(b.Entrances, c.Entrances, func(x, y Entrance) bool {
			return x.Name == y.Name && x.What == y.What && x.RoleARN == y.RoleARN && x.Fault == y.Fault && slices.Equal(x.Commands, y.Commands)
		})
}

// Markdown gives the book as people read it.
func (b Book) Markdown() string {
	var s strings.Builder
	s.WriteString(strings.NewReplacer("PAIR", b.Pair, "ATTEMPT", b.attempt(), "VERSION", b.Version, "AT", b.At.UTC().Format("2006-01-02 15:04:05 UTC")).Replace(head))
	for i, e := range b.Entrances {
		fmt.Fprintf(&s, "\n### %d. %s: %s\n\n", i+1, e.Name, e.What)
		if e.RoleARN != "" {
			fmt.Fprintf(&s, "With the credentials of %s.\n\n", e.RoleARN)
		}
		if e.Fault != "" {
			fmt.Fprintf(&s, "**There are no commands for this entrance:** %s.\n", e.Fault)
			continue
		}
		fmt.Fprintf(&s, "```sh\n%s\n```\n", strings.Join(e.Commands, "\n"))
	}
	s.WriteString(strings.ReplaceAll(tail, "PAIR", b.Pair))
	return s.String()
}

func (b Book) attempt() string {
	if b.Attempt == 0 {
		return "attempt not known"
	}
	return fmt.Sprintf("attempt %d", b.Attempt)
}

const head = `# Take PAIR back to blue by hand

For the pair PAIR, ATTEMPT. clusterswitch VERSION wrote this at AT.

The commands below give blue all traffic of PAIR and green none. They need the AWS CLI and credentials, nothing of
clusterswitch. They set both weights whatever these are by then, so running one twice does no harm.

They hold records, target groups and other actions as AWS showed them at the time above. If somebody has changed more
than weights since, compare before you run them: they would write the old values again.

## First

What does the same with more care, if it works:

1. ` + "`clusterswitch rollback PAIR`" + `: the daemon does it.
2. ` + "`clusterswitch rollback PAIR --direct`" + `: needs the configuration file and AWS credentials, not the management cluster.

Look whether blue can take the traffic: nothing here asks for that.

A daemon that runs need not be stopped, and handsOff need not be set. It doesn't fight: where it finds green set to 0 on an
entrance that had a share, that counts as a person's rollback. It takes the other entrances back too, and nothing rises
again in this attempt. What it can't see is a 0 that stood there already; so if the daemon can come back, set rollback: true
on the pair in the configuration, which also stops a shift whose first step is still to come.

## Commands

Run those of all entrances, at the same time if you can: each entrance is a way in for users, and none depends on another.
Within an entrance keep the order.
`

const tail = `
## Afterwards

- Look at the weights at AWS. Resolvers give out green's address until the records' TTL is over, connections that are open
  stay, and a load balancer's cookie keeps its client on green for as long as stickiness is on.
- ` + "`clusterswitch status PAIR`" + ` tells RolledBack once the daemon has seen it. If the attempt was complete it stays
  Completed, with the reason Drift, until a person starts a new one.
- Nothing rises again until ` + "`clusterswitch start PAIR`" + `. Take rollback: true out of the configuration before that.
`
