package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/reach"
)

// SignatureHeader carries when a question was sent, in seconds since 1970, and its
// signature: t=1767225600,v1=HEX.
const SignatureHeader = "Clusterswitch-Signature"

// Sign gives the value of the header: an HMAC-SHA256 (RFC 2104) of the time, a dot
// and the body. The time is signed with it, so that a service can refuse what is
// sent again by others later.
func Sign(secret []byte, at time.Time, content []byte) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(stamp + "."))
	mac.Write(content)
	return "t=" + stamp + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// SignBy is Sign with the secret of a file, which is read anew.
func SignBy(file string, at time.Time, content []byte) (string, error) {
	with, err := secret(file)
	if err != nil {
		return "", err
	}
	return Sign(with, at, content), nil
}

// secret reads a file, without the space around what is in it, which editors and
// secret stores add; its error never shows what is inside.
func secret(file string) ([]byte, error) {
	content, err := reach.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the secret to sign with: %w", err)
	}
	text := strings.TrimSpace(string(content))
	if text == "" {
		return nil, fmt.Errorf("reading the secret to sign with: %s is empty", file)
	}
	return []byte(text), nil
}
