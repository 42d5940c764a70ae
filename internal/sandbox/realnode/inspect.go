package realnode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/aws/aws-sdk-go-v2/service/route53"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

// daemonProcess is the program in the image.
const daemonProcess = "/clusterswitch"

// daemons finds the daemons' processes; the pods' are below this namespace.
func daemons() (pids []int, err error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue // not a process
		}
		words, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err != nil {
			continue // it has just ended
		}
		if program, rest, _ := bytes.Cut(words, []byte{0}); string(program) == daemonProcess && bytes.HasPrefix(rest, []byte("run\x00")) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// inspect asks the kernel how the daemons really run.
func (s *stage) inspect(context.Context) error {
	pids, err := daemons()
	if err != nil {
		return err
	}
	if len(pids) != 2 {
		return fmt.Errorf("there are %d daemons on the node, not 2", len(pids))
	}
	for _, pid := range pids {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return err
		}
		mounts, err := os.ReadFile(fmt.Sprintf("/proc/%d/mountinfo", pid))
		if err != nil {
			return err
		}
		if err := confined(string(status), string(mounts)); err != nil {
			return fmt.Errorf("a daemon isn't confined: %w", err)
		}
	}
	if s.image, err = contentOf(fmt.Sprintf("/proc/%d/root", pids[0])); err != nil {
		return err
	}
	s.say("  both run as 65532:65532, with no capability, no new privileges, a seccomp filter, and a root file system that is read-only")
	s.say("  the image is %.1f MB, unpacked", float64(s.image)/1e6)
	return nil
}

// confined holds what proc(5) says of a process against what the chart promises.
func confined(status, mounts string) error {
	fields := map[string]string{}
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(line, ":")
		fields[name] = strings.Join(strings.Fields(value), " ")
	}
	var errs []error
	for name, want := range map[string]string{
		"Uid": "65532 65532 65532 65532", "Gid": "65532 65532 65532 65532", "NoNewPrivs": "1", "Seccomp": "2",
		"CapEff": "0000000000000000", "CapPrm": "0000000000000000", "CapBnd": "0000000000000000",
	} {
		if fields[name] != want {
			errs = append(errs, fmt.Errorf("%s is %q, not %q", name, fields[name], want))
		}
	}
	root := ""
	for line := range strings.Lines(mounts) {
		if f := strings.Fields(line); len(f) > 5 && f[4] == "/" {
			root = f[5]
		}
	}
	if options := strings.Split(root, ","); options[0] != "ro" {
		errs = append(errs, fmt.Errorf("the root file system is mounted %q, not ro", root))
	}
	return errors.Join(errs...)
}

// contentOf is the size of all files of a process's root, without what is mounted in it.
func contentOf(root string) (size int64, err error) {
	device := func(info fs.FileInfo) uint64 {
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return 0
		}
		return uint64(stat.Dev) //nolint:unconvert // a signed number on macOS
	}
	top, err := os.Stat(root + "/.")
	if err != nil {
		return 0, err
	}
	err = filepath.WalkDir(root+"/", func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		switch {
		case device(info) != device(top) && entry.IsDir():
			return fs.SkipDir
		case device(info) == device(top) && info.Mode().IsRegular():
			size += info.Size()
		}
		return nil
	})
	return size, err
}

// watchMemory keeps the most that a daemon ever had resident.
func (s *stage) watchMemory() error {
	pids, err := daemons()
	if err != nil {
		return err
	}
	for _, pid := range pids {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			continue // it has just ended
		}
		for line := range strings.Lines(string(status)) {
			if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
				kilobytes, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
				if err != nil {
					return fmt.Errorf("reading the memory of a daemon: %w", err)
				}
				s.memory = max(s.memory, kilobytes<<10)
			}
		}
	}
	return nil
}

// weights are green's parts in percent, of the record and of the rule, as AWS stores
// them.
func (s *stage) weights(ctx context.Context) (map[string]int64, error) {
	records, err := s.region.Route53.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: &s.region.HostedZoneID})
	if err != nil {
		return nil, fmt.Errorf("listing records: %w", err)
	}
	var all, green int64
	for _, r := range records.ResourceRecordSets {
		if strings.TrimSuffix(*r.Name, ".") != world.WebName || r.Type != r53types.RRTypeA || r.Weight == nil {
			continue
		}
		all += *r.Weight
		if *r.SetIdentifier == "green" {
			green = *r.Weight
		}
	}
	return map[string]int64{"record": 100 * green / max(all, 1), "rule": int64(s.region.GreenShare())}, nil
}

// finish prints the figures, and judges what only the end can tell.
func (s *stage) finish() error {
	counts := s.users.Stop()
	var errs []error
	if counts.Failed > 0 {
		errs = append(errs, fmt.Errorf("%d of %d requests of users failed: %v", counts.Failed, counts.Requests, counts.FailedByCause))
	}
	if s.restarts > 0 {
		errs = append(errs, fmt.Errorf("containers were restarted %d times", s.restarts))
	}
	verdict := "passed"
	if len(errs) > 0 {
		verdict = "failed"
	}
	s.say("\nreal-node: nodes=1 pods=2 ready=%.1fs rss=%.1fMiB image=%.1fMB steps=%d rollback=%dms rollbackByCommand=%dms requests=%d failedRequests=%d leaderDeleted=%d restarts=%d; %s in %.0fs",
		s.ready.Seconds(), float64(s.memory)/(1<<20), float64(s.image)/1e6, s.steps, s.rollback.Milliseconds(), s.command.Milliseconds(),
		counts.Requests, counts.Failed, s.deleted, s.restarts, verdict, time.Since(s.began).Seconds())
	return errors.Join(errs...)
}
