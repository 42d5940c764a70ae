package shift

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// wayBackRow is one row of docs/rollback.md.
type wayBackRow struct {
	given wayBackCase
	want  wayBack
}

// wayBackRows is the table of cases that docs/rollback.md is made from.
func wayBackRows() []wayBackRow {
	blue := func(percent int) SideCapacity { return SideCapacity{Known: true, Percent: percent} }
	unknown := SideCapacity{Why: "blue can't be read"}
	return []wayBackRow{
		{wayBackCase{Person: true, Blue: blue(100), Present: 100, Enough: 90}, wayBack{Why: "a person asks for it"}},
		{wayBackCase{Person: true, Blue: blue(40), Present: 100, Enough: 90}, wayBack{Warns: true, Why: "a person asks for it, and is told that blue is weak"}},
		{wayBackCase{Person: true, Blue: blue(0), Present: 25, Enough: 90}, wayBack{Warns: true, Why: "a person asks for it, and is told that blue is weak"}},
		{wayBackCase{Person: true, Blue: unknown, Present: 100, Enough: 90}, wayBack{Why: "a person asks for it"}},
		{wayBackCase{GreenDead: true, Blue: blue(40), Present: 100, Enough: 90}, wayBack{Why: "green has no healthy target: nobody is served there"}},
		{wayBackCase{GreenDead: true, Blue: unknown, Present: 50, Enough: 90}, wayBack{Why: "green has no healthy target: nobody is served there"}},
		{wayBackCase{Blue: unknown, Present: 100, Enough: 90}, wayBack{Why: "what is unknown about blue blocks nothing"}},
		{wayBackCase{Blue: blue(130), Present: 100, Enough: 90}, wayBack{Why: "blue can carry everything"}},
		{wayBackCase{Blue: blue(100), Present: 50, Enough: 90}, wayBack{Why: "blue can carry everything"}},
		{wayBackCase{Blue: blue(95), Present: 100, Enough: 90}, wayBack{Limit: 5, Why: "blue can carry 95 % now, the rest follows as it gets more ready"}},
		{wayBackCase{Blue: blue(40), Present: 100, Enough: 90}, wayBack{Limit: 60, Why: "blue can carry 40 % now, the rest follows as it gets more ready"}},
		{wayBackCase{Blue: blue(60), Present: 50, Enough: 90}, wayBack{Limit: 40, Why: "blue can carry 60 % now, the rest follows as it gets more ready"}},
		{wayBackCase{Blue: blue(40), Present: 25, Enough: 90}, wayBack{Limit: 60, Why: "blue can carry 40 % and has 75 % already"}},
		{wayBackCase{Blue: blue(0), Present: 100, Enough: 90}, wayBack{Limit: 100, Why: "blue can carry 0 % and has 0 % already"}},
	}
}

func TestHowFarARollbackGoes(t *testing.T) {
	for _, row := range wayBackRows() {
		t.Run(rollbackRow(row), func(t *testing.T) {
			if diff := cmp.Diff(row.want, howFarBack(row.given)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// S13 of every case that there can be.
func TestARollbackNeverGivesBlueMoreThanItCarriesByItself(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := wayBackCase{
			Person: rapid.Bool().Draw(rt, "person"), GreenDead: rapid.Bool().Draw(rt, "green is dead"),
			Present: Share(rapid.IntRange(0, 100).Draw(rt, "share")), Enough: rapid.IntRange(0, 100).Draw(rt, "enough"),
			Blue: SideCapacity{Known: rapid.Bool().Draw(rt, "known"), Percent: rapid.IntRange(0, 999).Draw(rt, "percent")},
		}
		b := howFarBack(c)
		stays := b.stays(c.Present)
		switch limited := !c.Person && !c.GreenDead && c.Blue.Known; {
		case !b.Limit.Valid() || stays > c.Present:
			rt.Fatalf("%+v raises green: %+v", c, b)
		case !limited && stays != 0:
			rt.Fatalf("%+v leaves users on green: %+v", c, b)
		case limited && stays < c.Present && int(Full-stays) > c.Blue.Percent:
			rt.Fatalf("%+v gives blue %s: %+v", c, Full-stays, b)
		case limited && stays > 0 && stays < c.Present && int(Full-stays) < c.Blue.Percent:
			rt.Fatalf("%+v leaves more on green than it must: %+v", c, b)
		}
	})
}

func rollbackRow(row wayBackRow) string {
	c := row.given
	who, blue := "the daemon", fmt.Sprintf("%d %%", c.Blue.Percent)
	if c.Person {
		who = "a person"
	}
	if !c.Blue.Known {
		blue = "unknown"
	}
	green := "has healthy ones, or it is unknown"
	if c.GreenDead {
		green = "has none"
	}
	pace := "all at once"
	stays := row.want.stays(c.Present)
	switch {
	case stays > 0 && stays == c.Present:
		pace = "nothing yet; follows blue"
	case stays > 0:
		pace = "at once as far as blue carries it; the rest follows blue"
	case row.want.Warns:
		pace = "all at once, with a warning"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s |", who, green, blue, c.Present, stays, pace, row.want.Why)
}

func rollbackPage() string {
	var b strings.Builder
	b.WriteString("# How far and how fast a rollback goes\n\n" + generated)
	b.WriteString(`One function of the core decides it, from who asked, green's targets, blue's capacity and green's share. This table has its
cases; a test holds the function to them, and the warning here stands for ` + "`standby.capacity.atLeast: 90%`" + `.

| Who asks | Green's targets | Blue is ready for | Green has | Stays on green | How fast | Why |
|---|---|---|---|---|---|---|
`)
	for _, row := range wayBackRows() {
		b.WriteString(rollbackRow(row) + "\n")
	}
	b.WriteString(`
- *Ready for* is the capacity of the workload of blue that has least: its ready replicas against those that all of the present
  load needs, by what each replica carried when blue carried everything. Where the load isn't measured, the replicas of
  then stand for it.
- A rollback never gives green more than it has. What stays there goes back by itself as blue gets more ready: each look asks
  again. With ` + "`pinAutoscalers`" + ` blue's floors are raised meanwhile, to what all of the load needs.
- A person's flag lifts the limit of a rollback that is under way.
- One thing holds back a person's rollback as well: a fresh look that proves that blue has no healthy target on an entrance
  while green has some. That entrance goes back as soon as blue has one, or at once with ` + "`rollbackForce`" + `.
`)
	return b.String()
}

// enough has a default for those who want nothing of blue: what all needs.
func TestFromWhereAPersonIsWarned(t *testing.T) {
	for atLeast, want := range map[int]int{0: 100, 70: 70} {
		if got := (CapacityPolicy{AtLeast: atLeast}).enough(); got != want {
			t.Errorf("with %d %%: %d", atLeast, got)
		}
	}
}
