package chronicle

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// usualNamespace is what commands take when nobody says otherwise.
const usualNamespace = "clusterswitch"

// commands makes the commands for one pair.
type commands struct {
	pair, namespace string
	// directory is the journal's; empty: there is a management cluster.
	directory string
}

func (c *Chronicle) commands(pair string) commands {
	return commands{pair: pair, namespace: c.options.Namespace, directory: c.options.Directory}
}

// program is a command of this program, for a pair.
func (c commands) program(verb, flags string) string {
	switch {
	case c.directory != "":
		flags += " --journal-directory " + quoted(c.directory)
	case c.namespace != usualNamespace:
		flags += " --namespace " + c.namespace
	}
	return "clusterswitch " + verb + " " + c.pair + flags
}

// quoted makes one word of a path for a shell.
func quoted(path string) string {
	if strings.ContainsFunc(path, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-", r))
	}) {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}

// kubectl is a command of kubectl; empty: there is nothing that it could ask.
func (c commands) kubectl(words string) string {
	if c.directory != "" {
		return ""
	}
	return fmt.Sprintf("kubectl --namespace %s %s", c.namespace, words)
}

// patch asks for the same with kubectl alone.
func (c commands) patch(spec string) string {
	return c.kubectl(fmt.Sprintf(`patch trafficswitch %s --type merge --patch '{"spec":{%s}}'`, c.pair, spec))
}

// fitting are the commands that fit where the pair stands, the most fitting first.
func (c commands) fitting(d Detail) []Action {
	var all []Action
	all = append(all, c.answers(d)...)
	all = append(all, c.wanted(d)...)
	all = append(all, c.back(d)...)
	all = append(all, c.usual(d)...)
	if d.Summary.Attempt > 0 {
		all = append(all, Action{
			Title: "Tell how this attempt went", Why: "Plan, timeline, verdicts with their numbers, calls to AWS, failures: in Markdown, for a ticket. Also while it goes on.", Kind: "plain",
			Command: c.program("report", ""),
		})
	}
	return append(all,
		Action{
			Title: "Show this in a terminal", Why: "Phase, gates, question and rollback, as the daemon last wrote them down.", Kind: "plain",
			Command: c.program("status", ""), Kubectl: c.kubectl("get trafficswitch " + c.pair + " --watch"),
		},
		Action{Title: "Compare green with blue", Why: "The preflight's findings, read anew. It changes nothing.", Kind: "plain", Command: c.program("preflight", "")},
	)
}

// answers are the ways out of a question.
func (c commands) answers(d Detail) []Action {
	q := d.Question
	if q == nil || shift.Reason(q.Reason) == shift.JournalUnreadable {
		return nil
	}
	answer := func(how string) string { return c.patch(fmt.Sprintf(`"resolve":{"id":%q,"how":%q}`, q.ID, how)) }
	all := []Action{{
		Title: "Go on from what is there", Why: "The weights at AWS are right, and the daemon shall take them over.", Kind: "wanted",
		Command: c.program("resume", " --adopt"), Kubectl: answer("adopt"),
	}}
	if shift.Reason(q.Reason) == shift.Drift {
		all = append(all, Action{
			Title: "Write the intended share again", Why: fmt.Sprintf("The weights at AWS are wrong, and green shall have %d %%.", d.Summary.GreenShare), Kind: "wanted",
			Command: c.program("resume", " --restore"), Kubectl: answer("restore"),
		})
	}
	return all
}

// wanted is what the pair waits for.
func (c commands) wanted(d Detail) []Action {
	s := d.Summary
	var all []Action
	if d.Asked.HandsOff {
		command := c.patch(`"handsOff":null`)
		if c.directory != "" { // no command of ours takes it away
			command = "${EDITOR:-vi} " + quoted(filepath.Join(c.directory, c.pair+".request.json"))
		}
		all = append(all, Action{
			Title: "Let the daemon write again", Why: "Hands off is set: nothing is written, not even a rollback. If the configuration sets it, take it away there.", Kind: "wanted",
			Command: command, Kubectl: c.patch(`"handsOff":null`),
		})
	}
	if d.Asked.Paused {
		all = append(all, Action{
			Title: "Take the pause away", Why: "The pair rises again as soon as all gates pass. If the configuration pauses it, take that away there.", Kind: "wanted",
			Command: c.program("resume", ""), Kubectl: c.patch(`"paused":null`),
		})
	}
	switch shift.Reason(s.Reason) {
	case shift.ApprovalNeeded:
		if s.Step != nil {
			all = append(all, Action{
				Title: fmt.Sprintf("Approve step %d", s.Step.Entered+1), Why: "Green rises to it as soon as all gates pass.", Kind: "wanted",
				Command: c.program("approve", ""), Kubectl: c.patch(fmt.Sprintf(`"approved":{"attempt":%d,"step":%d}`, s.Attempt, s.Step.Entered+1)),
			})
		}
	case shift.RollbackWaitsForBlue:
		all = append(all, Action{
			Title: "Go back although blue has no healthy target", Why: "Users get errors until blue is mended. Only where green is worse than that.", Kind: "back",
			Command: c.program("rollback", " --force"), Kubectl: c.patch(`"rollback":true,"rollbackForce":true`),
		})
	case shift.SingletonsStuck, shift.SingletonsUnknown, shift.SingletonTwice:
		all = append(all, Action{Title: "Show each singleton", Why: "Which side has it, and what keeps it.", Kind: "wanted", Command: c.program("singletons", "")})
	default:
	}
	return all
}

// back sends users to blue, where green has some or may get some.
func (c commands) back(d Detail) []Action {
	phase := shift.Phase(d.Summary.Phase)
	if phase == shift.Idle || phase == shift.RolledBack || phase == "" {
		return nil
	}
	if phase == shift.RollingBack && len(d.Asked.RollbackBy) > 0 {
		return nil
	}
	return []Action{
		{
			Title: "Send everybody back to blue, now", Why: "At once and fully. Nothing rises again until somebody starts a new attempt.", Kind: "back",
			Command: c.program("rollback", ""), Kubectl: c.patch(`"rollback":true`),
		},
		{
			Title: "The same without daemon and journal", Why: "It writes at AWS itself. It needs the configuration file and AWS credentials only.", Kind: "back",
			Command: "clusterswitch rollback " + c.pair + " --direct --config clusterswitch.yaml",
		},
	}
}

// usual is what people do in the phase.
func (c commands) usual(d Detail) []Action {
	switch phase := shift.Phase(d.Summary.Phase); phase {
	case shift.InPreflight, shift.Shifting:
		if d.Asked.Paused {
			return nil
		}
		return []Action{{
			Title: "Pause", Why: "Green keeps its share and gets no more. Rollbacks still happen.", Kind: "plain",
			Command: c.program("pause", ""), Kubectl: c.patch(`"paused":true`),
		}}
	case shift.Completed:
		return []Action{{Title: "Ask whether blue may be deleted", Why: "It looks for everything that still asks blue.", Kind: "plain", Command: c.program("retire-check", "")}}
	case shift.Idle:
		return []Action{{Title: "Go through the shift ahead", Why: "Each step with its gates, times and writes. It changes nothing.", Kind: "plain", Command: "clusterswitch plan " + c.pair}}
	case shift.RolledBack:
		return []Action{{Title: "Start a new attempt", Why: "When green is mended. It begins when the configuration says serve: green.", Kind: "plain", Command: c.program("start", "")}}
	case shift.OnStandby, shift.Returning, shift.RollingBack:
	}
	return nil
}
