package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/notebook/loadtool"
	"benchbook/runner/loadgen"
)

// result is what one run of a generator came to. Times are in seconds.
type result struct {
	perSecond, cpuEach float64
	inFlight           float64
	p50, p90, p99      float64
	busy               float64
	server             residence
	serverBusy         float64
}

// machine is the CPU time of all and of this program with its children, so far.
type machine struct{ busy, all, ours float64 }

func readMachine() (m machine, err error) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return m, fmt.Errorf("reading the machine's CPU time: %w", err)
	}
	line, _, _ := strings.Cut(string(stat), "\n")
	fields := strings.Fields(line)
	const idle, wait, guest = 4, 5, 9 // guest time is in user time already
	for i := 1; i < min(len(fields), guest); i++ {
		x, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return m, fmt.Errorf("reading the machine's CPU time: %w", err)
		}
		m.all += x / 100
		if i != idle && i != wait {
			m.busy += x / 100
		}
	}
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var r syscall.Rusage
		if err := syscall.Getrusage(who, &r); err != nil {
			return m, err
		}
		m.ours += time.Duration(r.Utime.Nano() + r.Stime.Nano()).Seconds()
	}
	return m, nil
}

// foreign is the share of the machine that others have used since. Time that a hypervisor took counts as theirs.
func (m machine) foreign(before machine) float64 {
	if m.all == before.all {
		return 0
	}
	return max(0, (m.busy-before.busy)-(m.ours-before.ours)) / (m.all - before.all)
}

// start starts a program on some cores: it inherits those of the thread that starts it.
func start(cmd *exec.Cmd, cores ...int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var was, some unix.CPUSet
	if err := unix.SchedGetaffinity(0, &was); err != nil {
		return err
	}
	for _, core := range cores {
		some.Set(core)
	}
	if err := unix.SchedSetaffinity(0, &some); err != nil {
		return err
	}
	defer unix.SchedSetaffinity(0, &was)
	return cmd.Start()
}

// responder is the server while it runs.
type responder struct {
	cmd     *exec.Cmd
	out     bytes.Buffer
	address string
	started time.Time
}

func (s *settings) responder(mode string, core int) (*responder, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	r := &responder{cmd: exec.Command(program, "respond", mode)}
	ready, err := r.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	r.cmd.Stdout = &r.out
	if err := start(r.cmd, core); err != nil {
		return nil, fmt.Errorf("starting the server: %w", err)
	}
	text := make([]byte, 100)
	n, err := ready.Read(text)
	if err != nil {
		r.cmd.Process.Kill()
		return nil, errors.Join(fmt.Errorf("starting the server: %w", err), r.cmd.Wait())
	}
	r.address, r.started = strings.TrimSpace(string(text[:n])), time.Now()
	return r, nil
}

// end ends the server and returns how long it took for answers, and its share of a core.
func (r *responder) end() (of residence, busy float64, err error) {
	length := time.Since(r.started)
	r.cmd.Process.Signal(syscall.SIGTERM)
	if err := r.cmd.Wait(); err != nil {
		return of, 0, fmt.Errorf("ending the server: %w", err)
	}
	if err := json.Unmarshal(r.out.Bytes(), &of); err != nil {
		return of, 0, fmt.Errorf("reading what the server said: %w", err)
	}
	return of, processTime(r.cmd).Seconds() / length.Seconds(), nil
}

func processTime(cmd *exec.Cmd) time.Duration {
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// pair measures both generators, one after the other, each with a server of its own.
func (s *settings) pair(connections int, first bool, mode string) (ours, theirs result, busy float64, err error) {
	for _, own := range []bool{first, !first} {
		r, err := s.once(own, connections, s.length, mode)
		if err != nil {
			return ours, theirs, 0, err
		}
		if own {
			ours, busy = r, r.serverBusy
		} else {
			theirs = r
		}
	}
	return ours, theirs, busy, nil
}

// once measures one generator.
func (s *settings) once(own bool, connections int, length time.Duration, mode string) (result, error) {
	server, err := s.responder(mode, s.cores[0])
	if err != nil {
		return result{}, err
	}
	var r result
	if own {
		config := loadgen.Config{Connections: connections, Duration: length, KeepAlive: true}
		r, err = s.runOurs(config, []int{s.generator()}, server.address)
	} else {
		r, err = s.runWrk(server.address, connections, length)
	}
	var endErr error
	r.server, r.serverBusy, endErr = server.end()
	return r, errors.Join(err, endErr)
}

// scheduled measures the lag of an open loop.
func (s *settings) scheduled(rate int) (result, error) {
	server, err := s.responder(plain, s.cores[0])
	if err != nil {
		return result{}, err
	}
	config := loadgen.Config{Connections: 64, Rate: float64(rate), Duration: s.length, Warmup: 200 * time.Millisecond,
		KeepAlive: true}
	r, err := s.runOurs(config, []int{s.generator()}, server.address)
	_, _, endErr := server.end()
	return r, errors.Join(err, endErr)
}

// threaded measures a load by several threads, on a server for each.
func (s *settings) threaded(threads int) (r result, err error) {
	var addresses []string
	for i := range threads {
		server, err := s.responder(plain, s.cores[i])
		if err != nil {
			return r, err
		}
		defer func() {
			_, _, endErr := server.end()
			err = errors.Join(err, endErr)
		}()
		addresses = append(addresses, server.address)
	}
	// They get cores that no server is on, as far as there are any.
	cores := s.cores[len(s.cores)-threads:]
	return s.runOurs(loadgen.Config{Connections: 64 * threads, Threads: threads, Duration: s.length, KeepAlive: true}, cores,
		addresses...)
}

// runOurs runs our generator on some cores, against the servers at some addresses, by one thread unless the config says
// otherwise. For an open loop the percentiles are those of the lag.
func (s *settings) runOurs(config loadgen.Config, cores []int, addresses ...string) (result, error) {
	for _, address := range addresses {
		config.Targets = append(config.Targets, loadgen.Target{URL: "http://" + address + "/"})
	}
	config.Threads, config.Timeout = max(1, config.Threads), 5*time.Second
	text, err := json.Marshal(config)
	if err != nil {
		return result{}, err
	}
	cmd := exec.Command(s.load, "load")
	cmd.Env = append(os.Environ(), "BENCHBOOK_LOAD="+string(text))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := start(cmd, cores...); err != nil {
		return result{}, fmt.Errorf("starting %s: %w", s.load, err)
	}
	if err := cmd.Wait(); err != nil {
		return result{}, fmt.Errorf("%s: %w: %s", s.load, err, &stderr)
	}
	var found loadgen.Result
	if err := json.Unmarshal(stdout.Bytes(), &found); err != nil {
		return result{}, fmt.Errorf("%s: reading its result: %w", s.load, err)
	}
	if found.Failed > 0 || found.Answered == 0 {
		return result{}, fmt.Errorf("%s: %d answers, and failures %v", s.load, found.Answered, found.Failures)
	}
	seconds := found.Length.Seconds()
	r := result{
		perSecond: float64(found.Completed.Right) / seconds,
		cpuEach:   processTime(cmd).Seconds() / float64(found.Answered+found.Warmup.Answered),
	}
	r.inFlight = r.perSecond * float64(
		found.Latency.Sum) / 1e9 / float64(found.Latency.Count) / float64(config.Connections)
	d := found.Latency
	if found.Lag != nil {
		d = *found.Lag
	}
	h, err := d.Histogram()
	if err != nil {
		return result{}, err
	}
	r.p50, r.p90, r.p99 = float64(h.ValueAtPercentile(50))/1e9, float64(h.ValueAtPercentile(90))/1e9,
		float64(h.ValueAtPercentile(99))/1e9
	if found.CPU != nil && found.CPU.Busiest != nil {
		r.busy = *found.CPU.Busiest
	}
	return r, nil
}

// other is a program that closing compares with. There are no args for what it cannot do.
type other struct {
	name string
	args func(c, requests int, length time.Duration) []string
}

// installed are those of them that are on this machine and end after so many requests, 0 for those that end after a
// time.
func (s *settings) installed(requests int) (out []other) {
	seconds := func(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) }
	for _, o := range []other{
		{"ab", func(c, requests int, length time.Duration) []string {
			if requests == 0 {
				return []string{"-q", "-c", strconv.Itoa(c), "-t", seconds(length), "-n", "10000000"}
			}
			return []string{"-q", "-c", strconv.Itoa(c), "-n", strconv.Itoa(requests)}
		}},
		{"wrk", func(c, requests int, length time.Duration) []string {
			if requests > 0 {
				return nil
			}
			return []string{"-t1", "-c" + strconv.Itoa(c), "-d" + seconds(length) + "s", "--latency", "-H", "Connection: close"}
		}},
		{"hey", func(c, requests int, length time.Duration) []string {
			args := []string{"-disable-keepalive", "-cpus", "1", "-c", strconv.Itoa(c)}
			if requests > 0 {
				return append(args, "-n", strconv.Itoa(requests))
			}
			return append(args, "-z", length.String())
		}},
		{"oha", func(c, requests int, length time.Duration) []string {
			args := []string{"--no-tui", "--disable-keepalive", "--output-format", "json", "-c", strconv.Itoa(c)}
			if requests > 0 {
				return append(args, "-n", strconv.Itoa(requests))
			}
			return append(args, "-z", length.String())
		}},
	} {
		if _, err := exec.LookPath(o.name); err == nil && o.args(1, requests, s.length) != nil {
			out = append(out, o)
		}
	}
	return out
}

// closingOnce measures one of the programs, or ours behind the last of them.
func (s *settings) closingOnce(programs []other, which, c, requests int, mode string) (result, error) {
	server, err := s.responder(mode, s.cores[0])
	if err != nil {
		return result{}, err
	}
	var r result
	if which == len(programs) {
		config := loadgen.Config{Connections: c, Requests: int64(requests), Cut: requests > 0}
		if requests == 0 {
			config.Duration = s.length
		}
		r, err = s.runOurs(config, []int{s.generator()}, server.address)
	} else {
		r, err = s.runOther(programs[which], server.address, c, requests)
	}
	var endErr error
	r.server, r.serverBusy, endErr = server.end()
	return r, errors.Join(err, endErr)
}

// runOther runs the program of somebody else, whose output is read as everywhere. wrk takes the end of each connection
// for a failure.
func (s *settings) runOther(p other, address string, c, requests int) (r result, err error) {
	args := append(p.args(c, requests, s.length), "http://"+address+"/")
	cmd := exec.Command(p.name, args...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := start(cmd, s.generator()); err != nil {
		return r, fmt.Errorf("starting %s: %w", p.name, err)
	}
	if err := cmd.Wait(); err != nil {
		return r, fmt.Errorf("%s: %w: %s", p.name, err, &said)
	}
	var answers float64
	if p.name == "wrk" {
		r, answers, err = parseWrk(socketErrors.ReplaceAllString(out.String(), ""))
	} else {
		tool, _ := loadtool.Find(p.name)
		var o *loadtool.Output
		if o, err = tool.Parse(out.Bytes()); err == nil {
			answers, r.perSecond = float64(o.Completed), float64(o.Completed)/o.Window.Seconds()
			if o.Failed > 0 {
				err = fmt.Errorf("%s: %d of %d requests failed:\n%s", p.name, o.Failed, o.Attempted, &out)
			}
		}
	}
	r.cpuEach = processTime(cmd).Seconds() / answers
	return r, err
}

// socketErrors is what wrk says of connections that end.
var socketErrors = regexp.MustCompile(`(?m)^  Socket errors: connect 0, read \d+, write 0, timeout 0\n`)

func (s *settings) runWrk(address string, connections int, length time.Duration) (result, error) {
	cmd := exec.Command(s.wrk, "-t1", "-c"+strconv.Itoa(connections), "-d"+strconv.Itoa(int(length.Seconds()))+"s",
		"--latency", "http://"+address+"/")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := start(cmd, s.generator()); err != nil {
		return result{}, fmt.Errorf("starting %s: %w", s.wrk, err)
	}
	if err := cmd.Wait(); err != nil {
		return result{}, fmt.Errorf("%s: %w: %s", s.wrk, err, &out)
	}
	r, answers, err := parseWrk(out.String())
	if err != nil {
		return result{}, err
	}
	r.cpuEach = processTime(cmd).Seconds() / answers
	return r, nil
}

var (
	wrkRate    = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)
	wrkAnswers = regexp.MustCompile(`(\d+) requests in`)
	wrkMedian  = regexp.MustCompile(`(?m)^\s+50%\s+(\S+)$`)
	wrkTail    = regexp.MustCompile(`(?m)^\s+99%\s+(\S+)$`)
)

// parseWrk reads what wrk 4 prints.
func parseWrk(out string) (r result, answers float64, err error) {
	if strings.Contains(out, "Socket errors") || strings.Contains(out, "Non-2xx") {
		return r, 0, fmt.Errorf("wrk met errors:\n%s", out)
	}
	for _, f := range []struct {
		what *regexp.Regexp
		to   *float64
		time bool
	}{{wrkRate, &r.perSecond, false}, {wrkAnswers, &answers, false}, {wrkMedian, &r.p50, true}, {wrkTail, &r.p99, true}} {
		found := f.what.FindStringSubmatch(out)
		if found == nil {
			return r, 0, fmt.Errorf("wrk printed nothing like %s:\n%s", f.what, out)
		}
		if !f.time {
			*f.to, err = strconv.ParseFloat(found[1], 64)
		} else {
			var d time.Duration
			d, err = time.ParseDuration(found[1])
			*f.to = d.Seconds()
		}
		if err != nil {
			return r, 0, fmt.Errorf("reading what wrk printed: %w", err)
		}
	}
	return r, answers, nil
}
