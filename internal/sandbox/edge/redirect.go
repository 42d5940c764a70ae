package edge

import (
	"net"
	"net/http"
	"strconv"
	"strings"
)

// location fills in the placeholders of a redirect with what the request came
// with. The edge speaks no TLS, so the protocol that it came by is http.
func location(template string, port int, r *http.Request) string {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	filled := strings.NewReplacer(
		"#{protocol}", "http", "#{host}", host, "#{port}", strconv.Itoa(port),
		"#{path}", strings.TrimPrefix(r.URL.EscapedPath(), "/"), "#{query}", r.URL.RawQuery,
	).Replace(template)
	return strings.TrimSuffix(filled, "?")
}
