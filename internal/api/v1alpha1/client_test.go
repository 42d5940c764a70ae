package v1alpha1

import "testing"

func TestASpecChangeTouchesOnlyWhatItNames(t *testing.T) {
	for name, c := range map[string]struct {
		change SpecChange
		want   string
	}{
		"nothing":                      {SpecChange{}, `{"spec":{}}`},
		"a flag is set":                {SpecChange{Rollback: new(true)}, `{"spec":{"rollback":true}}`},
		"a flag is taken away":         {SpecChange{Paused: new(false)}, `{"spec":{"paused":null}}`},
		"an attempt":                   {SpecChange{Attempt: new(3)}, `{"spec":{"attempt":3}}`},
		"no attempt":                   {SpecChange{Attempt: new(0)}, `{"spec":{"attempt":null}}`},
		"an approval names both parts": {SpecChange{Approved: &Approval{Attempt: 2, Step: 1}}, `{"spec":{"approved":{"attempt":2,"step":1}}}`},
		"an approval is taken away":    {SpecChange{Approved: &Approval{}}, `{"spec":{"approved":null}}`},
		"a word for one side":          {SpecChange{Vouch: &Vouch{Attempt: 2, Take: "blue"}}, `{"spec":{"vouch":{"attempt":2,"take":"blue"}}}`},
		"a word is taken back":         {SpecChange{Vouch: &Vouch{}}, `{"spec":{"vouch":null}}`},
		"an answer":                    {SpecChange{Resolve: &Resolution{ID: "1-7", How: "adopt"}}, `{"spec":{"resolve":{"id":"1-7","how":"adopt"}}}`},
		"a version to hold on to": {
			SpecChange{Attempt: new(2), Rollback: new(false), RollbackForce: new(false), IfVersion: "77"},
			`{"metadata":{"resourceVersion":"77"},"spec":{"attempt":2,"rollback":null,"rollbackForce":null}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.change.mergePatch()
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}
