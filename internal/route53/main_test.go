package route53_test

import (
	"testing"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws/awstest"
)

func TestMain(m *testing.M) { awstest.Main(m) }
