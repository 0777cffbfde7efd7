//go:build linux

package timing

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestRunHooks(t *testing.T) {
	sh := func(script string) []string { return []string{"sh", "-c", script} }
	tests := []struct {
		name string
		list [][]string
		want Hooks
	}{
		{"none", nil, Hooks{}},
		{"in order", [][]string{sh("echo a"), sh("echo b; echo c >&2")}, Hooks{Stdout: "a\nb\n"}},
		{"one fails", [][]string{sh("echo a"), sh("echo b; echo x >&2; echo no >&2; exit 3"), sh("echo c")},
			Hooks{Stdout: "a\nb\n", Failure: "sh ended with status 3: no", Log: "x\nno\n"}},
		{"one is not there", [][]string{{"/no/such/program"}},
			Hooks{Failure: "/no/such/program could not be started: fork/exec /no/such/program: no such file or directory"}},
		{"one leaves something running", [][]string{sh("sleep 30 & echo started")}, Hooks{Stdout: "started\n"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			begin := time.Now()
			if got := RunHooks(test.list); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if took := time.Since(begin); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// What a hook leaves running is not the program's, whatever it uses; what the program leaves is.
func TestProcessesBesideTheProgram(t *testing.T) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil { // as it is in a container of its own
		t.Fatal(err)
	}
	if hooks := RunHooks([][]string{{"sh", "-c", "while :; do :; done & echo $!"}}); hooks.Failure != "" {
		t.Fatal(hooks.Failure)
	} else {
		pid := strings.TrimSpace(hooks.Stdout)
		t.Cleanup(func() { RunHooks([][]string{{"kill", "-9", pid}}) })
	}
	r, err := Run([]string{"sleep", "0.5"}, Options{Beside: true})
	if err != nil {
		t.Fatal(err)
	}
	if used := r.User + r.System; used > 200*time.Millisecond {
		t.Errorf("a program that sleeps used %v", used)
	}
}

func TestKeptOutput(t *testing.T) {
	r, err := Run([]string{"sh", "-c", "head -c 2000000 /dev/zero | tr '\\0' x; printf 'total 42\\n'"},
		Options{KeepStdout: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Stdout) != maxStdout || !strings.HasSuffix(r.Stdout, "xtotal 42\n") {
		t.Errorf("%d bytes are kept, ending with %q", len(r.Stdout), r.Stdout[max(0, len(r.Stdout)-20):])
	}
	if r, err = Run([]string{"echo", "x"}, Options{}); err != nil || r.Stdout != "" {
		t.Errorf("kept %q, %v, which nobody asked for", r.Stdout, err)
	}
}
