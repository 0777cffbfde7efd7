//go:build linux

package timing

import (
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"benchbook/internal/slowtest"
)

func TestRun(t *testing.T) {
	tests := []struct {
		name     string
		words    []string
		exit     int
		contains bool // "out"
		stderr   string
		atLeast  time.Duration
	}{
		{"output and status", []string{"sh", "-c", "echo out; echo err >&2; exit 3"}, 3, true, "err\n", 0},
		{"time asleep is real time", []string{"sleep", "0.2"}, 0, false, "", 200 * time.Millisecond},
		{"killed by a signal", []string{"sh", "-c", "kill -9 $$"}, 137, false, "", 0},
		{"children count", []string{"sh", "-c", "head -c 100000000 /dev/zero | tail -c 90000000 >/dev/null"}, 0, false, "",
			0},
		{"written just before the end", []string{"sh", "-c", "head -c 60000 /dev/zero; echo out"}, 0, true, "", 0},
		{"a child that writes on", []string{"sh", "-c", "echo out; yes & exit 0"}, 0, true, "", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, err := Run(test.words, Options{Contains: "out"})
			if err != nil {
				t.Fatal(err)
			}
			if r.Exit != test.exit || r.Contains != test.contains || r.Stderr != test.stderr {
				t.Errorf("got status %d, %v, %q; want %d, %v, %q", r.Exit, r.Contains, r.Stderr, test.exit, test.contains,
					test.stderr)
			}
			if r.Real < test.atLeast || r.Real > test.atLeast+10*time.Second {
				t.Errorf("took %v; want at least %v", r.Real, test.atLeast)
			}
			if test.name == "children count" && (r.User == 0 || r.PeakMemory == 0) {
				t.Errorf("no processor time or memory for a busy child: %+v", r)
			}
		})
	}
}

// Whatever a program prints, only its metrics and the end of its errors are kept, and nothing that counts is lost
// behind it.
func TestLongOutput(t *testing.T) {
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := Run([]string{"sh", "-c", `head -c 300000000 /dev/zero; printf '\nneedle\n{"metric": "score", "value": 3}\n'`}, Options{Contains: "\nneedle\n"})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Contains || !reflect.DeepEqual(r.Metrics, []string{`{"metric": "score", "value": 3}`}) || r.Lost != "" {
		t.Errorf("got %+v", r)
	}
	if r.Reading <= 0 || r.Reading > 2*r.Real {
		t.Errorf("reading took %v of %v", r.Reading, r.Real)
	}
	runtime.ReadMemStats(&now)
	if grown := (now.TotalAlloc - before.TotalAlloc) >> 20; grown > 4 {
		t.Errorf("%d MiB were allocated for it", grown)
	}
}

func TestLongErrorOutputKeepsItsEnd(t *testing.T) {
	r, err := Run([]string{"sh", "-c", "seq 100000 >&2; echo the end >&2"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Stderr) != maxStderr || !strings.HasSuffix(r.Stderr, "the end\n") {
		t.Errorf("%d bytes that end in %q", len(r.Stderr), r.Stderr[max(0, len(r.Stderr)-20):])
	}
}

// Processes that the program left to others belong to it as well, whether they have ended or not.
func TestProcessesLeftBehind(t *testing.T) {
	slowtest.Skip(t)
	const burn = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"
	alone, err := Run([]string{"sh", "-c", burn}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, burner string }{
		{"ended", burn + "; touch burnt"},
		{"running", burn + "; touch burnt; exec sleep 1"},
		{"the child of one that is running", "sh -c '" + burn + "; touch burnt; exec sleep 1'; true"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := os.WriteFile("burner", []byte(test.burner), 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := Run([]string{"sh", "-c", "(sh burner &); while [ ! -e burnt ]; do sleep 0.05; done; sleep 0.2"}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if r.User < alone.User/3 {
				t.Errorf("%v of user time, and alone the same work takes %v", r.User, alone.User)
			}
		})
	}
}

func TestCannotBeStarted(t *testing.T) {
	for _, words := range [][]string{nil, {"/no/such/program"}} {
		if _, err := Run(words, Options{}); err == nil {
			t.Errorf("Run(%q) gave no error", words)
		}
	}
}

// The end of standard output is kept where it says why something failed: without the text that it should have, or
// beside a bad status.
func TestSaid(t *testing.T) {
	for _, tt := range []struct{ name, script, contains, want string }{
		{"it has the text", "echo 42", "42", ""},
		{"no text is wanted", "echo 41", "", ""},
		{"it lacks the text", "echo 41", "42", "41\n"},
		{"a bad status", "echo 41; exit 3", "", "41\n"},
		{"much of it", "head -c 100000 /dev/zero | tr '\\0' x; echo; echo the end", "42", strings.Repeat("x", maxSaid-9) +
			"\nthe end\n"},
	} {
		r, err := Run([]string{"sh", "-c", tt.script}, Options{Contains: tt.contains})
		if err != nil || r.Said != tt.want {
			t.Errorf("%s: said %.80q, %d bytes, %v; want %.80q, %d", tt.name, r.Said, len(r.Said), err, tt.want, len(tt.want))
		}
	}
}
