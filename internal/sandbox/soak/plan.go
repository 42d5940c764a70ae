package soak

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/line"
)

// story is what a run is about.
type story string

const (
	// toTheEnd goes to 100 %, whatever breaks on the way.
	toTheEnd story = "completion"
	// byFlag: a person sets the rollback flag in the custom resource.
	byFlag story = "rollback"
	// apiAway: the management API is away for the whole of a rollback. The person sets
	// the flag in the configuration and runs rollback --direct for the load balancer.
	apiAway story = "rollback without the management API"
	// byUsers: green begins to fail, and the daemon goes back by itself.
	byUsers story = "green fails"
)

// stories are dealt out in this order, so that each range of seeds has all of them.
func stories() []story {
	return []story{toTheEnd, byFlag, apiAway, toTheEnd, byFlag, byUsers, byFlag, toTheEnd, apiAway, byFlag}
}

// term is the timing of the daemons' lease.
type term struct{ Lease, Renew, Retry time.Duration }

// usualTerm is what daemons have that are told nothing, longTerm the longest lease that
// they take. One run in five has that.
func usualTerm() term {
	return term{Lease: 15 * time.Second, Renew: 10 * time.Second, Retry: 2 * time.Second}
}

func longTerm() term {
	return term{Lease: 26 * time.Second, Renew: 20 * time.Second, Retry: time.Second}
}

// kind is what a fault does.
type kind string

const (
	crash     kind = "kill -9"
	freeze    kind = "SIGSTOP"
	apiCrash  kind = "API server killed"
	apiFreeze kind = "API server stands still"
	lineFault kind = "connection"
	awsFault  kind = "AWS"
)

// Who is hit by a fault of processes or connections.
const (
	leader  = "the leader"
	standby = "the standby"
	both    = "both"
)

// Where the connections of a daemon lead.
const (
	toManagement = "management"
	toBlue       = "blue"
	toGreen      = "green"
	toAWS        = "AWS"
)

// fault is one thing that breaks.
type fault struct {
	Kind kind
	// At is when, after the daemons' start.
	At time.Duration
	// OnWrite instead: while the leader's write of that number since At is under way;
	// 0: at At. Before it is carried out, or right After.
	OnWrite int
	After   bool
	// For is how long it lasts.
	For time.Duration
	// Who: leader, standby or both.
	Who   string
	To    string
	State line.State
	AWS   aws.Fault
}

func (f fault) String() string {
	when := fmt.Sprintf("at %.1fs", f.At.Seconds())
	if f.OnWrite > 0 {
		when = fmt.Sprintf("from %.1fs on, before write %d", f.At.Seconds(), f.OnWrite)
		if f.After {
			when = fmt.Sprintf("from %.1fs on, after write %d", f.At.Seconds(), f.OnWrite)
		}
	}
	var what []string
	switch f.Kind {
	case lineFault:
		what = []string{f.Who, "to", f.To, f.State.String()}
	case awsFault:
		what = []string{string(f.AWS.Service), f.AWS.Operation, faultName(f.AWS.Kind)}
		if f.AWS.Times > 0 {
			what = append(what, fmt.Sprintf("%d times", f.AWS.Times))
		}
		if f.AWS.Delay > 0 {
			what = append(what, fmt.Sprintf("of %.1fs", f.AWS.Delay.Seconds()))
		}
	case apiCrash, apiFreeze:
	default:
		what = []string{f.Who}
	}
	return fmt.Sprintf("%s: %s %s for %.1fs", when, f.Kind, strings.Join(what, " "), f.For.Seconds())
}

func faultName(k aws.FaultKind) string {
	for name, other := range awsFaults() {
		if other == k {
			return name
		}
	}
	return fmt.Sprint(int(k))
}

func awsFaults() map[string]aws.FaultKind {
	return map[string]aws.FaultKind{
		"throttles": aws.Throttle, "answers 500": aws.ServerError, "answers 503": aws.ServiceUnavailable,
		"is busy": aws.PriorRequestNotComplete, "loses answers": aws.LostReply, "loses requests": aws.LostRequest,
		"is late": aws.Delay, "is slow to spread": aws.SlowSync, "answers what was": aws.StaleReads, "says expired": aws.ExpiredCredentials,
	}
}

// plan is what happens in one run. It follows from the seed alone.
type plan struct {
	seed  uint64
	story story
	term  term
	// late: AWS carries out what was sent, although nobody waits for it any more.
	late bool
	// Of a rollback: once green has this share at an entrance, and so much later.
	share int
	later time.Duration
	// lapse is how long the management API is away before a person asks.
	lapse  time.Duration
	faults []fault
}

// steps are the shares of each run.
func steps() []int { return []int{10, 50, 100} }

// stormy is how long faults begin.
const stormy = 16 * time.Second

func draw(seed uint64) plan {
	dice := rand.New(rand.NewPCG(seed, 0x50a4)) //nolint:gosec // the same run each time
	all := stories()
	p := plan{seed: seed, story: all[int(seed%uint64(len(all)))], term: usualTerm(), late: dice.IntN(2) == 0}
	if seed%5 == 4 {
		p.term = longTerm()
	}
	p.share = append([]int{0}, steps()...)[dice.IntN(4)]
	p.later = upTo(dice, 4*time.Second)
	if p.story == apiAway || p.story == byUsers {
		// There is something to go back from.
		p.share = steps()[dice.IntN(3)]
	}
	if p.story == apiAway && dice.IntN(2) == 0 {
		p.lapse = p.term.Lease + time.Second // nobody holds the lease any more
	}
	for range 2 + dice.IntN(4) {
		p.faults = append(p.faults, p.drawFault(dice))
	}
	return p
}

func upTo(dice *rand.Rand, d time.Duration) time.Duration {
	return time.Duration(dice.Int64N(int64(d))).Truncate(time.Millisecond)
}

func (p plan) drawFault(dice *rand.Rand) fault {
	f := fault{At: upTo(dice, stormy), Who: []string{leader, leader, leader, standby, both}[dice.IntN(5)]}
	if p.story == apiAway {
		// Who is in charge must know it when the API goes: that is the promise.
		f.Who = standby
		if dice.IntN(2) == 0 {
			return p.drawAWS(dice, f)
		}
		return p.drawProcess(dice, f)
	}
	switch dice.IntN(20) {
	case 0, 1, 2, 3, 4, 5, 6, 7:
		return p.drawProcess(dice, f)
	case 8:
		f.Kind, f.For, f.Who = apiCrash, upTo(dice, 4*time.Second), ""
		return f
	case 9, 10:
		f.Kind, f.For, f.Who = apiFreeze, time.Second+upTo(dice, 8*time.Second), ""
		return f
	case 11, 12, 13, 14, 15:
		f.Kind, f.For = lineFault, time.Second+upTo(dice, 9*time.Second)
		f.To = []string{toManagement, toManagement, toAWS, toAWS, toBlue, toGreen}[dice.IntN(6)]
		f.State = []line.State{line.Cut, line.Mute, line.Deaf, line.Silent}[dice.IntN(4)]
		return f
	default:
		return p.drawAWS(dice, f)
	}
}

func (p plan) drawProcess(dice *rand.Rand, f fault) fault {
	f.Kind, f.For = crash, upTo(dice, 5*time.Second)
	if dice.IntN(2) == 0 {
		// Beyond the lease, often.
		f.Kind, f.For = freeze, time.Second/2+upTo(dice, p.term.Lease*3/2)
	}
	if f.Who == leader && dice.IntN(2) == 0 {
		f.OnWrite, f.After = 1+dice.IntN(2), dice.IntN(2) == 0
	}
	return f
}

func (p plan) drawAWS(dice *rand.Rand, f fault) fault {
	f.Kind, f.Who, f.For = awsFault, "", time.Second+upTo(dice, 6*time.Second)
	service := []aws.Service{aws.Route53, aws.ELB}[dice.IntN(2)]
	write := map[aws.Service]string{aws.Route53: "ChangeResourceRecordSets", aws.ELB: "ModifyRule"}[service]
	f.AWS = aws.Fault{Service: service}
	switch dice.IntN(10) {
	case 0, 1:
		f.AWS.Kind = aws.Throttle
	case 2:
		f.AWS.Kind = []aws.FaultKind{aws.ServerError, aws.ServiceUnavailable}[dice.IntN(2)]
	case 3, 4:
		f.AWS.Kind, f.AWS.Operation, f.AWS.Times = aws.LostReply, write, 1
	case 5:
		f.AWS.Kind, f.AWS.Operation, f.AWS.Times = aws.LostRequest, write, 1+dice.IntN(2)
	case 6, 7:
		// No longer than a write may be on its way.
		f.AWS.Kind, f.AWS.Operation, f.AWS.Times, f.AWS.Delay = aws.Delay, write, 1, time.Second+upTo(dice, 7*time.Second)
	case 8:
		f.AWS = aws.Fault{Service: aws.Route53, Kind: aws.PriorRequestNotComplete, Operation: "ChangeResourceRecordSets", Times: 1 + dice.IntN(3)}
	default:
		f.AWS = aws.Fault{Service: aws.ELB, Kind: aws.StaleReads, Delay: 2 * time.Second}
	}
	return f
}
