package route53

import (
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
)

// classify adds to awsapi.Classify what only this service has: the reasons of
// an InvalidChangeBatch stand in a list of their own.
func classify(err error) awsapi.Failure {
	f := awsapi.Classify(err)
	if invalid, ok := errors.AsType[*types.InvalidChangeBatch](err); ok && len(invalid.Messages) > 0 {
		f.Message = strings.Join(invalid.Messages, "; ")
	}
	return f
}
