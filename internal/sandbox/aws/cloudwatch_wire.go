package aws

import (
	"encoding/json"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// CloudWatch answers in the protocol that it is asked in: Smithy RPC v2 CBOR,
// which aws-sdk-go-v2 sends, or AWS JSON 1.0, which the AWS CLI sends. The two
// differ in the envelope and in how a time is written.

const (
	cborPathPrefix   = "/service/GraniteServiceVersion20100801/operation/"
	jsonTargetPrefix = "GraniteServiceVersion20100801."
	jsonContentType  = "application/x-amz-json-1.0"
)

// cloudWatchJSON reads the operation out of a request in AWS JSON.
func cloudWatchJSON(r *http.Request) (operation string, ok bool) {
	return strings.CutPrefix(r.Header.Get("X-Amz-Target"), jsonTargetPrefix)
}

// instant is a time on the wire: tag 1 in CBOR, a number in JSON, both in
// seconds since 1970 with an optional fraction.
type instant struct{ time.Time }

// UnmarshalJSON reads seconds since 1970.
func (i *instant) UnmarshalJSON(b []byte) error {
	var seconds float64
	if err := json.Unmarshal(b, &seconds); err != nil {
		return err
	}
	whole, part := math.Modf(seconds)
	i.Time = time.Unix(int64(whole), int64(part*1e9)).UTC()
	return nil
}

// MarshalJSON writes seconds since 1970. Data points lie on whole seconds.
func (i instant) MarshalJSON() ([]byte, error) { return json.Marshal(i.Unix()) }

// UnmarshalCBOR reads an epoch-based date and time (RFC 8949, 3.4.2).
func (i *instant) UnmarshalCBOR(b []byte) error { return cbor.Unmarshal(b, &i.Time) }

// MarshalCBOR writes an epoch-based date and time with its tag.
func (i instant) MarshalCBOR() ([]byte, error) {
	return cbor.Marshal(cbor.Tag{Number: 1, Content: i.Unix()})
}

// decode reads the body of a CloudWatch request.
func (req *request) decode(into any) error {
	unmarshal := cbor.Unmarshal
	if req.json {
		unmarshal = json.Unmarshal
	}
	if err := unmarshal(req.body, into); err != nil {
		return badRequest("SerializationException", "The request body is not the document of this operation: %v", err)
	}
	return nil
}

// encode writes the body of a CloudWatch answer.
func (req *request) encode(answer any) ([]byte, error) {
	if req.json {
		return json.Marshal(answer)
	}
	return cbor.Marshal(answer)
}

// cloudWatchAnswer writes an answer or a refusal. The header of a refusal
// carries the code of the older Query protocol, which the SDKs prefer.
func cloudWatchAnswer(header http.Header, req *request, answer any, err error) (status int, contentType string, body []byte, encodeErr error) {
	status, contentType = http.StatusOK, "application/cbor"
	if req.json {
		contentType = jsonContentType
	} else {
		header.Set("Smithy-Protocol", "rpc-v2-cbor")
	}
	if err != nil {
		refused := asAPIError(err)
		status = refused.status
		header.Set("X-Amzn-Query-Error", refused.code+";"+faultOf(status))
		answer = map[string]string{"__type": "com.amazonaws.cloudwatch#" + refused.code, "message": refused.message}
	}
	body, encodeErr = req.encode(answer)
	return status, contentType, body, encodeErr
}

// faultOf says whose fault a refusal is, as the XML protocols name it.
func faultOf(status int) string {
	if status >= http.StatusInternalServerError {
		return "Receiver"
	}
	return "Sender"
}
