package route53

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Runbook gives the AWS CLI commands that take an entrance back to blue by hand,
// whatever its weights are by then, and one that shows how it stands. They
// write every blue and green record as it was last read, with nothing but the
// weights changed, so they hold for as long as nobody changes the records'
// targets. What can't be written is named in a comment of the shell. It makes no
// call; the error says that the entrance wasn't read yet, or that nothing of it
// can be written.
func (a *Adapter) Runbook(e shift.Entrance) (commands []string, err error) {
	if e.Route53 == nil {
		return nil, fmt.Errorf("%s is not a Route 53 entrance", e.Name)
	}
	entrance := *e.Route53
	p, ok := a.zone(entrance.HostedZoneID).newest(entrance)
	if !ok {
		return nil, fmt.Errorf("the records of %s have not been read yet", e.Name)
	}
	var batches [][]types.Change
	var remarks []string
	if entrance.RoleARN != "" {
		remarks = append(remarks, "with credentials of the role "+entrance.RoleARN)
	}
	for _, s := range p.spots {
		name, faults := backToBlue(entrance, s)
		for _, fault := range faults {
			err = cmp.Or(err, fault)
			remarks = append(remarks, "left out: "+fault.Error())
		}
		if n := len(batches); n > 0 && SizeOf(batches[n-1]).Plus(SizeOf(name)).Fits() {
			batches[n-1] = append(batches[n-1], name...)
		} else if len(name) > 0 {
			batches = append(batches, name)
		}
	}
	if len(batches) == 0 {
		return nil, err
	}
	for _, b := range batches {
		command, err := changeCommand(entrance, b)
		if err != nil {
			return nil, err
		}
		commands = append(commands, command)
	}
	check, err := checkCommand(entrance)
	if err != nil {
		return nil, err
	}
	commands = append(commands, check)
	for _, remark := range slices.Backward(remarks) {
		commands[0] = "# " + remark + "\n" + commands[0]
	}
	return commands, nil
}

// newest is the newest picture of all that was read, written over or not.
func (z *zone) newest(e shift.Route53Entrance) (picture, bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	seen := map[string]sight{}
	for _, n := range namesOf(e) {
		k := z.names[n]
		if k == nil || k.seq == 0 {
			return picture{}, false
		}
		seen[n] = sight{records: k.records, began: k.began}
	}
	p, err := pictureOf(e, seen)
	return p, err == nil
}

// backToBlue gives the changes of one name that need no knowledge of the weights
// that stand there.
func backToBlue(e shift.Route53Entrance, s spot) (changes []types.Change, faults []error) {
	groups, faults := s.shiftable(e)
	back := shift.Share(0).Weights()
	for _, g := range groups {
		blue, _ := g.member(e.BlueSetIdentifier)
		green, _ := g.member(e.GreenSetIdentifier)
		blue.Weight, green.Weight = aws.Int64(int64(back.Blue)), aws.Int64(int64(back.Green))
		changes = append(changes, upsert(blue), upsert(green))
	}
	return changes, faults
}

// changeCommand writes a batch as a command for a POSIX shell.
func changeCommand(e shift.Route53Entrance, changes []types.Change) (string, error) {
	type change struct {
		Action            types.ChangeAction
		ResourceRecordSet cliRecordSet
	}
	batch := struct{ Changes []change }{}
	for _, c := range changes {
		batch.Changes = append(batch.Changes, change{c.Action, cliRecordSetOf(*c.ResourceRecordSet)})
	}
	text, err := quoted(batch)
	if err != nil {
		return "", fmt.Errorf("writing a change batch of zone %s: %w", e.HostedZoneID, err)
	}
	return fmt.Sprintf("aws route53 change-resource-record-sets --hosted-zone-id %s --change-batch %s", e.HostedZoneID, text), nil
}

// checkCommand shows the weights of the entrance's records.
func checkCommand(e shift.Route53Entrance) (string, error) {
	var names []string
	for _, n := range e.Names {
		names = append(names, canonical(n))
	}
	list, err := json.Marshal(names)
	if err != nil {
		return "", fmt.Errorf("writing the names of zone %s: %w", e.HostedZoneID, err)
	}
	query := "ResourceRecordSets[?contains(`" + inShell(string(list)) + "`, Name) && Weight != `null`].[Name, Type, SetIdentifier, Weight]"
	return fmt.Sprintf("aws route53 list-resource-record-sets --hosted-zone-id %s --output table --query '%s'", e.HostedZoneID, query), nil
}

func quoted(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	return "'" + inShell(string(text)) + "'", nil
}

// inShell makes JSON fit between single quotes.
func inShell(text string) string { return strings.ReplaceAll(text, "'", `\u0027`) }

// cliRecordSet is a weighted or simple record set as the AWS CLI reads it. What
// isn't set must not stand there.
type cliRecordSet struct {
	Name            string
	Type            types.RRType
	SetIdentifier   *string         `json:",omitempty"`
	Weight          *int64          `json:",omitempty"`
	TTL             *int64          `json:",omitempty"`
	ResourceRecords []cliRecord     `json:",omitempty"`
	AliasTarget     *cliAliasTarget `json:",omitempty"`
	HealthCheckID   *string         `json:"HealthCheckId,omitempty"`
}

type cliRecord struct{ Value string }

type cliAliasTarget struct {
	HostedZoneID         string `json:"HostedZoneId"`
	DNSName              string
	EvaluateTargetHealth bool
}

func cliRecordSetOf(r types.ResourceRecordSet) cliRecordSet {
	out := cliRecordSet{
		Name: aws.ToString(r.Name), Type: r.Type, SetIdentifier: r.SetIdentifier, Weight: r.Weight, TTL: r.TTL, HealthCheckID: r.HealthCheckId,
	}
	for _, v := range r.ResourceRecords {
		out.ResourceRecords = append(out.ResourceRecords, cliRecord{aws.ToString(v.Value)})
	}
	if t := r.AliasTarget; t != nil {
		out.AliasTarget = &cliAliasTarget{aws.ToString(t.HostedZoneId), aws.ToString(t.DNSName), t.EvaluateTargetHealth}
	}
	return out
}
