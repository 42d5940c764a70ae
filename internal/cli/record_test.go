package cli

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/record"
)

// keptRecord is the file of a pair's record of one attempt, in the place of that number.
func keptRecord(t *testing.T, place string, attempt int) {
	t.Helper()
	began := time.Date(2026, 3, 2, 9, attempt, 0, 0, time.UTC)
	ended := began.Add(40 * time.Minute)
	document, err := record.Record{
		Schema: record.Schema, Pair: "shop", Attempt: attempt, StartedAt: began, EndedAt: &ended, SeenAt: ended, Phase: "RolledBack", HighestShare: 25,
		Rollbacks: []record.Rollback{{At: ended, By: "the request file", Why: "a *person* | asked", DoneAt: &ended}},
		Timeline:  []record.Event{{At: ended, Kind: "rollback", Phase: "RollingBack", Title: "Rollback, asked for by <b>", Text: "a | bar", Count: 1}},
	}.JSON(false)
	if err != nil {
		t.Fatal(err)
	}
	write(t, "journal/shop.record-"+place+".json", string(document))
}

func TestReportOfAnAttempt(t *testing.T) {
	alone(t)
	if err := os.Mkdir("journal", 0o700); err != nil {
		t.Fatal(err)
	}
	none := run(t.Context(), "report", "shop", "--journal-directory", "journal")
	if none.status != 1 || !strings.Contains(none.err, "no record is kept for shop") {
		t.Errorf("without a record: %+v", none)
	}
	keptRecord(t, "1", 6)
	keptRecord(t, "2", 2)
	for name, tt := range map[string]struct {
		args   []string
		status int
		want   string // in what it says
	}{
		"the newest is told where no attempt is named": {nil, 0, "# Shift report: shop, attempt 6\n\n**Rolled back by a person, over after 40m: blue has all traffic. Green had at most 25 %.**"},
		"a former one is told where it is named":       {[]string{"--attempt", "2"}, 0, "# Shift report: shop, attempt 2\n"},
		"for one that isn't kept it says which are":    {[]string{"--attempt", "3"}, 1, "no record is kept for attempt 3 of shop; there are records of attempts 2, 6"},
		"what others say is no Markdown":               {nil, 0, `**Rollback, asked for by \<b\>** | a \| bar |`},
		"a format that it doesn't know is refused":     {[]string{"-o", "html"}, 2, "-o html: use markdown or json"},
		"an attempt that can't be is refused":          {[]string{"--attempt", "-1"}, 2, "attempts count from 1"},
	} {
		t.Run(name, func(t *testing.T) {
			got := run(t.Context(), append([]string{"report", "shop", "--journal-directory", "journal"}, tt.args...)...)
			if got.status != tt.status || !strings.Contains(got.out+got.err, tt.want) {
				t.Errorf("exit status %d, want %d with %q; it says:\n%s%s", got.status, tt.status, tt.want, got.out, got.err)
			}
		})
	}
	got := run(t.Context(), "report", "shop", "--journal-directory", "journal", "-o", "json")
	var fields map[string]any
	if err := json.Unmarshal([]byte(got.out), &fields); err != nil || fields["attempt"] != 6.0 || fields["schemaVersion"] != 1.0 {
		t.Errorf("%v in:\n%s", err, got.out)
	}
}
