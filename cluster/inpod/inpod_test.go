//go:build linux

package inpod

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/go-units"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/runner/engine"
)

// beProgram turns the test binary into the program of this package.
const beProgram = "BENCHBOOK_INPOD_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(beProgram) == "" {
		os.Exit(m.Run())
	}
	if err := Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout); err != nil {
		io.WriteString(os.Stderr, err.Error()+"\n")
		os.Exit(127)
	}
}

// program runs a subcommand of the program.
func program(t *testing.T, word string, argument any, stdin string) (stdout, stderr string, status int) {
	t.Helper()
	text := must.Get(json.Marshal(argument))
	cmd := exec.CommandContext(t.Context(), os.Args[0], word, string(text))
	var out, said bytes.Buffer
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = append(os.Environ(), beProgram+"=1"), strings.NewReader(stdin), &out, &said
	_ = cmd.Run() // its status says it
	return out.String(), said.String(), cmd.ProcessState.ExitCode()
}

// A command has its environment, folder and limits, and a missing command is named.
func TestDo(t *testing.T) {
	shell := func(script string) Deed { return Deed{Args: []string{"sh", "-c", script}} }
	with := shell("echo $WORD; pwd; ulimit -n; exit 3")
	with.Environment, with.WorkingDir = []string{"WORD=a b"}, "/proc"
	with.Ulimits = []units.Ulimit{{Name: "nofile", Soft: 99, Hard: 99}}
	read := shell("cat; readlink /proc/self/fd/0")
	read.Stdin = true
	for _, tt := range []struct {
		name           string
		deed           Deed
		stdout, stderr string
		status         int
	}{
		{"with everything", with, "a b\n/proc\n99\n", "", 3},
		{"standard input", shell("cat"), "in", "", 0},
		{"standard input that was read whole before", read, "in/memfd:stdin (deleted)\n", "", 0},
		{"not there", Deed{Args: []string{"/nothing"}}, "", "/nothing", 127},
		{"an unknown limit", Deed{Args: []string{"true"}, Ulimits: []units.Ulimit{{Name: "luck"}}}, "", "ulimit luck", 127},
	} {
		stdout, stderr, status := program(t, Do, tt.deed, "in")
		if stdout != tt.stdout || !strings.Contains(stderr, tt.stderr) || status != tt.status {
			t.Errorf("%s: got %q, %q, %d; want %q, %q, %d", tt.name, stdout, stderr, status, tt.stdout, tt.stderr, tt.status)
		}
	}
}

// Empty volumes are filled from the image, and volumes get their modes.
func TestFill(t *testing.T) {
	from, dir := t.TempDir(), t.TempDir()
	for _, err := range []error{
		os.MkdirAll(filepath.Join(from, "below"), 0o750), os.WriteFile(filepath.Join(from, "below/run"), []byte("x"), 0o755),
		os.Symlink("below/run", filepath.Join(from, "link")), syscall.Mkfifo(filepath.Join(from, "fifo"), 0o600),
		os.Mkdir(filepath.Join(dir, "empty"), 0o755), os.Mkdir(filepath.Join(dir, "full"), 0o755),
		os.WriteFile(filepath.Join(dir, "full/own"), nil, 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	_, stderr, status := program(t, Fill, Filling{
		Copies: []Copy{{from, at("empty")}, {from, at("full")}, {"/nothing", at("full")},
			{filepath.Join(from, "below/run"), at("program")}},
		Modes: []Mode{{at("full"), 0o1770, -1, -1}},
	}, "")
	if status != 0 {
		t.Fatalf("status %d: %s", status, stderr)
	}
	for name, want := range map[string]string{"empty/below": "drwxr-x---", "empty/below/run": "-rwxr-xr-x",
		"empty/link": "Lrwxrwxrwx", "empty/fifo": "", "full/below": "", "full/own": "-rw-r--r--", "full": "dtrwxrwx---",
		"program": "-rwxr-xr-x"} {
		got := ""
		if info, err := os.Lstat(at(name)); err == nil {
			got = info.Mode().String()
		}
		assert.Equal(t, got, want, "%s", name)
	}
}

// The meter answers each question, and continues after one that it does not understand.
func TestMeter(t *testing.T) {
	question := must.Get(json.Marshal(Question{Detail: engine.Detail{Totals: true, Threads: true}, CPUs: true}))
	stdout, stderr, status := program(t, Meter, nil, "nonsense\n"+string(question)+"\n")
	var answers []Reading
	for decoder := json.NewDecoder(strings.NewReader(stdout)); ; {
		var r Reading
		if decoder.Decode(&r) != nil {
			break
		}
		answers = append(answers, r)
	}
	if status != 0 || len(answers) != 2 || answers[0].Error == "" {
		t.Fatalf("got %q, %q, %d; want an error and an answer", stdout, stderr, status)
	}
	if r := answers[1]; r.Error != "" || r.CPU <= 0 || r.Memory <= 0 || len(r.Threads) == 0 || r.CPUs == "" ||
		r.AllCPUs == "" {
		t.Errorf("got %+v, want all of it", r)
	}
}

// Resolve waits until a name has its new address and none of the earlier ones.
func TestResolve(t *testing.T) {
	if _, stderr, status := program(t, Resolve, []Resolution{{"localhost", "127.0.0.1", []string{"10.0.0.1"}}},
		""); status != 0 {
		t.Errorf("status %d: %s", status, stderr)
	}
	for _, never := range []Resolution{{"localhost", "10.0.0.1", nil}, {"localhost", "127.0.0.1", []string{"127.0.0.1"}}} {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		argument, _ := json.Marshal([]Resolution{never}) // plain data
		if err := Main(ctx, []string{Resolve, string(argument)}, nil, nil); ctx.Err() == nil {
			t.Errorf("%+v was found: %v", never, err)
		}
		cancel()
	}
}
