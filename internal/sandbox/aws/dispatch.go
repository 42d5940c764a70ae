package aws

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Service names one AWS service as the SigV4 credential scope does.
type Service string

// The services of this AWS.
const (
	Route53    Service = "route53"
	ELB        Service = "elasticloadbalancing"
	CloudWatch Service = "monitoring"
	STS        Service = "sts"
	EKS        Service = "eks"
	IAM        Service = "iam"
)

// maxBody bounds a request; the largest lawful one, a Route 53 batch, is far smaller.
const maxBody = 4 << 20

const route53Prefix = "/2013-04-01/"

// request is one API call, told apart but not yet checked.
type request struct {
	service   Service
	operation string
	resource  string   // zone id, ARN or name that the call is about, for the call log
	segments  []string // path below the API version of Route 53; the id below a cluster of EKS
	query     url.Values
	form      *element // Query protocol only
	json      bool     // CloudWatch in AWS JSON instead of CBOR
	body      []byte

	caller   principal     // known once the request is authenticated
	slowSync time.Duration // how much longer than usual the change stays PENDING: a fault
	aside    bool          // it came through Aside
}

// operation is one API operation of one service.
type operation struct {
	write bool
	run   func(*request) (any, error)
}

// ServeHTTP answers one API call.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := Call{At: c.opts.Now()}
	body, whole := readBody(w, r)
	if !whole {
		return
	}
	req, op, err := c.receive(r, body)
	call.Service, call.Operation, call.Resource = req.service, req.operation, req.resource
	call.Write = op.write
	if err == nil && !c.limits.take(req.caller.account, req.service) {
		err = rateExceeded()
	}
	var met fate
	if err == nil {
		met = c.faults.meet(r.Context(), req)
		err = met.err
	}
	var answer any
	if err == nil && !met.lostRequest {
		call.Lost = met.lostReply
		answer, err = c.carryOut(r.Context(), call, op, req)
	}
	call.Code, call.Done = codeOf(err), c.opts.Now()
	call.Lost = met.lostReply || met.lostRequest
	call.Applied = err == nil && !met.lostRequest
	c.calls.add(call)
	if call.Lost {
		// The documented way to cut a connection without an answer.
		panic(http.ErrAbortHandler)
	}
	respond(w, req, answer, err, c.requests.requestID())
}

// carryOut does what a call asks for. Who wants to be told of writes is told of one
// after the other.
func (c *Cloud) carryOut(ctx context.Context, call Call, op operation, req *request) (any, error) {
	if c.opts.Applied == nil || !op.write {
		return op.run(req)
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	answer, err := op.run(req)
	if err == nil {
		call.Applied, call.Done = true, c.opts.Now()
		c.opts.Applied(ctx, call)
	}
	return answer, err
}

// Aside answers the same API as the Cloud, but is hit by no fault and no limit of
// rates, reads no stale state, and leaves no trace in Calls: tests look at the
// Cloud and edit it through this.
func (c *Cloud) Aside() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, whole := readBody(w, r)
		if !whole {
			return
		}
		req, op, err := c.receive(r, body)
		var answer any
		if err == nil {
			req.aside = true
			answer, err = op.run(req)
		}
		respond(w, req, answer, err, c.requests.requestID())
	})
}

// readBody reads a request's body, or answers that it is too large.
func readBody(w http.ResponseWriter, r *http.Request) (body []byte, whole bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "reading the request: "+err.Error(), http.StatusRequestEntityTooLarge)
	}
	return body, err == nil
}

// receive finds a request's operation and caller, or what refuses it.
func (c *Cloud) receive(r *http.Request, body []byte) (*request, operation, error) {
	req, err := identify(r, body)
	if err == nil {
		err = c.authenticate(r, req)
	}
	op, known := c.operations[req.service][req.operation]
	if err == nil && !known {
		err = unknownOperation(req)
	}
	return req, op, err
}

// identify finds the service and operation of a request, and refuses one
// that carries no credentials.
func identify(r *http.Request, body []byte) (*request, error) {
	req := &request{query: r.URL.Query(), body: body, form: parseForm(nil)}
	scope, signed := credentialScope(r)
	switch {
	case strings.HasPrefix(r.URL.Path, route53Prefix):
		req.service = Route53
		req.segments = strings.Split(strings.Trim(strings.TrimPrefix(r.URL.Path, route53Prefix), "/"), "/")
		req.operation = route53Operation(r.Method, req.segments)
		if len(req.segments) > 1 {
			req.resource = req.segments[1]
		}
	case strings.HasPrefix(r.URL.Path, cborPathPrefix):
		req.service = CloudWatch
		req.operation = strings.TrimPrefix(r.URL.Path, cborPathPrefix)
	default:
		if operation, ok := cloudWatchJSON(r); ok {
			req.service, req.operation, req.json = CloudWatch, operation, true
			break
		}
		req.service = scope
		if scope == EKS {
			var id string
			req.operation, req.resource, id = eksOperation(r)
			req.segments = []string{id}
			break
		}
		if err := req.readForm(r); err != nil {
			return req, err
		}
	}
	switch {
	case !signed:
		return req, refusal(http.StatusForbidden, "MissingAuthenticationToken", "Missing Authentication Token")
	case scope == "":
		return req, badRequest("IncompleteSignature", "Authorization header requires 'Credential' parameter.")
	case scope != req.service:
		return req, refusal(http.StatusForbidden, "SignatureDoesNotMatch",
			"Credential should be scoped to correct service: '%s'.", req.service)
	}
	return req, nil
}

// readForm reads a call of the Query protocol: a posted form or a query string.
func (req *request) readForm(r *http.Request) error {
	values := req.query
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		posted, err := url.ParseQuery(string(req.body))
		if err != nil {
			return badRequest("MalformedQueryString", "The query string contains a syntax error.")
		}
		values = posted
	}
	req.form = parseForm(values)
	req.operation = req.form.str("Action")
	req.resource = req.form.firstOf("RuleArn", "ListenerArn", "TargetGroupArn", "LoadBalancerArn", "Name", "RoleName")
	return nil
}

// credentialScope reads the service out of the SigV4 credential scope
// (KEY/DATE/REGION/SERVICE/aws4_request), from the header or, for presigned
// requests, from the query.
func credentialScope(r *http.Request) (scope Service, signed bool) {
	credential := r.URL.Query().Get("X-Amz-Credential")
	if auth := r.Header.Get("Authorization"); auth != "" {
		signed = true
		_, rest, _ := strings.Cut(auth, "Credential=")
		credential, _, _ = strings.Cut(rest, ",")
	}
	parts := strings.Split(credential, "/")
	if len(parts) < 5 {
		return "", signed || credential != ""
	}
	return Service(parts[len(parts)-2]), true
}

func unknownOperation(req *request) error {
	switch req.service {
	case Route53, CloudWatch, EKS:
		return refusal(http.StatusNotFound, "UnknownOperationException", "The sandbox doesn't know this operation.")
	case ELB:
		return badRequest("InvalidAction", "Could not find operation %s for version 2015-12-01", req.operation)
	case STS:
		return badRequest("InvalidAction", "Could not find operation %s for version 2011-06-15", req.operation)
	case IAM:
		return badRequest("InvalidAction", "Could not find operation %s for version 2010-05-08", req.operation)
	}
	return refusal(http.StatusNotFound, "UnknownOperationException", "The sandbox doesn't know the service %q.", req.service)
}
