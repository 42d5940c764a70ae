package measure

import (
	"fmt"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// LoadQuery asks for the requests that reach blue and green.
type LoadQuery struct {
	// Name is the load's, for the reading.
	Name string
	// Blue and Green are the target groups of both sides.
	Blue, Green Group
	// Window, Period and Settle are as in Query.
	Window, Period, Settle time.Duration
}

// Group is a target group by CloudWatch's dimension values, the ends of the ARNs:
// app/NAME/ID and targetgroup/NAME/ID.
type Group struct{ LoadBalancer, TargetGroup string }

func (q LoadQuery) validate() error {
	for side, g := range map[shift.Side]Group{shift.Blue: q.Blue, shift.Green: q.Green} {
		if g.LoadBalancer == "" || g.TargetGroup == "" {
			return fmt.Errorf("load %s names no load balancer and target group of %s", q.Name, side)
		}
	}
	return q.span().validate("load " + q.Name)
}

func (q LoadQuery) span() span { return span{q.Window, q.Period, q.Settle} }

// Until is the end of the newest period that has settled by now: what is measured
// before the next one ends there too, and says nothing new.
func (q LoadQuery) Until(now time.Time) time.Time {
	_, to := q.span().between(time.Time{}, now)
	return to
}

// load makes the question of one load. nil: it can't be asked, and the reading
// says why. What users ask for doesn't depend on the share, so it is measured over
// the whole window, whenever the last step was.
func (c *CloudWatch) load(q LoadQuery, now time.Time, r *shift.LoadReading) *question {
	*r = shift.LoadReading{Name: q.Name, At: now, FreshFor: q.span().freshFor()}
	if err := q.validate(); err != nil {
		r.Err = err.Error()
		return nil
	}
	from, to := q.span().between(time.Time{}, now)
	asked := &question{period: q.Period, from: from.Add(from.Sub(to)), to: to, failed: func(why string) { r.Err = why }}
	for _, g := range []Group{q.Blue, q.Green} {
		asked.series = append(asked.series, series{metric: requestCount, statistic: sum, loadBalancer: g.LoadBalancer, targetGroup: g.TargetGroup})
	}
	asked.counted = func() {
		r.From, r.To = from, to
		r.Blue, r.Green = asked.rate(0, from, to), asked.rate(1, from, to)
		r.Past = asked.past(0, from)
	}
	return asked
}

// rate gives a series' sum in each second of some time. A period without a point had
// no requests.
func (q *question) rate(series int, from, to time.Time) float64 {
	total := 0.0
	for at := from; at.Before(to); at = at.Add(q.period) {
		total += q.series[series].points[at]
	}
	return total / to.Sub(from).Seconds()
}

// past looks at all windows before the newest, from the one that ended where that
// begins: it asked twice as far back.
func (q *question) past(series int, from time.Time) shift.LoadPast {
	window := q.to.Sub(from)
	first := q.rate(series, from.Add(-window), from)
	p := shift.LoadPast{Windows: 1, Least: first, Most: first}
	for end := from.Add(q.period); end.Before(q.to); end = end.Add(q.period) {
		one := q.rate(series, end.Add(-window), end)
		p.Windows, p.Least, p.Most = p.Windows+1, min(p.Least, one), max(p.Most, one)
	}
	return p
}
