// Package bearer asks the management cluster whose a bearer token is, and whether
// that person may read the TrafficSwitches.
package bearer

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
)

const (
	// goodFor and badFor are how long an answer counts. A right that was taken away
	// counts for that long; a token that was refused may be good a moment later, where
	// somebody just got the right.
	goodFor = 30 * time.Second
	badFor  = 5 * time.Second
	// maxKnown bounds the answers that are remembered.
	maxKnown = 512
	// atOnce bounds the questions under way: whoever sends made-up tokens must not
	// burden the API server.
	atOnce = 4
	// askQPS and askBurst bound the requests a second.
	askQPS   = 20
	askBurst = 40
	// patience bounds one question, with the wait for its turn.
	patience = 5 * time.Second
)

// Answer says who a token is and what they may.
type Answer struct {
	// User is the name that the cluster knows; empty: the token is not good.
	User string
	// Allowed: the user may read the TrafficSwitches.
	Allowed bool
	// Why says why not, as the cluster tells it; it may be empty.
	Why string
}

// Options say which cluster is asked.
type Options struct {
	// Config reaches the management cluster.
	Config *rest.Config
	// Namespace holds the TrafficSwitches.
	Namespace string
	Now       func() time.Time
}

// Asker asks. It is safe for concurrent use.
type Asker struct {
	client    kubernetes.Interface
	namespace string
	now       func() time.Time
	slots     chan struct{}

	mu    sync.Mutex // guards known
	known map[[sha256.Size]byte]remembered
}

// remembered is an answer, kept by the token's digest: a token itself is never kept.
type remembered struct {
	answer Answer
	until  time.Time
}

// New makes an Asker. It asks nobody anything yet.
func New(o Options) (*Asker, error) {
	config := rest.CopyConfig(o.Config)
	config.QPS, config.Burst = askQPS, askBurst
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("making a client for token reviews: %w", err)
	}
	return &Asker{
		client: client, namespace: o.Namespace, now: o.Now,
		slots: make(chan struct{}, atOnce), known: map[[sha256.Size]byte]remembered{},
	}, nil
}

// Ask tells who a token is and what they may. An error says that the cluster could
// not be asked; then nobody knows.
func (a *Asker) Ask(ctx context.Context, token string) (Answer, error) {
	digest := sha256.Sum256([]byte(token))
	if answer, ok := a.recall(digest); ok {
		return answer, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case a.slots <- struct{}{}:
		defer func() { <-a.slots }()
	case <-ctx.Done():
		return Answer{}, fmt.Errorf("waiting for a turn to ask about a token: %w", ctx.Err())
	}
	if answer, ok := a.recall(digest); ok {
		return answer, nil // somebody else asked meanwhile
	}
	answer, err := a.ask(ctx, token)
	if err != nil {
		return Answer{}, err
	}
	a.remember(digest, answer)
	return answer, nil
}

// ask is one question about the person, and one about their right.
func (a *Asker) ask(ctx context.Context, token string) (Answer, error) {
	review, err := a.client.AuthenticationV1().TokenReviews().Create(ctx,
		&authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}, metav1.CreateOptions{})
	if err != nil {
		return Answer{}, fmt.Errorf("asking the management cluster whose token it is: %w", err)
	}
	if !review.Status.Authenticated {
		return Answer{Why: review.Status.Error}, nil
	}
	user := review.Status.User
	extra := map[string]authorizationv1.ExtraValue{}
	for key, values := range user.Extra {
		extra[key] = authorizationv1.ExtraValue(values)
	}
	access, err := a.client.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{
			User: user.Username, UID: user.UID, Groups: user.Groups, Extra: extra,
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: a.namespace, Verb: "get", Group: v1alpha1.Group, Version: v1alpha1.Version, Resource: v1alpha1.Resource,
			},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return Answer{}, fmt.Errorf("asking the management cluster what %s may: %w", user.Username, err)
	}
	return Answer{User: user.Username, Allowed: access.Status.Allowed && !access.Status.Denied, Why: access.Status.Reason}, nil
}

func (a *Asker) recall(digest [sha256.Size]byte) (Answer, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.known[digest]
	return r.answer, ok && a.now().Before(r.until)
}

func (a *Asker) remember(digest [sha256.Size]byte, answer Answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	if len(a.known) >= maxKnown {
		for key, r := range a.known {
			if !now.Before(r.until) {
				delete(a.known, key)
			}
		}
	}
	for key := range a.known { // all still count: any of them is asked again one day
		if len(a.known) < maxKnown {
			break
		}
		delete(a.known, key)
	}
	counts := badFor
	if answer.Allowed {
		counts = goodFor
	}
	a.known[digest] = remembered{answer: answer, until: now.Add(counts)}
}
