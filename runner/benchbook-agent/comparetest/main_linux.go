// Command comparetest compares "benchbook-agent load" with wrk, and with a connection for each
// request with ab, hey and oha too, in turns, on the same core and against the same server, and says whether it keeps
// what it promises.
//
//	make bench-load
//
// The server is this program started again (see responder_linux.go), alone on one core; the generators take
// turns on another. Each round measures both, one right after the other and in turns first, and gives one ratio; the
// median of the rounds counts. A round in which the rest of the machine used more than a limit is thrown out, and that
// is said.
//
// The exit status is 0 if every promise is kept, 1 if one is not or could not be measured, and 2 if the program cannot
// be used here.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// settings are those of all rows.
type settings struct {
	load, wrk string // programs
	pairs     int    // rounds that have to be left
	tries     int    // rounds at most
	length    time.Duration
	foreign   float64       // the most of the machine that others may use
	patience  time.Duration // how long to wait for a quiet moment before a round
	only      string
	cores     []int // that may be used; the first is the server's
	out       io.Writer
}

// generator is the core of the generators.
func (s *settings) generator() int { return s.cores[len(s.cores)-1] }

func main() {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "respond":
			exit(respond(os.Args[2:]))
		case "inside":
			exit(inside(os.Args[2:]))
		}
	}
	if os.Getenv(apart) == "" {
		exitAs(startApart())
	}
	if err := loopbackUp(); err != nil {
		exitAs(err)
	}
	s := settings{out: os.Stdout}
	flag.StringVar(&s.load, "load", "bin/benchbook-agent", "the program whose part load is judged")
	flag.StringVar(&s.wrk, "wrk", "wrk", "the one to compare it with")
	flag.IntVar(&s.pairs, "pairs", 7, "rounds that must be left for a ratio")
	flag.DurationVar(&s.length, "length", 2*time.Second, "length of one run")
	flag.Float64Var(&s.foreign, "foreign", 0.12, "the most of the machine's CPU time that others may use in a round")
	flag.DurationVar(&s.patience, "patience", 10*time.Second, "how long to wait for a quiet moment before a round")
	flag.StringVar(&s.only, "only", "", "measure the parts whose name begins like this, such as \"closed 64\"")
	flag.Parse()
	s.tries = 3 * s.pairs
	kept, err := s.run()
	if err != nil {
		exitAs(err)
	}
	if !kept {
		os.Exit(1)
	}
}

// apart is set in the program that has a network of its own.
const apart = "BENCH_LOAD_APART"

// startApart runs this program again in a network of its own. Where containers run, the kernel tracks every connection
// of the machine's network for two minutes, which costs each of them a tenth of its time and drops those that do not
// fit into its table: at 20,000 connections a second it is full after 13 s.
func startApart() error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(program, os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), apart+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if user := os.Geteuid(); user != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: user, Size: 1}}
	}
	return cmd.Run()
}

// loopbackUp starts the loopback device of a new network.
func loopbackUp() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("starting the loopback device: %w", err)
	}
	defer unix.Close(socket)
	device, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	device.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, device); err != nil {
		return fmt.Errorf("starting the loopback device: %w", err)
	}
	return nil
}

// exitAs ends with the status of a program that was run, or says why it could not be.
func exitAs(err error) {
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		os.Exit(ended.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	os.Exit(0)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// row is one promise with what came of it.
type row struct {
	name     string
	want     string // empty where nothing is promised
	measured string
	kept     bool
	missing  bool // it could not be measured
}

func (s *settings) run() (kept bool, err error) {
	if err := s.findCores(); err != nil {
		return false, err
	}
	for _, program := range []*string{&s.load, &s.wrk} {
		if strings.Contains(*program, "/") {
			if *program, err = filepath.Abs(*program); err != nil {
				return false, err
			}
		}
	}
	fmt.Fprintf(s.out, "server on core %d, generators on core %d; %d rounds of %v, at most %.0f %% foreign CPU\n\n",
		s.cores[0], s.generator(), s.pairs, s.length, 100*s.foreign)
	kept = true
	// Each part is printed when it is there, so the widths are those of the longest.
	const line = "%-65s  %-11s  %-42s  %s\n"
	fmt.Fprintf(s.out, line, "", "wanted", "measured", "")
	parts := s.parts()
	if !slices.ContainsFunc(parts, func(p part) bool { return strings.HasPrefix(p.name, s.only) }) {
		return false, fmt.Errorf("no row's name begins with %q; "+
			"rows are closed, close, added, open, threads and memory", s.only)
	}
	for _, part := range parts {
		if !strings.HasPrefix(part.name, s.only) {
			continue
		}
		rows, err := part.measure()
		if err != nil {
			return false, fmt.Errorf("%s: %w", part.name, err)
		}
		for _, r := range rows {
			kept = kept && (r.kept || r.want == "") && !r.missing
			fmt.Fprintf(s.out, line, r.name, r.want, r.measured, r.verdict())
		}
	}
	return kept, nil
}

// findCores finds the cores that may be used.
func (s *settings) findCores() error {
	var mask unix.CPUSet
	if err := unix.SchedGetaffinity(0, &mask); err != nil {
		return fmt.Errorf("finding cores: %w", err)
	}
	for cpu := range 1024 {
		if mask.IsSet(cpu) {
			s.cores = append(s.cores, cpu)
		}
	}
	if len(s.cores) < 2 {
		return fmt.Errorf("there is one core; the server and the generators need one each")
	}
	return nil
}

// part is some promises that are measured together.
type part struct {
	name    string
	measure func() ([]row, error)
}

func (s *settings) parts() (parts []part) {
	for _, c := range []int{1, 16, 64, 150, 256} {
		parts = append(parts, part{fmt.Sprintf("closed %d", c), func() ([]row, error) { return s.closed(c) }})
	}
	for _, c := range []int{1, 16, 64, 150} {
		parts = append(parts, part{fmt.Sprintf("close %d", c), func() ([]row, error) { return s.closing(c, 0, close4) }},
			part{fmt.Sprintf("close %d requests", c), func() ([]row, error) { return s.closing(c, 1000, close4) }})
	}
	parts = append(parts, part{"close IPv6", func() ([]row, error) { return s.closing(150, 0, close6) }})
	parts = append(parts, part{"added", s.added})
	for _, rate := range []int{1000, 10_000, 50_000} {
		parts = append(parts, part{fmt.Sprintf("open %d", rate), func() ([]row, error) { return s.open(rate) }})
	}
	return append(parts, part{"threads", s.threads}, part{"memory", s.memory})
}

func (r row) verdict() string {
	switch {
	case r.missing:
		return "inconclusive"
	case r.want == "":
		return ""
	case r.kept:
		return "met"
	}
	return "missed"
}

// closed loads the server as much as it takes, over so many connections.
func (s *settings) closed(c int) ([]row, error) {
	var rate, cpu, share, full []float64
	left, tried, err := s.rounds(func(first bool) error {
		ours, theirs, server, err := s.pair(c, first, plain)
		if err != nil {
			return err
		}
		rate = append(rate, ours.perSecond/theirs.perSecond)
		cpu = append(cpu, ours.cpuEach/theirs.cpuEach)
		share = append(share, ours.inFlight)
		full = append(full, server)
		return nil
	}, &rate, &cpu, &share, &full)
	if err != nil {
		return nil, err
	}
	wantRate, wantCPU := 1.20, 0.82
	if c == 1 {
		wantRate, wantCPU = 1.02, 0.92
	}
	name := fmt.Sprintf("%d connections: ", c)
	return []row{
		s.row(name+"requests/s, ratio to wrk", rate, atLeast(wantRate), fmt.Sprintf(" (%d of %d rounds)", left, tried)),
		s.row(name+"CPU for a request, ratio to wrk", cpu, atMost(wantCPU), ""),
		s.row(name+"share of the connections in flight", share, atLeast(0.99), ""),
		s.row(name+"how busy the server's core was", full, limit{}, ""),
	}, nil
}

// closing loads a server that closes every connection after its answer, for a time or with so many requests, by each of
// the generators that are installed.
func (s *settings) closing(c, requests int, mode string) ([]row, error) {
	programs := s.installed(requests)
	rate, cpu := make([][]float64, len(programs)), make([][]float64, len(programs))
	var full []float64
	lists := []*[]float64{&full}
	for i := range programs {
		lists = append(lists, &rate[i], &cpu[i])
	}
	left, tried, err := s.rounds(func(first bool) error {
		results := make([]result, len(programs)+1) // ours is the last
		for i := range results {
			if !first {
				i = len(programs) - i
			}
			var err error
			if results[i], err = s.closingOnce(programs, i, c, requests, mode); err != nil {
				return err
			}
		}
		ours := results[len(programs)]
		for i := range programs {
			rate[i] = append(rate[i], ours.perSecond/results[i].perSecond)
			cpu[i] = append(cpu[i], ours.cpuEach/results[i].cpuEach)
		}
		full = append(full, ours.serverBusy)
		return nil
	}, lists...)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%d clients, a connection for each request", c)
	if mode == close6 {
		name += ", IPv6"
	}
	if requests > 0 {
		name += fmt.Sprintf(", %d requests", requests)
	}
	var rows []row
	for i, p := range programs {
		var wantRate, wantCPU limit
		if p.name == "ab" {
			wantRate, wantCPU = atLeast(1.10), atMost(1)
		}
		rows = append(rows, s.row(name+": requests/s, ratio to "+p.name, rate[i], wantRate,
			fmt.Sprintf(" (%d of %d rounds)", left, tried)))
		if requests == 0 { // of few requests most of the time is the start of the program
			rows = append(rows, s.row("    CPU for a request, ratio to "+p.name, cpu[i], wantCPU, ""))
		}
	}
	return append(rows, s.row("    how busy the server's core was", full, limit{}, "")), nil
}

// added is what the generators add to the time that a server takes for an answer.
func (s *settings) added() ([]row, error) {
	type both struct{ ours, theirs []float64 }
	var p50, p99 both
	left, tried, err := s.rounds(func(first bool) error {
		for _, own := range []bool{first, !first} {
			r, err := s.once(own, 1, 3*s.length/2, timer)
			if err != nil {
				return err
			}
			to50, to99 := &p50.theirs, &p99.theirs
			if own {
				to50, to99 = &p50.ours, &p99.ours
			}
			*to50 = append(*to50, 1e6*(r.p50-r.server.P50))
			*to99 = append(*to99, 1e6*(r.p99-r.server.P99))
		}
		return nil
	}, &p50.ours, &p50.theirs, &p99.ours, &p99.theirs)
	if err != nil {
		return nil, err
	}
	compare := func(name string, b both, note string) row {
		if len(b.ours) < s.pairs {
			return row{name: name, want: "below wrk's", measured: tooFew(left, tried), missing: true}
		}
		ours, theirs := median(b.ours), median(b.theirs)
		return row{name: name, want: "below wrk's", measured: fmt.Sprintf("%.0f µs, wrk %.0f µs%s", ours, theirs, note),
			kept: ours < theirs}
	}
	return []row{
		compare("added to 2 ms, p50", p50, fmt.Sprintf(" (%d of %d rounds)", left, tried)),
		compare("added to 2 ms, p99", p99, ""),
	}, nil
}

// open is how late requests leave that are due on a schedule.
func (s *settings) open(rate int) ([]row, error) {
	var p50, p90, p99, busy []float64
	left, tried, err := s.rounds(func(bool) error {
		r, err := s.scheduled(rate)
		if err != nil {
			return err
		}
		p50, p90, p99 = append(p50, 1e6*r.p50), append(p90, 1e6*r.p90), append(p99, 1e6*r.p99)
		busy = append(busy, r.busy)
		return nil
	}, &p50, &p90, &p99, &busy)
	if err != nil {
		return nil, err
	}
	want50, want99 := atMost(1), atMost(25)
	if rate == 50_000 {
		want50, want99 = limit{}, limit{}
	}
	want50.unit, want99.unit = " µs", " µs"
	name := fmt.Sprintf("%d/s: ", rate)
	return []row{
		s.row(name+"lag p50", p50, want50, fmt.Sprintf(" (%d of %d rounds)", left, tried)),
		s.row(name+"lag p90", p90, limit{unit: " µs"}, ""),
		s.row(name+"lag p99", p99, want99, ""),
		s.row(name+"busy share of the generator, polling left out", busy, limit{}, ""),
	}, nil
}

// threads is what a second thread brings, with a second server for it. Where there are four cores each of them has its
// own. Where there are fewer they share, and what can be seen is whether two threads do the work of one at the same
// cost.
func (s *settings) threads() ([]row, error) {
	var rate, cpu []float64
	left, tried, err := s.rounds(func(first bool) error {
		var one, two result
		for _, second := range []bool{first, !first} {
			to, n := &one, 1
			if second {
				to, n = &two, 2
			}
			var err error
			if *to, err = s.threaded(n); err != nil {
				return err
			}
		}
		rate, cpu = append(rate, two.perSecond/one.perSecond), append(cpu, two.cpuEach/one.cpuEach)
		return nil
	}, &rate, &cpu)
	if err != nil {
		return nil, err
	}
	note := fmt.Sprintf(" (%d of %d rounds)", left, tried)
	if len(s.cores) < 4 {
		note = " (servers and threads share cores)"
	}
	return []row{
		s.row("2 threads and 2 servers: requests/s, ratio to one of each", rate, limit{}, note),
		s.row("2 threads and 2 servers: CPU for a request, ratio", cpu, limit{}, ""),
	}, nil
}

// memory is what requests and connections take.
func (s *settings) memory() ([]row, error) {
	r, err := s.insides()
	if err != nil {
		return nil, err
	}
	return []row{
		{name: "allocations for a request", want: "0", measured: fmt.Sprintf("%.3f", r.Allocations),
			kept: r.Allocations < 0.005},
		{name: "bytes of ours for an idle connection", want: "≤ 256", measured: fmt.Sprintf("%.0f", r.Connection),
			kept: r.Connection <= 256},
	}, nil
}

// limit is what is promised of a number.
type limit struct {
	least, most float64 // 0 for none
	unit        string
}

func atLeast(x float64) limit { return limit{least: x} }
func atMost(x float64) limit  { return limit{most: x} }

func (s *settings) row(name string, values []float64, want limit, note string) row {
	r := row{name: name}
	switch {
	case want.least > 0:
		r.want = fmt.Sprintf("≥ %.2f%s", want.least, want.unit)
	case want.most > 0:
		r.want = fmt.Sprintf("≤ %.2f%s", want.most, want.unit)
	}
	if len(values) < s.pairs {
		r.measured, r.missing = tooFew(len(values), s.tries), r.want != ""
		return r
	}
	m := median(values)
	r.measured = fmt.Sprintf("%.3f%s [%.3f, %.3f]%s", m, want.unit, slices.Min(values), slices.Max(values), note)
	r.kept = m >= want.least && (want.most == 0 || m <= want.most)
	return r
}

func tooFew(left, tried int) string {
	return fmt.Sprintf("%d of %d rounds were quiet enough, too few", left, tried)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// settle waits for a quiet moment, which mostly is followed by another.
func (s *settings) settle() error {
	const moment = 250 * time.Millisecond
	for begin := time.Now(); time.Since(begin) < s.patience; {
		before, err := readMachine()
		if err != nil {
			return err
		}
		time.Sleep(moment)
		after, err := readMachine()
		if err != nil || after.foreign(before) <= s.foreign {
			return err
		}
	}
	return nil
}

// rounds repeats a round until enough of them are left, in turns with ours first. What a round has added to the lists
// is taken back if others used too much of the machine meanwhile.
func (s *settings) rounds(round func(first bool) error, lists ...*[]float64) (left, tried int, err error) {
	for left < s.pairs && tried < s.tries {
		tried++
		if err := s.settle(); err != nil {
			return 0, 0, err
		}
		before, err := readMachine()
		if err != nil {
			return 0, 0, err
		}
		roundErr := round(tried%2 == 1)
		after, err := readMachine()
		if err != nil {
			return 0, 0, err
		}
		if after.foreign(before) > s.foreign { // whatever came of it, failures too
			for _, l := range lists {
				*l = (*l)[:min(left, len(*l))]
			}
			continue
		}
		if roundErr != nil {
			return 0, 0, roundErr
		}
		left++
	}
	return left, tried, nil
}
