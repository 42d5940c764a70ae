package webhook

import "net/http"

// Through lets a hook's questions take another way than the network.
func (h *Hook) Through(way http.RoundTripper) { h.http.Transport = way }
