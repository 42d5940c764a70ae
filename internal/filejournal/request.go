package filejournal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/logkey"
)

// request is what people ask for one pair.
type request struct {
	spec v1alpha1.TrafficSwitchSpec
	// fault says why it isn't known whether that is all; empty: it is.
	fault string
	// file is as it was when it was read; nil: it could not be looked at.
	file os.FileInfo
}

// settled is how old a file must be to be taken for unchanged by its times: one
// that is written twice within a tick of the file system's clock keeps them.
const settled = 2 * time.Second

// Request gives what people ask for in the request file, as it was read last.
// unknown says why it isn't known; then spec is what was last asked for, with
// what of a broken file stops rises or goes back.
func (j *Journal) Request(pair string) (spec v1alpha1.TrafficSwitchSpec, unknown string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	r, ok := j.asked[pair]
	if !ok {
		return v1alpha1.TrafficSwitchSpec{}, "the request file is not read yet"
	}
	return r.spec, r.fault
}

// observed is the generation of the request that was read last.
func (j *Journal) observed(pair string) int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if r := j.asked[pair]; r.file != nil {
		return r.file.ModTime().UnixNano()
	}
	return 0
}

// Run looks at the request files until ctx ends, and calls onChange with the
// pair's name as soon as what is asked for it appears, changes or goes away.
// onChange is called by one goroutine and must not block. Run may be called once.
func (j *Journal) Run(ctx context.Context, onChange func(pair string)) error {
	tick := time.NewTicker(j.every)
	defer tick.Stop()
	for {
		j.look(onChange)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look reads what changed.
func (j *Journal) look(onChange func(pair string)) {
	pairs, err := j.folder.names(requestEnding)
	if err == nil {
		err = j.lock.check()
	}
	there := map[string]bool{}
	for _, pair := range pairs {
		there[pair] = true
	}
	j.mu.Lock()
	for pair := range j.asked {
		if !there[pair] {
			pairs = append(pairs, pair)
		}
	}
	j.mu.Unlock()
	for _, pair := range pairs {
		j.mu.Lock()
		before, known := j.asked[pair]
		j.mu.Unlock()
		next := request{spec: before.spec}
		if err != nil {
			next.fault = err.Error()
		} else {
			next = j.reread(pair, before)
		}
		j.mu.Lock()
		j.asked[pair] = next
		j.mu.Unlock()
		if !known || before.spec != next.spec || before.fault != next.fault {
			if next.fault != "" && next.fault != before.fault {
				j.log.Warn("what is asked for can't be read, nothing rises until it can", logkey.Pair(pair), zap.Error(errors.New(next.fault)))
			}
			onChange(pair)
		}
	}
}

// reread reads a request file, unless it is as it was.
func (j *Journal) reread(pair string, before request) request {
	path := j.folder.full(pair + requestEnding)
	about, err := j.folder.root.Stat(pair + requestEnding)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return request{spec: before.spec, fault: path + " is gone; any command for the pair makes a new one"}
	case err != nil:
		return request{spec: before.spec, fault: fmt.Sprintf("looking at %s: %s", path, bare(err))}
	case before.file != nil && os.SameFile(about, before.file) && about.Size() == before.file.Size() &&
		about.ModTime().Equal(before.file.ModTime()) && time.Since(about.ModTime()) > settled:
		return before
	}
	content, err := j.folder.read(pair + requestEnding)
	switch {
	case err != nil:
		return request{spec: before.spec, fault: err.Error()}
	case content == nil:
		return request{spec: before.spec, fault: path + " is gone; any command for the pair makes a new one"}
	}
	spec, whole, fault := decodeSpec(content)
	if fault != "" {
		return request{spec: salvaged(before.spec, spec, whole), fault: path + ": " + fault, file: about}
	}
	return request{spec: spec, file: about}
}
