package app

import (
	"context"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// DirectReading is what AWS says of one entrance, for people.
type DirectReading struct {
	// Entrance is its name; Err says why it is unknown, empty: it is known.
	Entrance string `json:"entrance"`
	Err      string `json:"err,omitempty"`
	// At is when it was read.
	At time.Time `json:"at,omitzero"`
	// Blue and Green are the stored weights, Share is green's in percent.
	Blue  int64 `json:"blue"`
	Green int64 `json:"green"`
	Share int   `json:"share"`
	// Mark is what the last write left, as it is stored; Owner is who else writes
	// there.
	Mark  string `json:"mark,omitempty"`
	Owner string `json:"owner,omitempty"`
	// HealthyBlue and HealthyGreen count healthy targets; nil: not known.
	HealthyBlue  *int `json:"healthyBlue"`
	HealthyGreen *int `json:"healthyGreen"`
	// TTL is how long resolvers keep an answer.
	TTL string `json:"ttl,omitempty"`
	// Notes are what else decides where users go.
	Notes []string `json:"notes,omitempty"`
}

// Readings reads a pair's entrances as the daemon does. The error is for a pair
// that isn't there.
func (d *Direct) Readings(ctx context.Context, name string) ([]DirectReading, error) {
	pair, err := d.pair(name)
	if err != nil {
		return nil, err
	}
	read := []DirectReading{}
	for _, r := range d.aws.read(ctx, planOf(d.config, pair).Entrances, shift.Watching) {
		one := DirectReading{
			Entrance: r.Name, Err: r.Err, At: r.At, Blue: int64(r.Weights.Blue), Green: int64(r.Weights.Green), Share: int(r.Share()),
			Owner: r.Owner, HealthyBlue: healthy(r.BlueTargets), HealthyGreen: healthy(r.GreenTargets), Notes: r.Notes,
		}
		if r.Mark != nil {
			one.Mark = r.Mark.String()
		}
		if r.TTL > 0 {
			one.TTL = r.TTL.String()
		}
		read = append(read, one)
	}
	return read, nil
}

func healthy(t shift.Targets) *int {
	if !t.Known {
		return nil
	}
	return &t.Healthy
}
