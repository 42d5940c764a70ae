package archtest

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// module is this repository's module path.
const module = "github.com/clusterswitch/clusterswitch"

// row is one line of the table of packages.
type row struct {
	pkg       string // below the module: "switcher/shift"
	sentence  string
	mayImport []string // packages below the module; one that ends in "/..." stands for all below it
}

// parseTable reads the table of packages out of docs/architecture.md: the first
// table whose header begins with "Package".
func parseTable(doc string) ([]row, error) {
	var rows []row
	inside := false
	for at, line := range strings.Split(doc, "\n") {
		cells := splitCells(line)
		switch {
		case !inside:
			inside = len(cells) == 3 && cells[0] == "Package"
			continue
		case cells == nil:
			return rows, nil
		case strings.HasPrefix(cells[0], "---"):
			continue
		case len(cells) != 3:
			return nil, fmt.Errorf("line %d: %d cells, want 3", at+1, len(cells))
		}
		r := row{pkg: strings.Trim(cells[0], "`"), sentence: cells[1]}
		if cells[2] != "–" {
			for name := range strings.SplitSeq(cells[2], ",") {
				r.mayImport = append(r.mayImport, strings.Trim(strings.TrimSpace(name), "`"))
			}
		}
		rows = append(rows, r)
	}
	if !inside {
		return nil, fmt.Errorf("no table with the header Package")
	}
	return rows, nil
}

// splitCells gives the cells of a line of a table; nil: the line is none.
func splitCells(line string) []string {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "|") || !strings.HasSuffix(line, "|") || len(line) < 2 {
		return nil
	}
	cells := strings.Split(line[1:len(line)-1], "|")
	for i, cell := range cells {
		cells[i] = strings.TrimSpace(cell)
	}
	return cells
}

// allows tells whether the row lets its package import another one of ours.
func (r row) allows(imported string) bool {
	for _, may := range r.mayImport {
		if below, all := strings.CutSuffix(may, "/..."); all {
			if imported == below || strings.HasPrefix(imported, below+"/") {
				return true
			}
		} else if imported == may {
			return true
		}
	}
	return false
}

// checkTable finds faults in the table itself: what it may never allow, however
// it is edited.
func checkTable(rows []row) []string {
	var breaches []string
	seen := map[string]bool{}
	for _, r := range rows {
		if seen[r.pkg] {
			breaches = append(breaches, fmt.Sprintf("%s: has two rows", r.pkg))
		}
		seen[r.pkg] = true
		if !strings.HasSuffix(r.sentence, ".") {
			breaches = append(breaches, fmt.Sprintf("%s: its sentence doesn't end", r.pkg))
		}
		if word := vague(path.Base(r.pkg)); word != "" {
			breaches = append(breaches, fmt.Sprintf("%s: a package named %s says nothing of what it does", r.pkg, word))
		}
		for _, other := range rows {
			if why := forbidden(r.pkg, other.pkg); why != "" && r.allows(other.pkg) {
				breaches = append(breaches, fmt.Sprintf("%s may import %s, but %s", r.pkg, other.pkg, why))
			}
		}
	}
	return breaches
}

// adapters each wrap one outside thing.
func adapters() []string {
	return []string{"internal/baton", "internal/eks", "internal/elb", "internal/filejournal", "internal/floors", "internal/journal", "internal/kube", "internal/lease", "internal/measure", "internal/notify", "internal/preflight/keep", "internal/prometheus", "internal/record/archive", "internal/route53", "internal/runbook", "internal/webhook"}
}

// forbidden says why one package may never import another, whatever the table
// says; empty: it may.
func forbidden(importer, imported string) string {
	adapter := slices.Contains(adapters(), importer)
	switch {
	case importer == imported:
		return ""
	case ofCore(importer) && !(importer == "switcher/shift" && ofCore(imported)):
		return "the core knows nothing but itself"
	case adapter && slices.Contains(adapters(), imported):
		return "adapters don't know each other"
	case adapter && (imported == "switcher" || imported == "config"):
		return "adapters know the core's values only; internal/app joins them with the rest"
	case slices.Contains(adapters(), imported) && !knowsAdapters(importer):
		return "internal/app alone knows the adapters, besides the tests of the chart and of the contract with AWS"
	case ofSandbox(imported) && !ofSandbox(importer) && importer != "cmd/sandbox":
		return "the product carries nothing of the sandbox"
	}
	return ""
}

// knowsAdapters tells whether a package may put adapters together: the daemon's
// builder, and the tests that try the chart's rights or writes to AWS with them.
func knowsAdapters(pkg string) bool {
	return pkg == "internal/app" || pkg == "internal/charttest" || pkg == "internal/awscontract"
}

// ofCore tells whether a package is of the pure core: it decides, and does nothing.
func ofCore(pkg string) bool { return pkg == "switcher/shift" || pkg == "switcher/evidence" }

func ofSandbox(pkg string) bool { return strings.HasPrefix(pkg, "internal/sandbox/") }

// vague returns the word that a package's name must not be.
func vague(name string) string {
	switch name {
	case "util", "utils", "common", "helper", "helpers", "types", "manager", "misc", "base", "shared", "lib", "data", "info":
		return name
	}
	return ""
}
