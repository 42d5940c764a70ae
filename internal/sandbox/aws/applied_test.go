package aws_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

// Who wants to know is told of each write that was carried out, and sees what it
// made before anybody is answered. Of what was refused, lost or only read nobody is
// told.
func TestWhoWantsToKnowIsToldOfEachWrite(t *testing.T) {
	t.Parallel()
	type told struct {
		Operation   string
		Lost        bool
		SeenThrough bool
	}
	var got []told
	var w *world
	w = newWorld(t, aws.Options{Applied: func(_ context.Context, c aws.Call) {
		if c.Operation != "ChangeResourceRecordSets" {
			return
		}
		server := httptest.NewRecorder()
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/2013-04-01/hostedzone/"+c.Resource+"/rrset", http.NoBody)
		request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=sandbox/20261129/us-east-1/route53/aws4_request, SignedHeaders=host, Signature=0")
		w.Aside().ServeHTTP(server, request)
		got = append(got, told{c.Operation, c.Lost, server.Code == http.StatusOK && w.HasName("new.example.com")})
	}})
	zone := seedZone(t, w)
	got = nil
	fail := func(kind aws.FaultKind, change types.Change) {
		t.Helper()
		must[func()](t)(w.Inject(aws.Fault{Kind: kind, Service: aws.Route53, Operation: "ChangeResourceRecordSets", Times: 1}))
		if err := w.change(t, zone, change); err == nil {
			t.Errorf("a call with fault %d was answered", kind)
		}
	}
	record := simple("new.example.com", "A", "192.0.2.1")
	fail(aws.Throttle, create(record))
	fail(aws.LostRequest, create(record))
	fail(aws.LostReply, create(record))
	if err := w.change(t, zone, create(record)); err == nil {
		t.Error("what exists was made again")
	}
	if _, err := w.route53.ListResourceRecordSets(t.Context(), &route53.ListResourceRecordSetsInput{HostedZoneId: &zone}); err != nil {
		t.Fatal(err)
	}
	if err := w.change(t, zone, upsert(simple("new.example.com", "A", "192.0.2.2"))); err != nil {
		t.Fatal(err)
	}
	want := []told{{"ChangeResourceRecordSets", true, true}, {"ChangeResourceRecordSets", false, true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}
