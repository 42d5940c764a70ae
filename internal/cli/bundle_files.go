package cli

import (
	"context"
	"os"
	"path/filepath"

	"github.com/clusterswitch/clusterswitch/internal/app"
	"github.com/clusterswitch/clusterswitch/internal/bundle"
)

// bundleFolder adds what stands beside the journals of a directory.
func bundleFolder(into *bundle.Bundle, directory string, pairs []string) {
	for _, pair := range pairs {
		for _, kept := range []struct{ what, ending, as string }{
			{"runbook", ".runbook.md", "runbook.md"}, {"preflight", ".preflight-report.json", "preflight.json"},
		} {
			content, err := os.ReadFile(filepath.Join(directory, filepath.Base(pair)+kept.ending))
			if err != nil {
				into.LeaveOut("the "+kept.what+" of "+pair, err)
				continue
			}
			into.Add("pairs/"+pair+"/"+kept.as, "the "+kept.what+" of "+pair+" that the daemon keeps", content)
		}
	}
}

// bundleRecords adds the records of the newest attempts.
func bundleRecords(ctx context.Context, into *bundle.Bundle, from app.RecordOptions, pairs []string) {
	for _, pair := range pairs {
		from.Pair = pair
		kept, err := app.StoredRecord(ctx, from)
		if err != nil {
			into.LeaveOut("the record of the newest attempt of "+pair, err)
			continue
		}
		into.AddJSON("pairs/"+pair+"/record.json", "the record of the newest attempt of "+pair+", as report -o json shows it", kept)
	}
}
