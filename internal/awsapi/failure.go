package awsapi

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/aws/smithy-go"
)

// Class is what an error of AWS means to an adapter.
type Class int

// The classes.
const (
	// Other: AWS refused, in words that this package doesn't know.
	Other Class = iota
	// Throttled: AWS refused for now, or the daemon's own budget did before it
	// was asked; nothing was done. It includes Route 53's PriorRequestNotComplete.
	Throttled
	// Denied: the credentials are missing, expired or lack a right, or the role
	// may not be assumed.
	Denied
	// NotFound: the zone, rule, target group or change doesn't exist.
	NotFound
	// Invalid: AWS refuses the request's values.
	Invalid
	// Conflict: Route 53's InvalidChangeBatch, which is what a swap gets when
	// something changed since it was read.
	Conflict
	// Unreachable: no answer, or a server error. A write may have happened.
	Unreachable
)

// String names the class for messages.
func (c Class) String() string {
	return [...]string{"refused", "throttled", "access denied", "not found", "invalid", "conflict", "no answer"}[c]
}

// Failure is an error of AWS without the SDK's types.
type Failure struct {
	Class Class
	// Code is the wire code, as "InvalidChangeBatch"; empty when AWS didn't answer.
	Code string
	// Message is AWS's own text, or the transport's.
	Message string
	// Unsent: there were no credentials for the call, so AWS was never asked;
	// Code and Message are about getting them.
	Unsent bool
}

// String says what happened in a few words for a person.
func (f Failure) String() string {
	if f.Code == "" {
		return fmt.Sprintf("%s: %s", f.Class, f.Message)
	}
	return fmt.Sprintf("%s (%s: %s)", f.Class, f.Code, f.Message)
}

// Error is a failure with the sentence that an adapter made of it: what was
// tried, what AWS said, and what to do.
type Error struct {
	Failure
	Sentence string
}

func (e *Error) Error() string { return e.Sentence }

// Remedy is what to do about a call that was denied, as the end of a sentence:
// rights names what the call needs. It is empty for every other failure, and
// where the message says it already.
func (f Failure) Remedy(rights string) string {
	if f.Class != Denied || f.Unsent {
		return ""
	}
	switch f.Code {
	case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidIdentityToken", "IDPRejectedClaim":
		return ": renew the credentials, for example by: aws sso login"
	case "RequestExpired", "RequestTimeTooSkewed":
		return ": set this machine's clock"
	case "OptInRequired", "RegionDisabledException":
		return ": switch the service or the region on for the account"
	case "AuthFailure", "IncompleteSignature", "InvalidSignatureException", "SignatureDoesNotMatch", "InvalidAccessKeyId", "InvalidClientTokenId",
		"MissingAuthenticationToken", "MissingAuthenticationTokenException", "UnrecognizedClientException":
		return ": these are no credentials that AWS knows; look at AWS_PROFILE and AWS_ACCESS_KEY_ID"
	}
	return ": grant " + rights
}

// Passing tells whether another try may succeed with nothing mended.
func (f Failure) Passing() bool { return f.Class == Throttled || f.Class == Unreachable }

// codePriorRequest is Route 53's refusal of a second batch for a zone while the
// first is being worked on.
const codePriorRequest = "PriorRequestNotComplete"

// classOf knows the wire codes that the adapters' calls can answer. ELBv2's
// codes lack the suffix "Exception" on the wire.
func classOf(code string) (class Class, known bool) {
	switch code {
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthFailure", "NotAuthorized", "UnauthorizedAccess",
		"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired", "RequestTimeTooSkewed",
		"IncompleteSignature", "InvalidSignatureException", "SignatureDoesNotMatch", "InvalidAccessKeyId", "InvalidClientTokenId",
		"MissingAuthenticationToken", "MissingAuthenticationTokenException", "OptInRequired", "UnrecognizedClientException",
		"RegionDisabledException", "InvalidIdentityToken", "IDPRejectedClaim":
		return Denied, true
	case "NoSuchHostedZone", "NoSuchChange", "RuleNotFound", "TargetGroupNotFound", "ListenerNotFound", "LoadBalancerNotFound",
		"ResourceNotFoundException", "ResourceNotFound", "NoSuchEntity":
		return NotFound, true
	case "InvalidChangeBatch":
		return Conflict, true
	case "InvalidInput", "ValidationError", "ValidationException", "InvalidDomainName", "InvalidConfigurationRequest",
		"InvalidLoadBalancerAction", "InvalidParameterValue", "InvalidParameterCombination", "MissingParameter",
		"IncompatibleProtocols", "TargetGroupAssociationLimit", "TooManyActions", "TooManyTags", "OperationNotPermitted",
		"UnsupportedProtocol", "InvalidParameterException", "InvalidRequestException":
		return Invalid, true
	case "ServiceUnavailable", "ServiceUnavailableException", "InternalFailure", "InternalError", "InternalServerError",
		"InternalServiceError", "InternalServiceFault", "InternalServerException", "ServerException", "RequestTimeout",
		"RequestTimeoutException", "IDPCommunicationError":
		return Unreachable, true
	case "Throttled", "RateExceeded":
		return Throttled, true
	}
	_, throttled := retry.DefaultThrottleErrorCodes[code]
	return Throttled, throttled
}

// Classify tells what an error of an SDK call means. Anything that isn't a clear
// answer of AWS is Unreachable: what became of a write must then be read.
func Classify(err error) Failure {
	if held, ok := errors.AsType[*heldError](err); ok {
		return Failure{Class: Throttled, Message: held.Error()}
	}
	if without, ok := errors.AsType[*credentialsError](err); ok {
		return without.failure()
	}
	if invalid, ok := errors.AsType[smithy.InvalidParamsError](err); ok {
		return Failure{Class: Invalid, Message: invalid.Error()} // refused before it was sent
	}
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return Failure{Class: Unreachable, Message: err.Error()}
	}
	f := Failure{Code: api.ErrorCode(), Message: api.ErrorMessage()}
	if class, known := classOf(f.Code); known {
		f.Class = class
		return f
	}
	if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		switch status := response.HTTPStatusCode(); {
		case status == http.StatusTooManyRequests:
			f.Class = Throttled
		case status >= http.StatusInternalServerError:
			f.Class = Unreachable
		}
	}
	if api.ErrorFault() == smithy.FaultServer {
		f.Class = Unreachable
	}
	return f
}
