//go:build linux

package agent

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

func sh(script string) []string { return []string{"sh", "-c", script} }

func TestRunTimed(t *testing.T) {
	const zeros = "head -c 2000000 /dev/zero | tr '\\0' x; "
	for _, tt := range []struct {
		name     string
		words    []string
		settings TimerSettings
		want     TimerReport // output and status
		atLeast  time.Duration
	}{
		{"output and status", sh("echo out; echo err >&2; exit 3"), TimerSettings{},
			TimerReport{Exit: 3, Stderr: "err\n", StdoutTail: "out\n"}, 0},
		{"time asleep is real time", []string{"sleep", "0.2"}, TimerSettings{}, TimerReport{}, 200 * time.Millisecond},
		{"killed by a signal", sh("kill -9 $$"), TimerSettings{}, TimerReport{Exit: 137}, 0},
		{"written just before the end", sh(zeros + "exit 1"), TimerSettings{},
			TimerReport{Exit: 1, StdoutTail: strings.Repeat("x", maxSaid)}, 0},
		{"a child that goes on to write", sh("echo out; yes & exit 0"), TimerSettings{}, TimerReport{}, 0},
		{"long errors", sh("seq 100000 >&2; echo the end >&2"), TimerSettings{}, TimerReport{Stderr: "the end\n"}, 0},
		{"stdout is kept", sh(zeros + "echo end"), TimerSettings{KeepStdout: true},
			TimerReport{Stdout: strings.Repeat("x", maxStdout-4) + "end\n"}, 0},
		{"stdout is not kept", []string{"echo", "x"}, TimerSettings{}, TimerReport{}, 0},
		{"metrics", sh(`printf '{"metric": "score", "value": 3}\n'`), TimerSettings{},
			TimerReport{Metrics: []string{`{"metric": "score", "value": 3}`}}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := must.Get(runTimed(tt.words, tt.settings, false))
			if got.Real < tt.atLeast || got.Real > tt.atLeast+10*time.Second {
				t.Errorf("took %v, want %v or more", got.Real, tt.atLeast)
			}
			output := TimerReport{Exit: got.Exit, Stderr: got.Stderr, Stdout: got.Stdout, StdoutTail: got.StdoutTail,
				Metrics: got.Metrics}
			if tt.name == "long errors" {
				assert.Equal(t, len(got.Stderr), maxStderr, "bytes kept of stderr")
				output.Stderr = got.Stderr[max(0, len(got.Stderr)-len(tt.want.Stderr)):]
			}
			assert.Deep(t, output, tt.want)
		})
	}
	for _, words := range [][]string{nil, {"/no/such/program"}} {
		_, err := runTimed(words, TimerSettings{}, false)
		assert.Equal(t, err != nil, true, "%q is refused", words)
	}
}

// Memory is bounded whatever a program prints, and no metric is lost.
func TestLongOutput(t *testing.T) {
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	r := must.Get(runTimed(sh(`head -c 300000000 /dev/zero; printf '\nneedle\n{"metric": "score", "value": 3}\n'`),
		TimerSettings{}, false))
	assert.Slice(t, r.Metrics, []string{`{"metric": "score", "value": 3}`})
	assert.Equal(t, r.Lost, "", "lost")
	if r.Reading <= 0 || r.Reading > 2*r.Real {
		t.Errorf("reading took %v of %v", r.Reading, r.Real)
	}
	if r.User+r.System == 0 || r.PeakMemory < 0 {
		t.Errorf("a busy program used %v and %v, %d bytes", r.User, r.System, r.PeakMemory)
	}
	runtime.ReadMemStats(&now)
	if grown := (now.TotalAlloc - before.TotalAlloc) >> 20; grown > 4 {
		t.Errorf("allocated %d MiB", grown)
	}
}

// Processes that the program left behind count, whether they have ended or not.
func TestProcessesLeftBehind(t *testing.T) {
	slowtest.Skip(t)
	const burn = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"
	alone := must.Get(runTimed(sh(burn), TimerSettings{}, false))
	for _, tt := range []struct{ name, burner string }{
		{"ended", burn + "; touch burnt"},
		{"running", burn + "; touch burnt; exec sleep 1"},
		{"the child of one that is running", "sh -c '" + burn + "; touch burnt; exec sleep 1'; true"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			must.Do(os.WriteFile("burner", []byte(tt.burner), 0o600))
			r := must.Get(runTimed(sh("(sh burner &); while [ ! -e burnt ]; do sleep 0.05; done; sleep 0.2"),
				TimerSettings{}, false))
			if r.User < alone.User/3 {
				t.Errorf("%v of user time, and alone the same work takes %v", r.User, alone.User)
			}
		})
	}
}

// Processes that a warm-up leaves running do not count.
func TestProcessesOfWarmUps(t *testing.T) {
	must.Do(unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
	left := must.Get(exec.Command("sh", "-c", "while :; do :; done >/dev/null 2>&1 & echo $!").Output())
	defer exec.Command("kill", "-9", strings.TrimSpace(string(left))).Run()
	r := must.Get(runTimed([]string{"sleep", "0.5"}, TimerSettings{}, false))
	if used := r.User + r.System; used > 200*time.Millisecond {
		t.Errorf("a program that sleeps used %v", used)
	}
}
