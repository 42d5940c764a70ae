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
	asked := &question{period: q.Period, from: from, to: to, failed: func(why string) { r.Err = why }}
	for _, g := range []Group{q.Blue, q.Green} {
		asked.series = append(asked.series, series{metric: requestCount, statistic: sum, loadBalancer: g.LoadBalancer, targetGroup: g.TargetGroup})
	}
	asked.counted = func() {
		r.From, r.To = from, to
		r.Blue, r.Green = asked.rate(0), asked.rate(1)
	}
	return asked
}

// rate gives a series' sum in each second of the time that was asked for. A
// period without a point had no requests.
func (q *question) rate(series int) float64 {
	total := 0.0
	for at := q.from; at.Before(q.to); at = at.Add(q.period) {
		total += q.series[series].points[at]
	}
	return total / q.to.Sub(q.from).Seconds()
}
