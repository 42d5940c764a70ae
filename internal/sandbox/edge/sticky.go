package edge

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// stickyCookie is the cookie by which an ALB keeps a client on its target
// group. AWS encrypts its content; clients treat it as opaque all the same.
const stickyCookie = "AWSALBTG"

// newSticky returns the cookie that keeps a client on the group. Every answer
// renews it: an ALB's stickiness goes on while requests come more often than
// its duration.
func newSticky(groupARN string, lasts time.Duration, now time.Time) *http.Cookie {
	expires := now.Add(lasts)
	content := strconv.FormatInt(expires.UnixMilli(), 10) + " " + groupARN
	return &http.Cookie{
		Name:    stickyCookie,
		Value:   base64.RawURLEncoding.EncodeToString([]byte(content)),
		Path:    "/",
		Expires: expires,
	}
}

// stuckGroup returns the index of the group that the client's cookie names, or
// -1 without a cookie that is in force. The weight isn't looked at: stickiness
// beats it, 0 included.
func stuckGroup(r *http.Request, forward []routing.WeightedGroup, now time.Time) int {
	cookie, err := r.Cookie(stickyCookie)
	if err != nil {
		return -1
	}
	content, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return -1
	}
	expires, groupARN, _ := strings.Cut(string(content), " ")
	at, err := strconv.ParseInt(expires, 10, 64)
	if err != nil || now.UnixMilli() >= at {
		return -1
	}
	return slices.IndexFunc(forward, func(g routing.WeightedGroup) bool { return g.TargetGroupARN == groupARN })
}
