package route53

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// wire answers listings and writes with bytes, and counts the writes.
type wire struct {
	status        int
	listing, rest []byte
	writes        atomic.Int32
}

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	body := w.rest
	switch {
	case r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/rrset"):
		body = w.listing
	case r.Method == http.MethodPost:
		w.writes.Add(1)
	}
	return &http.Response{StatusCode: w.status, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(bytes.NewReader(body))}, nil
}

const fuzzedListing = `<?xml version="1.0"?><ListResourceRecordSetsResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ResourceRecordSets>` +
	`<ResourceRecordSet><Name>_clusterswitch.shop.example.com.</Name><Type>TXT</Type><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>"clusterswitch/v1 attempt=1 epoch=2 version=5 phase=Shifting share=25 rollback=false"</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>` +
	`<ResourceRecordSet><Name>shop.example.com.</Name><Type>A</Type><SetIdentifier>blue</SetIdentifier><Weight>75</Weight><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>192.0.2.1</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>` +
	`<ResourceRecordSet><Name>shop.example.com.</Name><Type>A</Type><SetIdentifier>green</SetIdentifier><Weight>25</Weight><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>192.0.2.2</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>` +
	`</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>300</MaxItems></ListResourceRecordSetsResponse>`

// FuzzListing: whatever Route 53 answers, what is read of it is a whole group of
// weights within bounds, or can't be read; and a rise is never written onto what
// can't be read.
func FuzzListing(f *testing.F) {
	change := `<ChangeResourceRecordSetsResponse><ChangeInfo><Id>/change/C1</Id><Status>INSYNC</Status><SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt></ChangeInfo></ChangeResourceRecordSetsResponse>`
	f.Add(uint16(0), []byte(fuzzedListing), []byte(change))
	for _, other := range [][2]string{
		{">75<", ">0<"},
		{">25<", ">-1<"},
		{">25<", ">99999999999999999999<"},
		{"<Weight>75</Weight>", ""},
		{">green<", ">other<"},
		{"false</IsTr", "true</IsTr"},
		{"192.0.2.2", ""},
		{"share=25", "share=125"},
		{"<TTL>60</TTL>", ""},
		{"</ResourceRecordSets>", ""},
	} {
		f.Add(uint16(0), []byte(strings.Replace(fuzzedListing, other[0], other[1], 1)), []byte(change))
	}
	f.Add(uint16(403), []byte(`<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>`), []byte{})
	f.Add(uint16(0), []byte(``), []byte(``))
	w := &wire{}
	client := route53.NewFromConfig(aws.Config{ // made once: that takes as long as all calls of an input
		Region: "us-east-1", BaseEndpoint: aws.String("http://route53.invalid"), Credentials: aws.AnonymousCredentials{},
		Retryer: func() aws.Retryer { return aws.NopRetryer{} }, HTTPClient: w,
	})
	f.Fuzz(func(t *testing.T, code uint16, listing, rest []byte) {
		w.status, w.listing, w.rest = http.StatusOK, listing, rest
		if code != 0 {
			w.status = 200 + int(code)%400
		}
		w.writes.Store(0)
		// Calls wait for their turn, and a listing for what changed meanwhile: in a bubble
		// that takes no time.
		synctest.Test(t, func(t *testing.T) { whateverIsListed(t, w, client) })
	})
}

// whateverIsListed judges what the adapter makes of the wire's answers.
func whateverIsListed(t *testing.T, w *wire, client *route53.Client) {
	t.Helper()
	a := New(Options{API: client, CallTimeout: time.Second, Gather: -1, Reuse: -1})
	r := a.Read(t.Context(), []shift.Entrance{entrance()}, shift.Watching)[0]
	if r.Err == "" {
		weights := r.Weights
		if w.status >= 300 || weights.Blue < 0 || weights.Green < 0 || weights.Blue > 255 || weights.Green > 255 || !r.Share().Valid() || r.At.IsZero() || r.TTL < 0 {
			t.Fatalf("%d %q was read as %+v", w.status, w.listing, r)
		}
		if r.Mark != nil && !r.Mark.Share.Valid() {
			t.Errorf("the mark is %+v", r.Mark)
		}
		return
	}
	known := shift.EntranceReading{Name: "dns", At: time.Now(), Token: "made up", Weights: shift.Weights{Blue: 75, Green: 25}}
	result := a.Commit(t.Context(), []shift.Change{{Entrance: entrance(), Expected: known, Wanted: 50, Control: mark(2, 6, 50), Priority: shift.Rise}})[0]
	if w.writes.Load() > 0 || result.Outcome == shift.Applied {
		t.Errorf("%d writes and %+v, where it can't be read: %s", w.writes.Load(), result, r.Err)
	}
}
