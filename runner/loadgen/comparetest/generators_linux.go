package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"benchbook/internal/test/must"
	"benchbook/notebook/loadtool"
	"benchbook/runner/loadgen"
)

// generator is a program that puts load on a server.
type generator struct {
	name string
	call func(connections int, url string) []string
	read func(out []byte) (answers, perSecond float64, err error)
}

type result struct{ perSecond, cpuEach float64 }

// generators returns our own first, then the others that are installed.
func (s *settings) generators(closing bool) []generator {
	seconds := strconv.Itoa(int(s.length.Seconds()))
	own := func(name, program string) generator {
		return generator{name, func(c int, url string) []string {
			// A config in JSON instead of flags, so that an older program understands it.
			config, _ := json.Marshal(loadgen.Config{Targets: []loadgen.Target{{URL: url}}, Connections: c, Threads: 1,
				Duration: s.length, Timeout: 5 * time.Second, KeepAlive: !closing})
			// Older programs read the variable, and newer ones their standard input.
			return []string{"env", "BENCHBOOK_LOAD=" + string(config), "sh", "-c", `echo "$BENCHBOOK_LOAD" | "$0" load`, program}
		}, readOwn}
	}
	all := []generator{own("ours", s.ours)}
	if s.base != "" {
		all = append(all, own("base", s.base))
	}
	all = append(all, generator{"wrk", func(c int, url string) []string {
		call := []string{"wrk", "-t1", "-c" + strconv.Itoa(c), "-d" + seconds + "s", url}
		if closing {
			call = append(call, "-H", "Connection: close")
		}
		return call
	}, readWrk})
	if closing { // ab is not made for keep-alive
		all = append(all, generator{"ab", func(c int, url string) []string {
			return []string{"ab", "-q", "-c", strconv.Itoa(c), "-t", seconds, "-n", "10000000", url}
		}, readAB})
	}
	installed := all[:0]
	for _, g := range all {
		if _, err := exec.LookPath(g.call(1, "")[0]); err == nil {
			installed = append(installed, g)
		}
	}
	return installed
}

// measure measures one generator on a server of its own.
func (s *settings) measure(g generator, connections int, closing bool) (r result, err error) {
	err = s.serve(closing, func(url string) error {
		call := g.call(connections, url)
		out, cpu, err := s.run(call[0], call[1:]...)
		if err != nil {
			return err
		}
		answers, perSecond, err := g.read(out)
		if err == nil && answers == 0 {
			err = fmt.Errorf("no answers: %s", out)
		}
		r = result{perSecond, cpu.Seconds() / answers}
		return err
	})
	return r, err
}

func readOwn(out []byte) (answers, perSecond float64, err error) {
	var r loadgen.Result
	if err := json.Unmarshal(out, &r); err != nil {
		return 0, 0, err
	}
	if r.Failed > 0 {
		return 0, 0, fmt.Errorf("failures: %v", r.Failures)
	}
	return float64(r.Answered), float64(r.Completed.Right) / r.Length.Seconds(), nil
}

var wrkNumbers = regexp.MustCompile(`(?s)(\d+) requests in .*Requests/sec:\s+([0-9.]+)`)

// readWrk reads the output of wrk. It ignores failures, as wrk counts the end of each connection as one.
func readWrk(out []byte) (answers, perSecond float64, err error) {
	found := wrkNumbers.FindSubmatch(out)
	if found == nil || bytes.Contains(out, []byte("Non-2xx")) {
		return 0, 0, fmt.Errorf("wrk printed %s", out)
	}
	answers, err = strconv.ParseFloat(string(found[1]), 64)
	perSecond, err2 := strconv.ParseFloat(string(found[2]), 64)
	return answers, perSecond, errors.Join(err, err2)
}

func readAB(out []byte) (answers, perSecond float64, err error) {
	tool, _ := loadtool.Find("ab")
	o, err := tool.Parse(out)
	if err != nil {
		return 0, 0, err
	}
	if o.Failed > 0 {
		return 0, 0, fmt.Errorf("%d of %d requests failed", o.Failed, o.Attempted)
	}
	return float64(o.Completed), float64(o.Completed) / o.Window.Seconds(), nil
}

// run runs a generator on its core.
func (s *settings) run(name string, args ...string) (out []byte, cpu time.Duration, err error) {
	cmd := onCore(s.cores[len(s.cores)-1], name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, 0, fmt.Errorf("%w: %s", err, &stderr)
	}
	return stdout.Bytes(), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}

// onCore returns a command that runs on one core.
func onCore(core int, name string, args ...string) *exec.Cmd {
	return exec.Command("taskset", append([]string{"--cpu-list", strconv.Itoa(core), name}, args...)...)
}

// serve starts a server on its core for as long as f takes.
func (s *settings) serve(closing bool, f func(url string) error) error {
	cmd := onCore(s.cores[0], must.Get(os.Executable()), "respond", "127.0.0.1:0", fmt.Sprint(closing))
	ready := must.Get(cmd.StderrPipe())
	must.Do(cmd.Start())
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
	}()
	text := make([]byte, 100)
	n := must.Get(ready.Read(text))
	return f("http://" + strings.TrimSpace(string(text[:n])) + "/")
}
