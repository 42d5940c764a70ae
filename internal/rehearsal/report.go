package rehearsal

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/evidence"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Report is a rehearsal with what its gates can tell.
type Report struct {
	Pair      string
	Start     time.Time
	Entrances []Stands
	Rehearsal Rehearsal
	Gates     []Gate
	Finds     []Finds
	// Warnings are sentences about what a person should change before the shift.
	Warnings []string
}

// Stands is how an entrance stands now.
type Stands struct {
	Name string
	// Share is green's, where Err is empty.
	Share shift.Share
	TTL   time.Duration
	Err   string
}

// Gate is what a request gate knows of blue.
type Gate struct {
	Name    string
	Profile evidence.Profile
	// Err says why blue could not be measured.
	Err string
}

// Asked says what a report is made of.
type Asked struct {
	Options
	// Faults say why a request gate has no profile, by its name.
	Faults map[string]string
}

// Reckon makes the report.
func Reckon(a Asked) Report {
	r := Report{Pair: a.Plan.Pair, Start: a.Start, Rehearsal: Rehearse(a.Options)}
	for _, e := range a.Entrances {
		r.Entrances = append(r.Entrances, Stands{Name: e.Name, Share: e.Share(), TTL: e.TTL, Err: e.Err})
		switch {
		case e.Err != "":
			r.warnf("entrance %s can't be read: %s", e.Name, e.Err)
		case e.Share() > 0:
			r.warnf("entrance %s gives green %s now; a shift starts only while blue has all", e.Name, e.Share())
		}
	}
	for _, g := range a.Plan.Gates.Requests {
		p, known := a.Profiles[g.Name]
		if !known {
			r.Gates = append(r.Gates, Gate{Name: g.Name, Err: a.Faults[g.Name]})
			r.warnf("gate %s: blue can't be measured (%s); no shift gets beyond 0 %% until it can", g.Name, a.Faults[g.Name])
			continue
		}
		r.Gates = append(r.Gates, Gate{Name: g.Name, Profile: p})
		if p.Short != "" {
			r.warnf("gate %s: %s; until then it takes much scatter for granted, and is slow", g.Name, p.Short)
		}
		found := find(shift.EvidenceSettings(a.Plan, a.Plan.Steps, g), g.Name, p, a.Plan.Steps)
		for _, f := range found {
			r.slow(f)
		}
		r.Finds = append(r.Finds, found...)
	}
	if len(a.Plan.Gates.Requests) == 0 {
		r.warnf("no gate counts users' requests on both sides, so that nothing can be said about which faults are found; add a gate of the kind requests")
	}
	if r.Rehearsal.Stuck != "" {
		r.warnf("the shift doesn't end: %s", r.Rehearsal.Stuck)
	}
	return r
}

func (r *Report) warnf(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

// slow warns of a step that can't be decided within its hold.
func (r *Report) slow(f Finds) {
	switch {
	case !f.Fine.Found:
		r.warnf("step %d: gate %s doesn't pass within %s at %s, so the shift stays there; give green more at this step, or the gate a maxErrorRatio", f.Step, f.Gate, farthest, f.Share)
	case f.Fine.After > f.Hold:
		r.warnf("step %d: gate %s needs about %s to pass at %s, longer than the hold of %s, so the step takes that long", f.Step, f.Gate, f.Fine.After, f.Share, f.Hold)
	}
	if hold := max(f.Hold, f.Fine.After); !f.Five.Found || f.Five.After > hold {
		r.warnf("step %d: five times blue's errors are not found within the %s that %s is held; only what is worse goes back by itself there", f.Step, hold, f.Share)
	}
}

type jsonFound struct {
	After    string  `json:"after,omitempty"` // empty: not within a day
	Requests float64 `json:"requests,omitempty"`
}

func foundJSON(e evidence.Expected) jsonFound {
	if !e.Found {
		return jsonFound{}
	}
	return jsonFound{After: e.After.String(), Requests: e.Requests}
}

// JSON writes the report for programs. Keys are only ever added.
func (r Report) JSON() ([]byte, error) {
	type scene struct {
		At      time.Time `json:"at"`
		After   string    `json:"after"`
		Phase   string    `json:"phase"`
		Share   int       `json:"share"`
		Reason  string    `json:"reason"`
		Message string    `json:"message"`
		Writes  []string  `json:"writes,omitempty"`
	}
	type entrance struct {
		Name  string `json:"name"`
		Share *int   `json:"share,omitempty"`
		TTL   string `json:"ttl,omitempty"`
		Error string `json:"error,omitempty"`
	}
	type gate struct {
		Name    string            `json:"name"`
		Profile *evidence.Profile `json:"profile,omitempty"`
		Error   string            `json:"error,omitempty"`
	}
	type finds struct {
		Gate  string    `json:"gate"`
		Step  int       `json:"step"`
		Share int       `json:"share"`
		Hold  string    `json:"hold"`
		Rate  float64   `json:"requestsPerSecond"`
		Fine  jsonFound `json:"fine"`
		Twice jsonFound `json:"twice"`
		Five  jsonFound `json:"fiveTimes"`
		Point jsonFound `json:"onePoint"`
	}
	document := struct {
		Pair      string     `json:"pair"`
		Start     time.Time  `json:"start"`
		Standby   bool       `json:"reachesStandby"`
		Entrances []entrance `json:"entrances"`
		Scenes    []scene    `json:"scenes"`
		Gates     []gate     `json:"gates"`
		Finds     []finds    `json:"finds"`
		Warnings  []string   `json:"warnings"`
	}{Pair: r.Pair, Start: r.Start, Standby: r.Rehearsal.Standby, Warnings: r.Warnings}
	for _, e := range r.Entrances {
		one := entrance{Name: e.Name, Error: e.Err}
		if e.Err == "" {
			one.Share, one.TTL = new(int(e.Share)), e.TTL.String()
		}
		document.Entrances = append(document.Entrances, one)
	}
	for _, s := range r.Rehearsal.Scenes {
		document.Scenes = append(document.Scenes, scene{
			At: s.At, After: s.At.Sub(r.Start).String(), Phase: string(s.Phase), Share: int(s.Share),
			Reason: string(s.Reason), Message: s.Message, Writes: s.Writes,
		})
	}
	for _, g := range r.Gates {
		one := gate{Name: g.Name, Error: g.Err}
		if g.Err == "" {
			one.Profile = &g.Profile
		}
		document.Gates = append(document.Gates, one)
	}
	for _, f := range r.Finds {
		document.Finds = append(document.Finds, finds{
			f.Gate, f.Step, int(f.Share), f.Hold.String(), f.Rate,
			foundJSON(f.Fine), foundJSON(f.Twice), foundJSON(f.Five), foundJSON(f.Point),
		})
	}
	return json.MarshalIndent(document, "", "  ")
}
