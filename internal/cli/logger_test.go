package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/logkey"
)

func TestLogLinesForMachines(t *testing.T) {
	var out bytes.Buffer
	log, err := newLogger(config.Log{Level: "warn", Format: "json"}, &out)
	if err != nil {
		t.Fatal(err)
	}
	log.Info("not logged at this level")
	log.Warn("held", logkey.Pair("shop"), logkey.Duration(90*time.Second))
	var line struct {
		Level, Msg, Pair, Duration string
		TS                         time.Time
	}
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v in %s", err, out.String())
	}
	if line.Level != "warn" || line.Msg != "held" || line.Pair != "shop" || line.Duration != "1m30s" {
		t.Errorf("%+v", line)
	}
	if line.TS.Location() != time.UTC || time.Since(line.TS) > time.Minute {
		t.Errorf("the time is %s", line.TS)
	}
}

func TestLogLinesForPeople(t *testing.T) {
	var out bytes.Buffer
	log, err := newLogger(config.Log{Level: "debug", Format: "console"}, &out)
	if err != nil {
		t.Fatal(err)
	}
	log.Debug("looked", zap.Int("pairs", 2))
	_, said, _ := strings.Cut(out.String(), "\t")
	if want := "DEBUG\tlooked\t{\"pairs\": 2}\n"; said != want {
		t.Errorf("%q, want %q", said, want)
	}
}

// fullOnce is a disk that is full at first.
type fullOnce struct {
	bytes.Buffer
	once sync.Once
}

func (f *fullOnce) Write(line []byte) (n int, err error) {
	f.once.Do(func() { err = syscall.ENOSPC })
	if err != nil {
		return 0, err
	}
	return f.Buffer.Write(line)
}

// A daemon runs for months, and a log that could not be written once must go on.
func TestALogThatCouldNotBeWrittenOnceGoesOn(t *testing.T) {
	alone(t)
	write(t, "clusterswitch.yaml", validConfig) // no management cluster is to be found
	disk := &fullOnce{}
	status := Run(t.Context(), Options{Args: []string{"run"}, Out: io.Discard, Err: disk})
	if status != exitFailure || !strings.Contains(disk.String(), "ended by a failure") || strings.Contains(disk.String(), "starting") {
		t.Errorf("the daemon ended with %d, and its log has: %s", status, disk.String())
	}
}
