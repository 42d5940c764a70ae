package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// lookEvery is how often the memory of a process is read. What it takes within
// its last moments isn't seen.
const lookEvery = 10 * time.Millisecond

// cost is what a process took.
type cost struct {
	wall, cpu time.Duration
	peak      int64 // bytes of resident memory
	// requests are those that the API servers answered.
	requests int
	// status is the exit status.
	status int
}

// measured runs a process to its end and measures it. A status above zero is no
// error: who asks judges it. What the process prints goes into a file.
func measured(ctx context.Context, output string, env []string, name string, args ...string) (c cost, err error) {
	file, err := os.Create(output)
	if err != nil {
		return c, fmt.Errorf("making the output's file: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	cmd := exec.CommandContext(ctx, name, args...)
	var complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env = file, &complaint, append(os.Environ(), env...)
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return c, fmt.Errorf("starting %s: %w", name, err)
	}
	peak, ended := make(chan int64, 1), make(chan struct{})
	go func() { peak <- watchPeak(cmd.Process.Pid, ended) }()
	err = cmd.Wait()
	c.wall = time.Since(began)
	close(ended)
	c.peak, c.status, c.cpu = <-peak, cmd.ProcessState.ExitCode(), cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()
	if c.peak == 0 {
		return c, errors.New("the memory of a process can't be read here: there is no /proc")
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && c.status > 0 {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("running %s: %w: %s", name, err, complaint.String())
	}
	return c, err
}

// watchPeak follows the most memory that a process ever had, in bytes; 0: it
// can't be read. The kernel's own count for a finished process is no help: it
// begins with the memory of the process that started it.
func watchPeak(pid int, ended <-chan struct{}) int64 {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var peak int64
	for {
		peak = max(peak, highWater(pid))
		select {
		case <-ended:
			return peak
		case <-tick.C:
		}
	}
}

// highWater reads VmHWM of a process, which proc(5) gives in kB.
func highWater(pid int) int64 {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "\nVmHWM:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kilobytes, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return 0
	}
	return kilobytes << 10
}
