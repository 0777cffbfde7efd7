//go:build linux

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"benchbook/internal/slowtest"
	"benchbook/runner/engine/agent"
	"benchbook/runner/load/timing"
)

// Through /proc, a program reaches the streams of the timer beside it.
func TestProgramsThatFindTheTimer(t *testing.T) {
	tests := []struct {
		name, run string
		contains  bool // "hello"
		metrics   []string
		stderr    string
	}{
		{"its own output", "echo hello; echo oh >&2", true, nil, "oh\n"},
		{"the streams of the timer", `echo hello >/proc/$PPID/fd/1; echo '{"metric": "x", "value": 1}' >/proc/$PPID/fd/1; echo oh >/proc/$PPID/fd/2`,
			true, []string{`{"metric": "x", "value": 1}`}, "oh\n"},
		{"the report's own", `for fd in /proc/$PPID/fd/*; do [ "$(readlink $fd)" = "$REPORT" ] && echo hello >>$fd; done; true`, false, nil, ""},
		{"the environment", `env | grep -c ^BENCHBOOK_TIME= >&2; true`, false, nil, "0\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			settings := timing.Settings{Marker: "a marker", Contains: "hello"}
			cmd := exec.Command(agent.Name, agent.Time, "sh", "-c", test.run)
			out, err := os.OpenFile(filepath.Join(t.TempDir(), "out"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			cmd.Env = append(os.Environ(), settings.Environment(), "GORACE=atexit_sleep_ms=0", "REPORT="+out.Name())
			var stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = out, &stderr
			if err := cmd.Run(); err != nil {
				t.Fatalf("%v: %s", err, &stderr)
			}
			data, err := os.ReadFile(out.Name())
			if err != nil {
				t.Fatal(err)
			}
			if test.name == "the report's own" && !bytes.HasPrefix(data, []byte("hello\n")) {
				t.Errorf("the report went elsewhere: %q", data)
			}
			r, err := settings.Read(data)
			if err != nil {
				t.Fatalf("%v: %q", err, data)
			}
			if r.Exit != 0 || r.Contains != test.contains || !slices.Equal(r.Metrics, test.metrics) || r.Stderr != test.stderr {
				t.Errorf("got %+v", r)
			}
		})
	}
}

func TestProgramThatIsNotThere(t *testing.T) {
	cmd := exec.Command(agent.Name, agent.Time, "/no/such/program")
	cmd.Env = append(os.Environ(), timing.Settings{Marker: "a marker"}.Environment())
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err := cmd.Run()
	if cmd.ProcessState.ExitCode() != 1 || !bytes.Contains(stderr.Bytes(), []byte("starting /no/such/program")) {
		t.Errorf("%v: %q", err, &stderr)
	}
}

// Programs before and after the one that is timed are run where it is, and their time is not its.
func TestHooks(t *testing.T) {
	tests := []struct {
		name     string
		settings timing.Settings
		want     timing.Report // without times
	}{
		{"both", timing.Settings{Before: [][]string{{"sh", "-c", "sleep 0.2; echo before"}},
			After: [][]string{{"echo", "after"}}, KeepStdout: true},
			timing.Report{Stdout: "hello\n", Before: timing.Hooks{Stdout: "before\n"}, After: timing.Hooks{Stdout: "after\n"}}},
		{"one before fails", timing.Settings{Before: [][]string{{"false"}}, After: [][]string{{"echo", "after"}},
			KeepStdout: true},
			timing.Report{Before: timing.Hooks{Failure: "false ended with status 1"}}},
		{"one after fails", timing.Settings{After: [][]string{{"false"}}},
			timing.Report{After: timing.Hooks{Failure: "false ended with status 1"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.settings.Marker = "a marker"
			var r timing.Report
			// a busy machine may keep it from running
			for tries := 1; tries == 1 || r.Real > 150*time.Millisecond && tries <= 5; tries++ {
				cmd := exec.Command(agent.Name, agent.Time, "echo", "hello")
				cmd.Env = append(os.Environ(), test.settings.Environment(), "GORACE=atexit_sleep_ms=0")
				out, err := cmd.Output()
				if err != nil {
					t.Fatal(err)
				}
				if r, err = test.settings.Read(out); err != nil {
					t.Fatal(err)
				}
			}
			if r.Before != test.want.Before || r.After != test.want.After || r.Stdout != test.want.Stdout ||
				r.Real > 150*time.Millisecond {
				t.Errorf("got %+v, want %+v", r, test.want)
			}
		})
	}
}

// standstill times a program, with something done to the timer meanwhile, and gives for how long that stood still.
func standstill(t *testing.T, meanwhile func(*os.Process), words ...string) timing.Report {
	t.Helper()
	settings := timing.Settings{Marker: "a marker"}
	cmd := exec.Command(agent.Name, append([]string{agent.Time}, words...)...)
	cmd.Env = append(os.Environ(), settings.Environment(), "GORACE=atexit_sleep_ms=0")
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	meanwhile(cmd.Process)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	r, err := settings.Read(out.Bytes())
	if err != nil {
		t.Fatalf("%v: %q", err, &out)
	}
	return r
}

// A timer that was stopped notes the end of its program late, and says for how long. One that waited for a core was not
// stopped.
func TestStandstill(t *testing.T) {
	slowtest.Skip(t)
	stopped := standstill(t, func(p *os.Process) {
		time.Sleep(300 * time.Millisecond)
		if err := p.Signal(syscall.SIGSTOP); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		if err := p.Signal(syscall.SIGCONT); err != nil {
			t.Error(err)
		}
	}, "sleep", "0.6")
	if s := stopped.Standstill.Seconds(); s < 0.8 || s > stopped.Real.Seconds() || stopped.Real < 1200*time.Millisecond {
		t.Errorf("stopped for a second, it stood still for %v s of %v", s, stopped.Real)
	}
	crowd := `for i in $(seq 50); do (i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done) & done; wait`
	// A machine that stands still itself, as virtual ones do, stops the timer too, but hardly three times in turn.
	var busy timing.Report
	for range 3 {
		busy = standstill(t, func(*os.Process) {}, "sh", "-c", crowd)
		if busy.Standstill >= 0 && busy.Standstill <= 50*time.Millisecond {
			return
		}
	}
	t.Errorf("beside a program of many processes, it stood still for %v of %v", busy.Standstill, busy.Real)
}
