package awscontract

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	sdkroute53 "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/internal/route53"
	sandbox "github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// shape is what the weighted records of an entrance are like.
type shape struct {
	name  string
	types []string
	names int // of one entrance; 0: one
	// member makes one member's record of a type, without its weight.
	member func(z *zone, typ, id string) types.ResourceRecordSet
	third  bool // there is a third member
}

func shapes() []shape {
	return []shape{
		{name: "A", types: []string{"A"}, member: values},
		{name: "A and AAAA", types: []string{"A", "AAAA"}, member: values},
		{name: "CNAME", types: []string{"CNAME"}, member: values},
		{name: "alias", types: []string{"A", "AAAA"}, member: alias},
		{name: "health-checked", types: []string{"A", "AAAA"}, member: checked},
		{name: "third member", types: []string{"A"}, member: values, third: true},
		{name: "many names", types: []string{"A"}, member: values, names: 180},
	}
}

func shapeOf(name string) shape {
	for _, s := range shapes() {
		if s.name == name {
			return s
		}
	}
	panic("no shape is named " + name)
}

// values is a record that has its values itself.
func values(_ *zone, typ, id string) types.ResourceRecordSet {
	value := map[string]string{
		"A blue": "192.0.2.1", "A green": "192.0.2.2", "A canary": "192.0.2.3",
		"AAAA blue": "2001:db8::1", "AAAA green": "2001:db8::2",
		"CNAME blue": "blue.lb.example.net", "CNAME green": "green.lb.example.net",
	}[typ+" "+id]
	return types.ResourceRecordSet{
		Type: types.RRType(typ), SetIdentifier: &id, TTL: sdk.Int64(60),
		ResourceRecords: []types.ResourceRecord{{Value: &value}},
	}
}

func alias(z *zone, typ, id string) types.ResourceRecordSet {
	return types.ResourceRecordSet{Type: types.RRType(typ), SetIdentifier: &id, AliasTarget: &types.AliasTarget{
		HostedZoneId: &z.id, DNSName: sdk.String("lb-" + id + ".example.com."), EvaluateTargetHealth: id == "blue",
	}}
}

func checked(z *zone, typ, id string) types.ResourceRecordSet {
	r := values(z, typ, id)
	if id == "green" {
		r.HealthCheckId = &z.check
	}
	return r
}

// zone is the setting of Route 53.
type zone struct {
	stage  *stage
	config func(role string) sdk.Config
	api    *sdkroute53.Client // aside
	id     string
	check  string // id of a health check

	subjects []*subject
	shape    shape
}

// newZone has a zone with the subjects' records, and others that nobody may touch.
func newZone(t *testing.T, kind shape, marked bool, subjects ...*subject) *scene {
	st := newStage(t, sandbox.Options{Propagation: 30 * time.Second})
	z := zoneOn(t, st, kind, marked, subjects...)
	s := &scene{stage: st, setting: z, service: sandbox.Route53, writes: "ChangeResourceRecordSets", reads: "ListResourceRecordSets", subjects: subjects}
	if err := s.begin(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute) // all of it is INSYNC by now
	return s
}

func zoneOn(t *testing.T, st *stage, kind shape, marked bool, subjects ...*subject) *zone {
	z := &zone{stage: st, config: st.sessions(t), api: sdkroute53.NewFromConfig(st.aside), subjects: subjects, shape: kind}
	made, err := z.api.CreateHostedZone(t.Context(), &sdkroute53.CreateHostedZoneInput{Name: sdk.String("example.com"), CallerReference: sdk.String("it")})
	if err != nil {
		t.Fatal(err)
	}
	z.id = strings.TrimPrefix(*made.HostedZone.Id, "/hostedzone/")
	checked, err := z.api.CreateHealthCheck(t.Context(), &sdkroute53.CreateHealthCheckInput{CallerReference: sdk.String("it"), HealthCheckConfig: &types.HealthCheckConfig{
		Type: types.HealthCheckTypeHttp, IPAddress: sdk.String("192.0.2.2"), ResourcePath: sdk.String("/healthz"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	z.check = *checked.HealthCheck.Id
	z.fill(t, marked)
	return z
}

func (z *zone) fill(t *testing.T, marked bool) {
	others := []types.ResourceRecordSet{
		named("lb-blue.example.com", values(z, "A", "blue")), named("lb-green.example.com", values(z, "A", "green")),
		named("lb-blue.example.com", values(z, "AAAA", "blue")), named("lb-green.example.com", values(z, "AAAA", "green")),
		named("example.com", types.ResourceRecordSet{Type: "TXT", TTL: sdk.Int64(60), ResourceRecords: []types.ResourceRecord{{Value: sdk.String(`"v=spf1 -all"`)}}}),
	}
	for i := range others {
		others[i].SetIdentifier = nil
	}
	z.upsert(t, append(others, weigh(named("other.example.com", values(z, "A", "blue")), 70), weigh(named("other.example.com", values(z, "A", "green")), 30)))
	for _, sub := range z.subjects {
		e := &shift.Route53Entrance{HostedZoneID: z.id, Types: z.shape.types, BlueSetIdentifier: "blue", GreenSetIdentifier: "green", Mark: marked}
		sub.Route53 = e
		for i := range max(1, z.shape.names) {
			name := sub.Name + ".example.com"
			if i > 0 {
				name = fmt.Sprintf("%s-%d.example.com", sub.Name, i)
			}
			e.Names = append(e.Names, name)
			z.fillName(t, sub, name, marked && len(z.shape.types) > 1)
		}
	}
}

// fillName makes one name's group, and the mark that the daemon left beside it.
func (z *zone) fillName(t *testing.T, sub *subject, name string, marked bool) {
	var sets []types.ResourceRecordSet
	var line []string
	weights := sub.from.Weights()
	for _, typ := range z.shape.types {
		line = append(line, name+" "+typ)
		sets = append(sets, weigh(named(name, z.shape.member(z, typ, "blue")), weights.Blue), weigh(named(name, z.shape.member(z, typ, "green")), weights.Green))
		if z.shape.third {
			sets = append(sets, weigh(named(name, z.shape.member(z, typ, "canary")), 5))
		}
	}
	sub.groups = append(sub.groups, line)
	if marked {
		sets = append(sets, markSet(name, earlier(sub.from)))
	}
	z.upsert(t, sets)
}

// earlier is the mark that this daemon left when it last wrote.
func earlier(share shift.Share) shift.Mark {
	return shift.Mark{Attempt: 1, Epoch: ourEpoch, Version: 1, Phase: shift.Shifting, Share: share}
}

func markSet(name string, m shift.Mark) types.ResourceRecordSet {
	return named(shift.Route53Entrance{}.MarkName(name), types.ResourceRecordSet{
		Type: "TXT", TTL: sdk.Int64(60), ResourceRecords: []types.ResourceRecord{{Value: sdk.String(`"` + m.String() + `"`)}},
	})
}

func named(name string, r types.ResourceRecordSet) types.ResourceRecordSet {
	r.Name = &name
	return r
}

func weigh(r types.ResourceRecordSet, weight int) types.ResourceRecordSet {
	r.Weight = sdk.Int64(int64(weight))
	return r
}

func (z *zone) upsert(t *testing.T, sets []types.ResourceRecordSet) {
	var changes []types.Change
	for _, s := range sets {
		changes = append(changes, types.Change{Action: types.ChangeActionUpsert, ResourceRecordSet: &s})
	}
	if err := z.change(changes); err != nil {
		t.Fatal(err)
	}
}

func (z *zone) change(changes []types.Change) error {
	_, err := z.api.ChangeResourceRecordSets(context.Background(), &sdkroute53.ChangeResourceRecordSetsInput{
		HostedZoneId: &z.id, ChangeBatch: &types.ChangeBatch{Changes: changes},
	})
	return err
}

func (z *zone) list() ([]types.ResourceRecordSet, error) {
	var all []types.ResourceRecordSet
	in := &sdkroute53.ListResourceRecordSetsInput{HostedZoneId: &z.id}
	for {
		out, err := z.api.ListResourceRecordSets(context.Background(), in)
		if err != nil {
			return nil, err
		}
		all = append(all, out.ResourceRecordSets...)
		if !out.IsTruncated {
			return all, nil
		}
		in.StartRecordName, in.StartRecordType, in.StartRecordIdentifier = out.NextRecordName, out.NextRecordType, out.NextRecordIdentifier
	}
}

func (z *zone) look() (sight, error) {
	sets, err := z.list()
	if err != nil {
		return sight{}, err
	}
	now := sight{weights: map[string]shift.Weights{}, marks: map[string]string{}, rest: map[string]string{}}
	groups, marks := map[string]bool{}, map[string]string{}
	for _, sub := range z.subjects {
		for _, group := range sub.all() {
			groups[group] = true
		}
		for _, name := range sub.Route53.Names {
			marks[sub.Route53.MarkName(name)+"."] = sub.Name
		}
	}
	for _, r := range sets {
		group := strings.TrimSuffix(*r.Name, ".") + " " + string(r.Type)
		if of, ok := marks[*r.Name]; ok && r.Type == "TXT" {
			now.marks[of] = strings.Trim(*r.ResourceRecords[0].Value, `"`)
			continue
		}
		id := sdk.ToString(r.SetIdentifier)
		if groups[group] && (id == "blue" || id == "green") {
			w := now.weights[group]
			if id == "blue" {
				w.Blue = int(*r.Weight)
			} else {
				w.Green = int(*r.Weight)
			}
			now.weights[group] = w
			r.Weight = nil
		}
		text, err := json.Marshal(r)
		if err != nil {
			return sight{}, err
		}
		now.rest[group+" "+id] = string(text)
	}
	return now, nil
}

// edit changes the first subject's records.
func (z *zone) edit(what foreign) error {
	sub := z.subjects[0]
	sets, err := z.list()
	if err != nil {
		return err
	}
	if what.mark != nil {
		return z.change([]types.Change{{Action: types.ChangeActionUpsert, ResourceRecordSet: new(markSet(sub.Route53.Names[0], *what.mark))}})
	}
	var changes []types.Change
	for _, r := range sets {
		id := sdk.ToString(r.SetIdentifier)
		name := strings.TrimSuffix(*r.Name, ".")
		ours := r.Type != types.RRTypeTxt && (id == "blue" || id == "green") && slices.Contains(sub.Route53.Names, name)
		if !ours || what.apart && string(r.Type) != z.shape.types[0] {
			continue
		}
		if what.remove {
			if id == "green" {
				changes = append(changes, types.Change{Action: types.ChangeActionDelete, ResourceRecordSet: &r})
			}
			continue
		}
		weights := what.share.Weights()
		r.Weight = sdk.Int64(int64(map[string]int{"blue": weights.Blue, "green": weights.Green}[id]))
		changes = append(changes, types.Change{Action: types.ChangeActionUpsert, ResourceRecordSet: &r})
	}
	if len(changes) == 0 {
		return errors.New("there is nothing to edit")
	}
	return z.change(changes)
}

func (z *zone) adapter() adapter {
	return route53.New(route53.Options{API: sdkroute53.NewFromConfig(z.config(""))})
}

// forgetMarks takes away the marks that an earlier daemon left.
func (z *zone) forgetMarks(t *testing.T) {
	var changes []types.Change
	for _, sub := range z.subjects {
		for _, name := range sub.Route53.Names {
			changes = append(changes, types.Change{Action: types.ChangeActionDelete, ResourceRecordSet: new(markSet(name, earlier(sub.from)))})
		}
	}
	if err := z.change(changes); err != nil {
		t.Fatal(err)
	}
}
