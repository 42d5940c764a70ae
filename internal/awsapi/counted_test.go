package awsapi

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// counts is a Counter.
type counts map[string]int

func (c counts) Called(service, operation, outcome string) {
	c[service+" "+operation+" "+outcome]++
}

// What a pair asks is counted for it, through contexts that outlive it and the SDK's
// own calls for a role; what others ask isn't.
func TestCallsAreCountedForWhoCausedThem(t *testing.T) {
	c := newCloud(t)
	s := c.sessions(t, SessionsOptions{})
	shop, blog := counts{}, counts{}
	for _, ctx := range []context.Context{
		Counted(t.Context(), shop), context.WithoutCancel(Counted(t.Context(), shop)), Counted(t.Context(), blog), t.Context(),
	} {
		if err := getChange(ctx, s.For(dnsRole, "")); err != nil {
			t.Fatal(err)
		}
	}
	want := []counts{{"sts AssumeRole ok": 1, "route53 GetChange ok": 2}, {"route53 GetChange ok": 1}}
	if diff := cmp.Diff(want, []counts{shop, blog}); diff != "" {
		t.Errorf("calls of the shop and of the blog (-want +got):\n%s", diff)
	}
}
