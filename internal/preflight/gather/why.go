package gather

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// mostOfASentence bounds, in bytes, what a server's own words may take.
const mostOfASentence = 300

// errNoAnswer is why a single request was given up.
var errNoAnswer = fmt.Errorf("there was no answer within %s", answerWithin)

// why says for people what went wrong. The words end a sentence that named what
// was being read.
func why(err error) string {
	if noRequest, ok := errors.AsType[*url.Error](err); ok {
		err = noRequest.Err // the address of the request says nothing to people
	}
	if apierrors.IsForbidden(err) {
		return "the right to read it is missing (" + short(err.Error()) + ")"
	}
	return short(err.Error())
}

// whyNotListed says why a list was not read whole.
func (r *reader) whyNotListed(ctx context.Context, resource string, err error) string {
	var refused *refusal
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Sprintf("it was not read within %s", r.options.Timeout)
	case ctx.Err() != nil:
		return "the reading was broken off"
	case errors.As(err, &refused) && refused.code == http.StatusForbidden:
		return fmt.Sprintf("the right to list %s is missing (%s)", resource, short(refused.message))
	case errors.As(err, &refused) && refused.code == http.StatusGone:
		return "its list changed faster than it could be read (" + short(refused.message) + ")"
	}
	return why(err)
}

// within tells of a call that had less time than the whole reading.
func within(ctx context.Context, limit time.Duration, err error) string {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Sprintf("there was no answer within %s", limit)
	}
	return why(err)
}

// short makes one line of moderate length of a text that somebody else wrote.
func short(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " ")
	if len(text) <= mostOfASentence {
		return text
	}
	return strings.ToValidUTF8(text[:mostOfASentence], "") + "…"
}
