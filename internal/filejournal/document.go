package filejournal

import (
	"encoding/json"
	"fmt"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/journal/status"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// The files of a pair are named after it.
const (
	// journalEnding is the journal: a TrafficSwitch with its status, as a cluster
	// would have it.
	journalEnding = ".journal.json"
	// besideEnding is what is said beside a journal that can't be read and stays, or
	// can't be begun yet; of the same form, without the journal itself.
	besideEnding = ".said.json"
	// requestEnding is what people ask for: the fields of a TrafficSwitch's spec.
	requestEnding = ".request.json"
)

// document is a TrafficSwitch as it is written into a file.
type document struct {
	APIVersion string                       `json:"apiVersion"`
	Kind       string                       `json:"kind"`
	Metadata   name                         `json:"metadata"`
	Status     v1alpha1.TrafficSwitchStatus `json:"status"`
}

type name struct {
	Name string `json:"name"`
}

// encode gives the content of a file.
func encode(pair string, s v1alpha1.TrafficSwitchStatus) ([]byte, error) {
	content, err := json.MarshalIndent(document{
		APIVersion: v1alpha1.GroupVersion().String(), Kind: v1alpha1.Kind, Metadata: name{Name: pair}, Status: s,
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the status of %s as JSON: %w", pair, err)
	}
	return append(content, '\n'), nil
}

// decode reads a file that is there. fault says why it is not the pair's.
func decode(pair string, content []byte) (s v1alpha1.TrafficSwitchStatus, fault string) {
	var d document
	switch err := json.Unmarshal(content, &d); {
	case len(content) == 0:
		return s, "the file is empty"
	case err != nil:
		return s, fmt.Sprintf("the file doesn't have the form of a journal: %s", err)
	case d.APIVersion != v1alpha1.GroupVersion().String() || d.Kind != v1alpha1.Kind:
		return s, fmt.Sprintf("it is a %s of %s, not a %s of %s", orNothing(d.Kind), orNothing(d.APIVersion), v1alpha1.Kind, v1alpha1.GroupVersion())
	case d.Metadata.Name != pair:
		return s, fmt.Sprintf("it is the journal of pair %s, not of %s", orNothing(d.Metadata.Name), pair)
	}
	return d.Status, ""
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// found reads the state in a file; nil content: there is no file. A file
// without a state is no journal that anybody wrote.
func found(pair string, content []byte) (shift.Found, v1alpha1.TrafficSwitchStatus) {
	if content == nil {
		return shift.Found{}, v1alpha1.TrafficSwitchStatus{}
	}
	s, fault := decode(pair, content)
	switch {
	case fault != "":
		return shift.Found{Unreadable: fault}, v1alpha1.TrafficSwitchStatus{}
	case s.Journal == nil:
		return shift.Found{Unreadable: "the file holds no state"}, s
	}
	f := status.Decode(s.Journal.Raw)
	if !f.Present && f.Unreadable == "" {
		f.Unreadable = "the file holds no state"
	}
	return f, s
}
