package check

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// dataBehind tells of all volumes of blue: who moves users moves no data.
func dataBehind(p *comparison) []finding.Finding {
	var found []finding.Finding
	tell := func(k facts.GroupKind, n facts.Name, message string) {
		if !p.wanted(k, n) {
			return
		}
		x := finding.New(DataStaysBehind, finding.Block, finding.Of(k, n), "")
		x.Side, x.Message = shift.Blue, message
		found = append(found, described(x))
	}
	sets := p.blue.Workloads.Templates
	for _, n := range slices.SortedFunc(maps.Keys(sets), facts.Name.Compare) {
		if _, known := p.blue.Objects[facts.KindStatefulSet()]; known {
			tell(facts.KindStatefulSet(), n, fmt.Sprintf("StatefulSet %s keeps data in volumes of blue (%s), which green's do not have", n, strings.Join(sets[n], ", ")))
		}
	}
	if _, known := p.blue.Objects[facts.KindClaim()]; !known {
		return found
	}
	volumes := p.blue.Workloads.Volumes
	for _, n := range slices.SortedFunc(maps.Keys(volumes), facts.Name.Compare) {
		if statefulSetOf(p.blue, n) == "" {
			tell(facts.KindClaim(), n, fmt.Sprintf("PersistentVolumeClaim %s keeps data in a volume of blue (%s), which green's does not have", n, volumes[n].Size))
		}
	}
	return found
}

// statefulSetOf finds the StatefulSet that made a claim, by its name:
// template-set-ordinal. Empty: none did.
func statefulSetOf(c *facts.Cluster, claim facts.Name) string {
	at := strings.LastIndexByte(claim.Name, '-')
	if at < 0 {
		return ""
	}
	if _, err := strconv.ParseUint(claim.Name[at+1:], 10, 31); err != nil {
		return ""
	}
	stem := claim.Name[:at]
	for i := range stem {
		if stem[i] != '-' {
			continue
		}
		set := stem[i+1:]
		if slices.Contains(c.Workloads.Templates[facts.Name{Namespace: claim.Namespace, Name: set}], stem[:i]) {
			return set
		}
	}
	return ""
}

// deadHooks tells of webhooks of green that call nobody: what they guard can't
// be written. A Service that blue has is told of as missing, and where blue's
// own webhook calls nobody either, the clusters are alike.
func deadHooks(p *comparison) []finding.Finding {
	services, known := p.green.Objects[facts.KindService()]
	if !known {
		return nil
	}
	var found []finding.Finding
	hooks := slices.SortedFunc(maps.Keys(p.green.Workloads.Hooks), func(a, b facts.Object) int {
		return strings.Compare(a.Kind+a.Name.Name, b.Kind+b.Name.Name)
	})
	for _, hook := range hooks {
		if !p.counts(p.green, hook.GroupKind, hook.Name) {
			continue
		}
		for _, service := range p.green.Workloads.Hooks[hook] {
			_, there := services[service]
			inBlue, knownBlue := p.blue.Has(facts.KindService(), service)
			told := inBlue && p.counts(p.blue, facts.KindService(), service)
			alike := knownBlue && !inBlue && slices.Contains(p.blue.Workloads.Hooks[hook], service)
			if there || told || alike {
				continue
			}
			o := finding.Of(hook.GroupKind, hook.Name)
			x := finding.New(WebhookServiceGone, finding.Block, o, service.String())
			x.Side, x.Message = shift.Green, fmt.Sprintf("%s calls Service %s, which is not in green", o, service)
			found = append(found, described(x))
		}
	}
	return found
}

func uncomparedSecrets(f *facts.Facts) []finding.Finding {
	if f.Settings.Secrets != facts.SecretsOff {
		return nil
	}
	x := finding.New(SecretsNotCompared, finding.Note, finding.Of(facts.KindSecret(), facts.Name{}), "")
	x.Message = "Secrets of blue and green are not compared, because the configuration says so"
	return []finding.Finding{described(x)}
}
