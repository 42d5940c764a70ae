package aws

import (
	"errors"
	"fmt"
	"net/http"
)

// apiError is a refusal as AWS words it: an HTTP status, a wire code and a message.
type apiError struct {
	status  int
	code    string
	message string
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

func refusal(status int, code, format string, args ...any) *apiError {
	return &apiError{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

func badRequest(code, format string, args ...any) *apiError {
	return refusal(http.StatusBadRequest, code, format, args...)
}

// fault is one reason why a batch is refused, in AWS's words. Several make up
// the message of an InvalidChangeBatch.
type fault string

func (f fault) Error() string { return string(f) }

func faultf(format string, args ...any) error { return fault(fmt.Sprintf(format, args...)) }

// asAPIError turns any error into one that can be answered.
func asAPIError(err error) *apiError {
	if known, ok := errors.AsType[*apiError](err); ok {
		return known
	}
	return refusal(http.StatusInternalServerError, "InternalFailure", "%v", err)
}

// codeOf returns the wire code of an error, empty for none.
func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return asAPIError(err).code
}
