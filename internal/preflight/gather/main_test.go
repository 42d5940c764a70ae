package gather

import (
	"os"
	"testing"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
)

var cluster = cptest.Shared{Options: cptest.Options{Name: "gather"}}

func TestMain(m *testing.M) { os.Exit(cluster.Run(m)) }
