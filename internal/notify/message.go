package notify

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// message is what is sent for one piece of news.
type message struct {
	contentType string
	body        []byte
}

// cloudEvent is the JSON of CloudEvents 1.0 in structured mode
// (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md).
// docs/notifications.md tells of the fields.
type cloudEvent struct {
	SpecVersion     string         `json:"specversion"`
	ID              string         `json:"id"`
	Source          string         `json:"source"`
	Type            string         `json:"type"`
	Subject         string         `json:"subject"`
	Time            time.Time      `json:"time"`
	DataContentType string         `json:"datacontenttype"`
	Data            cloudEventData `json:"data"`
}

type cloudEventData struct {
	Pair       string `json:"pair"`
	Kind       string `json:"kind"`
	Severity   string `json:"severity"`
	Attempt    int    `json:"attempt"`
	Phase      string `json:"phase"`
	GreenShare int    `json:"greenShare"`
	Reason     string `json:"reason"`
	Message    string `json:"message"`
	// Report is the command that tells how the attempt went; absent: it isn't over.
	Report string `json:"report,omitempty"`
}

// cloudEvents writes the event; source names the daemon's namespace.
func cloudEvents(n News, source string) (message, error) {
	body, err := json.Marshal(cloudEvent{
		SpecVersion: "1.0", ID: n.ID(), Source: source, Type: "io.clusterswitch." + string(n.Kind), Subject: n.Pair,
		Time: n.At.UTC(), DataContentType: "application/json",
		Data: cloudEventData{
			Pair: n.Pair, Kind: string(n.Kind), Severity: n.Severity.String(), Attempt: n.Attempt, Phase: string(n.Phase),
			GreenShare: int(n.Share), Reason: string(n.Reason), Message: n.Message, Report: n.report(),
		},
	})
	return message{contentType: "application/cloudevents+json; charset=utf-8", body: body}, err
}

// slackText is what Slack, and those who take its format, show: see
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks.
type slackText struct {
	Text string `json:"text"`
}

// slack writes the message. A sentence that somebody else's service had a part in
// can't mention people or hide a link in it.
func slack(n News) (message, error) {
	sign := map[Severity]string{Info: "ℹ️", Warning: "⚠️", Critical: "🚨"}[n.Severity]
	text := fmt.Sprintf("%s *%s*: %s (attempt %d, %s, green %d %%)\n%s: %s", sign, escapeSlack(n.Pair), headline(n.Kind),
		n.Attempt, n.Phase, n.Share, n.Reason, escapeSlack(n.Message))
	if report := n.report(); report != "" {
		text += "\nHow it went: `" + report + "`"
	}
	body, err := json.Marshal(slackText{Text: text})
	return message{contentType: "application/json; charset=utf-8", body: body}, err
}

// report is the command that tells how an attempt went that is over; empty: it isn't.
func (n News) report() string {
	if n.Kind != ShiftCompleted && n.Kind != RolledBack {
		return ""
	}
	return fmt.Sprintf("clusterswitch report %s --attempt %d", n.Pair, n.Attempt)
}

// escapeSlack follows https://docs.slack.dev/messaging/formatting-message-text.
func escapeSlack(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// headline says a kind in a few words.
func headline(k Kind) string {
	switch k {
	case ShiftStarted:
		return "a shift to green started"
	case StepReached:
		return "green gets more traffic"
	case StandbyBegan:
		return "green has all traffic, blue is kept ready"
	case ShiftCompleted:
		return "the shift is completed"
	case ReturnBegan:
		return "the planned way back to blue began"
	case RollbackBegan:
		return "a rollback began"
	case RolledBack:
		return "blue has all traffic again"
	case Waits:
		return "the shift waits"
	case NeedsPerson:
		return "a person is needed"
	case GoesOn:
		return "it goes on"
	}
	return string(k)
}
