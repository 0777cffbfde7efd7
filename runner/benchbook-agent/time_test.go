//go:build linux

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/must"
	"benchbook/runner/agent"
)

// timed times a program while it calls meanwhile with the timer's process. It returns the report and all standard
// output, which is also the file REPORT.
func timed(t *testing.T, s agent.TimerSettings, meanwhile func(*os.Process), words ...string) (agent.TimerReport, []byte) {
	t.Helper()
	s.Marker = "a marker"
	out := must.Get(os.OpenFile(filepath.Join(t.TempDir(), "out"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600))
	defer out.Close()
	cmd := exec.Command(agent.Name, append([]string{agent.Time}, words...)...)
	cmd.Env = append(os.Environ(), s.Environment(), "GORACE=atexit_sleep_ms=0", "REPORT="+out.Name())
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = out, &stderr
	must.Do(cmd.Start())
	meanwhile(cmd.Process)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	data := must.Get(os.ReadFile(out.Name()))
	return must.Get(s.Read(data)), data
}

func nothing(*os.Process) {}

// A program can reach the streams of the timer through /proc, but not its report or its settings.
func TestProgramsThatFindTheTimer(t *testing.T) {
	for _, tt := range []struct {
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
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, data := timed(t, agent.TimerSettings{KeepStdout: true}, nothing, "sh", "-c", tt.run)
			if tt.name == "the report's own" && !bytes.HasPrefix(data, []byte("hello\n")) {
				t.Errorf("the program did not reach the file of the report: %q", data)
			}
			if r.Exit != 0 || strings.Contains(r.Stdout, "hello") != tt.contains || !slices.Equal(r.Metrics, tt.metrics) || r.Stderr != tt.stderr {
				t.Errorf("got %+v", r)
			}
		})
	}
}

func TestProgramThatDoesNotExist(t *testing.T) {
	cmd := exec.Command(agent.Name, agent.Time, "/no/such/program")
	cmd.Env = append(os.Environ(), agent.TimerSettings{Marker: "a marker"}.Environment())
	output, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 1 || !bytes.HasPrefix(output, []byte("starting /no/such/program")) {
		t.Errorf("%v: %q", err, output)
	}
}

func TestPeakMemory(t *testing.T) {
	r, _ := timed(t, agent.TimerSettings{}, nothing, "sh", "-c", "head -c 100000000 /dev/zero | tail -c 90000000 >/dev/null")
	if r.PeakMemory < 90_000_000 || r.PeakMemory > 200_000_000 {
		t.Errorf("got %d bytes, want about 90 MB of the child", r.PeakMemory)
	}
}

// A timer that was stopped reports for how long. One that waited for a core was not stopped.
func TestStandstill(t *testing.T) {
	slowtest.Skip(t)
	started := filepath.Join(t.TempDir(), "started")
	stopped, _ := timed(t, agent.TimerSettings{}, func(p *os.Process) {
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
			if _, err := os.Stat(started); err == nil {
				break
			}
		}
		stopForASecond(t)(p)
	}, "sh", "-c", `touch "$0"; sleep 0.6`, started)
	if s := stopped.Standstill.Seconds(); s < 0.8 || s > stopped.Real.Seconds() || stopped.Real < time.Second {
		t.Errorf("stopped for a second while its command ran, it stood still for %v s of %v", s, stopped.Real)
	}
	crowd := `for i in $(seq 50); do (i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done) & done; wait`
	var busy agent.TimerReport
	for range 10 { // a virtual machine may stand still itself
		busy, _ = timed(t, agent.TimerSettings{}, nothing, "sh", "-c", crowd)
		if busy.Standstill >= 0 && busy.Standstill <= 50*time.Millisecond {
			return
		}
	}
	t.Errorf("next to many processes, it stood still for %v of %v", busy.Standstill, busy.Real)
}
