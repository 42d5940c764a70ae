package gather

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

const (
	// pageSize is how many objects one answer holds; kubectl's own.
	pageSize = 500
	// firstPage is the size of the first page of whole objects, whose size nobody
	// knows yet: a ConfigMap may have a megabyte.
	firstPage = 50
	// bytesOfPage is the size that pages of whole objects are cut to.
	bytesOfPage = 2 << 20
	// mostRestarts bounds how often a list is gone on with after its token expired.
	mostRestarts = 3
)

const (
	protobuf   = "application/vnd.kubernetes.protobuf"
	asMetadata = ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
	// acceptMetadata ends with whole objects: aggregated API servers may know
	// nothing else.
	acceptMetadata = protobuf + asMetadata + ",application/json" + asMetadata + ",application/json"
	acceptTyped    = protobuf + ",application/json"
	acceptCustom   = "application/json"
)

// protobufMark begins every protobuf answer.
const protobufMark = "k8s\x00"

// selection is a kind, and how its objects are listed.
type selection struct {
	facts.Kind
	// namespace limits the list to one; empty: all.
	namespace string
	// whole: entire objects, not only their metadata.
	whole bool
}

// pages reads a kind and hands out one page after the other. After an
// expired token objects may come a second time.
func (r *reader) pages(ctx context.Context, s selection, each func(page []runtime.Object) error) error {
	limit, restarts, next := pageSize, 0, ""
	if s.whole {
		limit = firstPage
	}
	var body bytes.Buffer
	for {
		err := r.ask(ctx, s.path(), s.query(limit, next), s.accept(), &body)
		var refused *refusal
		switch {
		case errors.Is(err, errTooLarge) && limit > 1:
			limit = max(limit/8, 1)
			continue
		case errors.As(err, &refused) && refused.code == http.StatusGone && next != "" && restarts < mostRestarts:
			// The server's own token goes on where the old one stood; without one the
			// list begins again.
			restarts, next = restarts+1, refused.next
			continue
		case err != nil:
			return err
		}
		count, following, err := r.hand(s, body.Bytes(), each)
		if err != nil {
			return err
		}
		switch following {
		case "":
			return nil
		case next:
			return errors.New("the server gives the same page again and again")
		}
		next = following
		if s.whole && count > 0 {
			limit = min(max(bytesOfPage*count/max(body.Len(), 1), 1), pageSize)
		}
	}
}

// hand reads one page and hands it out. Only one page at a time is more than
// bytes: many at once would take several times the memory, and no less time. So
// the topics are never called at the same time, either.
func (r *reader) hand(s selection, body []byte, each func([]runtime.Object) error) (count int, next string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	page, next, err := s.decode(body)
	if err != nil {
		return 0, "", err
	}
	return len(page), next, each(page)
}

func (s selection) path() string {
	resource := s.Resource
	if s.namespace != "" {
		resource = "namespaces/" + s.namespace + "/" + resource
	}
	if s.Group == "" {
		return "api/" + s.Version + "/" + resource
	}
	return "apis/" + s.Group + "/" + s.Version + "/" + resource
}

func (s selection) query(limit int, next string) url.Values {
	q := url.Values{"limit": {strconv.Itoa(limit)}}
	if next != "" {
		q.Set("continue", next)
	}
	return q
}

func (s selection) typed() bool {
	return scheme.Scheme.Recognizes(schema.GroupVersionKind{Group: s.Group, Version: s.Version, Kind: s.Kind.Kind})
}

func (s selection) accept() string {
	switch {
	case !s.whole:
		return acceptMetadata
	case s.typed():
		return acceptTyped
	}
	return acceptCustom
}

// decode reads one page. Nothing that it returns shares memory with the body.
func (s selection) decode(body []byte) (page []runtime.Object, next string, err error) {
	switch {
	case !s.whole:
		page, next, err = metadataPage(body)
	case s.typed():
		page, next, err = typedPage(body)
	default:
		page, next, err = customPage(body)
	}
	if err != nil {
		return nil, "", fmt.Errorf("the answer can't be read: %w", err)
	}
	return page, next, nil
}

func metadataPage(body []byte) ([]runtime.Object, string, error) {
	var list metav1.PartialObjectMetadataList
	var kind string
	var err error
	if rest, ok := bytes.CutPrefix(body, []byte(protobufMark)); ok {
		var envelope runtime.Unknown
		if err = envelope.Unmarshal(rest); err == nil {
			kind, err = envelope.Kind, list.Unmarshal(envelope.Raw)
		}
	} else {
		err = json.Unmarshal(body, &list)
		kind = list.Kind
	}
	switch {
	case err != nil:
		return nil, "", err
	case !strings.HasSuffix(kind, "List"):
		return nil, "", fmt.Errorf("it is no list but %q", kind)
	}
	page := make([]runtime.Object, len(list.Items))
	for i := range list.Items {
		page[i] = &list.Items[i]
	}
	return page, list.Continue, nil
}

func typedPage(body []byte) ([]runtime.Object, string, error) {
	list, _, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
	if err != nil {
		return nil, "", err
	}
	about, err := meta.ListAccessor(list)
	if err != nil {
		return nil, "", fmt.Errorf("it is no list: %w", err)
	}
	var page []runtime.Object
	err = meta.EachListItem(list, func(o runtime.Object) error {
		page = append(page, o)
		return nil
	})
	return page, about.GetContinue(), err
}

func customPage(body []byte) ([]runtime.Object, string, error) {
	var list unstructured.UnstructuredList
	if err := list.UnmarshalJSON(body); err != nil {
		return nil, "", err
	}
	page := make([]runtime.Object, len(list.Items))
	for i := range list.Items {
		page[i] = &list.Items[i]
	}
	return page, list.GetContinue(), nil
}
