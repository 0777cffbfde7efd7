package timing

import (
	"strings"
	"testing"
	"time"
)

func TestRun(t *testing.T) {
	tests := []struct {
		name           string
		words          []string
		exit           int
		stdout, stderr string
		atLeast        time.Duration
	}{
		{"output and status", []string{"sh", "-c", "echo out; echo err >&2; exit 3"}, 3, "out\n", "err\n", 0},
		{"time asleep is real time", []string{"sleep", "0.2"}, 0, "", "", 200 * time.Millisecond},
		{"killed by a signal", []string{"sh", "-c", "kill -9 $$"}, 137, "", "", 0},
		{"children count", []string{"sh", "-c", "head -c 100000000 /dev/zero | tail -c 90000000 >/dev/null"}, 0, "", "", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, err := Run(test.words)
			if err != nil {
				t.Fatal(err)
			}
			if r.Exit != test.exit || string(r.Stdout) != test.stdout || r.Stderr != test.stderr {
				t.Errorf("got status %d, %q, %q; want %d, %q, %q", r.Exit, r.Stdout, r.Stderr, test.exit, test.stdout, test.stderr)
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

func TestLongErrorOutputKeepsItsEnd(t *testing.T) {
	r, err := Run([]string{"sh", "-c", "seq 100000 >&2; echo the end >&2"})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Stderr) != maxStderr || !strings.HasSuffix(r.Stderr, "the end\n") {
		t.Errorf("%d bytes that end in %q", len(r.Stderr), r.Stderr[max(0, len(r.Stderr)-20):])
	}
}

func TestCannotBeStarted(t *testing.T) {
	for _, words := range [][]string{nil, {"/no/such/program"}} {
		if _, err := Run(words); err == nil {
			t.Errorf("Run(%q) gave no error", words)
		}
	}
}
