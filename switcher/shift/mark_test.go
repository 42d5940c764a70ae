package shift

import (
	"strings"
	"testing"
)

func TestMarkThatCantBeReadIsAnError(t *testing.T) {
	const good = "clusterswitch/v1 attempt=2 epoch=3 version=41 phase=Shifting share=25 rollback=false"
	for name, test := range map[string]struct {
		text string
		want string // part of the error; empty: it is read
	}{
		"what String wrote":                  {good, ""},
		"more keys, of a newer version":      {good + " colour=teal", ""},
		"spaces in other places":             {"  " + strings.ReplaceAll(good, " ", "   "), ""},
		"nothing":                            {"", "doesn't begin"},
		"a TXT record of somebody else":      {"heritage=external-dns,external-dns/owner=x", "doesn't begin"},
		"a later schema":                     {strings.Replace(good, "/v1", "/v2", 1), "doesn't begin"},
		"a key without a value":              {good + " alone", "not one key=value"},
		"a key twice":                        {good + " share=26", "not one key=value"},
		"no version":                         {strings.Replace(good, "version=41 ", "", 1), "lacks version"},
		"a share above 100":                  {strings.Replace(good, "share=25", "share=101", 1), "not a percentage"},
		"a share below 0":                    {strings.Replace(good, "share=25", "share=-1", 1), "not a percentage"},
		"a share that is no number":          {strings.Replace(good, "share=25", "share=x", 1), "invalid syntax"},
		"an attempt below 0":                 {strings.Replace(good, "attempt=2", "attempt=-2", 1), "not within 0"},
		"a version below 0":                  {strings.Replace(good, "version=41", "version=-41", 1), "not within 0"},
		"a version that can't be counted on": {strings.Replace(good, "version=41", "version=9223372036854775807", 1), "not within 0"},
		"an epoch too large for a number":    {strings.Replace(good, "epoch=3", "epoch=99999999999999999999", 1), "out of range"},
		"a phase that doesn't exist":         {strings.Replace(good, "Shifting", "Dancing", 1), "unknown phase"},
		"a rollback that is neither":         {strings.Replace(good, "rollback=false", "rollback=perhaps", 1), "invalid syntax"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := ParseMark(test.text)
			if test.want == "" {
				if want := (Mark{Attempt: 2, Epoch: 3, Version: 41, Phase: Shifting, Share: 25}); err != nil || m != want {
					t.Errorf("got %+v, %v; want %+v", m, err, want)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

func TestMarksAreOrderedByAttemptThenEpochThenVersion(t *testing.T) {
	ordered := []Mark{{}, {Version: 9}, {Epoch: 1}, {Epoch: 1, Version: 1}, {Epoch: 2}, {Attempt: 1}, {Attempt: 1, Epoch: 1, Version: 1}}
	for i, m := range ordered {
		for j, n := range ordered {
			if got := m.Compare(n); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("%v compared with %v gives %d", m, n, got)
			}
		}
	}
}

// FuzzParseMark: whatever stands in a TXT record or a tag, ParseMark doesn't
// panic, and what it accepts survives being written and read again.
func FuzzParseMark(f *testing.F) {
	f.Add(Mark{Attempt: 2, Epoch: 3, Version: 41, Phase: RollingBack, Share: 25, Rollback: true}.String())
	f.Add(NewState().Mark().String())
	f.Add("clusterswitch/v1 attempt=+1 epoch=0 version=0 phase=Idle share=007 rollback=T extra=1")
	f.Add("clusterswitch/v1 attempt==")
	f.Add("\"clusterswitch/v1\"")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ParseMark(text)
		if err != nil {
			return
		}
		again, err := ParseMark(m.String())
		if err != nil || again != m {
			t.Errorf("%q gives %+v, and that gives %+v, %v", text, m, again, err)
		}
		if !m.Share.Valid() || !m.Phase.known() {
			t.Errorf("%q gives the impossible %+v", text, m)
		}
	})
}
