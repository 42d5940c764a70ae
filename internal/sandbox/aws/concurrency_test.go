package aws_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

// TestOfManySwapsOfOneStateOnlyOneWins: the swap (DELETE as read, CREATE as
// wanted) is what the product's fencing rests on.
func TestOfManySwapsOfOneStateOnlyOneWins(t *testing.T) {
	w := newWorld(t, aws.Options{})
	zone := seedZone(t, w)
	stop := make(chan struct{})
	var readers, swappers sync.WaitGroup
	readers.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			sets := w.RecordSets("shop.example.com.", "A")
			if len(sets) != 2 || sets[0].Weight+sets[1].Weight != 100 {
				t.Errorf("half a batch is published: %+v", sets)
				return
			}
		}
	})
	for round := range int64(20) {
		var won atomic.Int64
		for range 4 {
			swappers.Go(func() {
				err := w.change(t, zone,
					remove(weighted("shop.example.com", "blue", 100-round, "192.0.2.1")), remove(weighted("shop.example.com", "green", round, "192.0.2.2")),
					create(weighted("shop.example.com", "blue", 99-round, "192.0.2.1")), create(weighted("shop.example.com", "green", round+1, "192.0.2.2")),
				)
				if err == nil {
					won.Add(1)
				} else if !strings.Contains(err.Error(), "InvalidChangeBatch") {
					t.Errorf("round %d: %v", round, err)
				}
			})
		}
		swappers.Wait()
		if won.Load() != 1 {
			t.Fatalf("round %d: %d swaps won, want 1", round, won.Load())
		}
	}
	close(stop)
	readers.Wait()
}

// TestReadsOfTheEdgeAreCheap: the edge asks on every request and DNS query.
func TestReadsOfTheEdgeAreCheap(t *testing.T) {
	w := newWorld(t, aws.Options{})
	seedZone(t, w)
	e := newEntrance(t, w)
	for name, read := range map[string]func() bool{
		"RecordSets":   func() bool { return len(e.RecordSets("shop.example.com.", "A")) == 2 },
		"HasName":      func() bool { return e.HasName("shop.example.com.") },
		"Listeners":    func() bool { return len(e.Listeners()) == 1 },
		"TargetGroups": func() bool { return len(e.TargetGroups()) == 2 },
	} {
		if !read() {
			t.Errorf("%s found nothing", name)
		}
		if n := testing.AllocsPerRun(100, func() { read() }); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

// TestPresignedIdentity: a token for EKS is a presigned GetCallerIdentity.
func TestPresignedIdentity(t *testing.T) {
	w := newWorld(t, aws.Options{})
	signed, err := sts.NewPresignClient(w.sts).PresignGetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), signed.Method, signed.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("status %d, %v", answer.StatusCode, err)
	}
}
