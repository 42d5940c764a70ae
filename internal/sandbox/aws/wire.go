package aws

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"strconv"
)

// XML namespaces of the services' answers.
const (
	route53NS = "https://route53.amazonaws.com/doc/2013-04-01/"
	elbNS     = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"
	stsNS     = "https://sts.amazonaws.com/doc/2011-06-15/"
	iamNS     = "https://iam.amazonaws.com/doc/2010-05-08/"
)

// created is an answer with the status 201 and a Location header.
type created struct {
	document any
	location string
}

// respond writes an answer, or a refusal, in the protocol of the service.
func respond(w http.ResponseWriter, req *request, answer any, err error, requestID string) {
	status, contentType := http.StatusOK, "text/xml"
	var body []byte
	var encodeErr error
	switch {
	case req.service == CloudWatch:
		status, contentType, body, encodeErr = cloudWatchAnswer(w.Header(), req, answer, err)
	case req.service == EKS:
		contentType = "application/json"
		status, body, encodeErr = eksAnswer(w.Header(), answer, err)
	case err != nil:
		refused := asAPIError(err)
		status = refused.status
		body, encodeErr = encodeRefusal(namespaceOf(req.service), refused, requestID)
	case req.service == Route53:
		if c, ok := answer.(created); ok {
			status, answer = http.StatusCreated, c.document
			w.Header().Set("Location", c.location)
		}
		body, encodeErr = encodeXML(answer)
	default:
		body, encodeErr = encodeQuery(req, answer, requestID)
	}
	if encodeErr != nil {
		http.Error(w, "encoding the answer: "+encodeErr.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Header().Set("X-Amzn-Requestid", requestID)
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that hung up has its answer in the call log
}

func namespaceOf(s Service) string {
	switch s {
	case Route53:
		return route53NS
	case ELB:
		return elbNS
	case IAM:
		return iamNS
	default:
		return stsNS
	}
}

func encodeXML(answer any) ([]byte, error) {
	var buf bytes.Buffer
	buf.WriteString(xml.Header)
	err := xml.NewEncoder(&buf).Encode(answer)
	return buf.Bytes(), err
}

// encodeRefusal writes the ErrorResponse that Route 53 and the Query protocol share.
func encodeRefusal(ns string, e *apiError, requestID string) ([]byte, error) {
	return encodeXML(struct {
		XMLName   xml.Name `xml:"ErrorResponse"`
		NS        string   `xml:"xmlns,attr"`
		Type      string   `xml:"Error>Type"`
		Code      string   `xml:"Error>Code"`
		Message   string   `xml:"Error>Message"`
		RequestID string   `xml:"RequestId"`
	}{NS: ns, Type: faultOf(e.status), Code: e.code, Message: e.message, RequestID: requestID})
}

// encodeQuery wraps an answer as <OpResponse><OpResult>…</OpResult>…</OpResponse>.
func encodeQuery(req *request, answer any, requestID string) ([]byte, error) {
	var buf bytes.Buffer
	enc := xml.NewEncoder(&buf)
	outer := xml.StartElement{
		Name: xml.Name{Local: req.operation + "Response"},
		Attr: []xml.Attr{{Name: xml.Name{Local: "xmlns"}, Value: namespaceOf(req.service)}},
	}
	if err := enc.EncodeToken(outer); err != nil {
		return nil, err
	}
	result := xml.StartElement{Name: xml.Name{Local: req.operation + "Result"}}
	if err := enc.EncodeElement(answer, result); err != nil {
		return nil, err
	}
	metadata := struct {
		RequestID string `xml:"RequestId"`
	}{requestID}
	if err := enc.EncodeElement(metadata, xml.StartElement{Name: xml.Name{Local: "ResponseMetadata"}}); err != nil {
		return nil, err
	}
	if err := enc.EncodeToken(outer.End()); err != nil {
		return nil, err
	}
	err := enc.Flush()
	return buf.Bytes(), err
}

// listOf writes a list that must be there even when it is empty.
type listOf[T any] struct {
	Items []T `xml:"member"`
}
