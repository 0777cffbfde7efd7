package measure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/lab"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/local"
	"benchbook/runner/images"
	"benchbook/runner/machine"
)

// timed times commands with the real engine, and returns the output. If fails is not 0, the engine fails from that
// repetition on.
func timed(ctx context.Context, t testing.TB, c Commands, o OneLineOptions, fails int) (out string, err error) {
	t.Helper()
	slowtest.SkipSequential(t)
	cache := filepath.Join(os.TempDir(), "benchbook-oneline-test") // the program is built once
	var stdout, stderr bytes.Buffer
	a := &lab.Session{Stdout: &stdout, Stderr: &stderr, Config: lab.Config{Agent: images.FinderHere(cache).Agent,
		Settler: &machine.Settler{Longest: 100 * time.Millisecond}, // others run beside us
		Engines: []lab.Engine{{Name: spec.Local, Connect: func(ctx context.Context) (engine.Engine, error) {
			e, err := local.New(ctx, local.Options{Folder: t.TempDir()})
			if fails > 0 {
				return &breaking{e, fails}, err
			}
			return e, err
		}}}}}
	c.Folder = t.TempDir()
	err = Time(ctx, a, c, o)
	return stdout.String() + stderr.String(), err
}

func TestTime(t *testing.T) {
	var root, page, out string
	for try := range 3 { // other tests may stop a short sleep for half a second, and of three repetitions each counts
		root = t.TempDir()
		page = filepath.Join(root, "page.html")
		var err error
		out, err = timed(t.Context(), t, Commands{Lines: []string{"sleep 0.02", "sleep 0.5"}, Repetitions: "3", Warmup: 1},
			OneLineOptions{HTML: page}, 0)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if try == 2 || !strings.Contains(out, "it is open") {
			break
		}
	}
	for _, want := range []string{`(?m)^command +time \[95 %\] +CPUs +n$`, `(?m)^sleep 0\.02 +\d.* 3$`,
		`(?s)“sleep 0.02” is\s+[\d.]+ times\s+faster`, `Noise floor: `} {
		if !regexp.MustCompile(strings.ReplaceAll(want, " %", "[ \u202f]%")).MatchString(out) {
			t.Errorf("nothing is like %q in\n%s", want, out)
		}
	}
	for line := range strings.Lines(out) {
		if len([]rune(line)) > 81 && !strings.Contains(line, root) {
			t.Errorf("more than 80 characters: %s", line)
		}
	}
	assert.Contains(t, must.Read(page), "sleep 0.02")
}

// The table has a column for memory only if a command takes more than its timer, whose memory it inherits.
func TestMemoryOfCommands(t *testing.T) {
	out, err := timed(t.Context(), t, Commands{Lines: []string{"true", "head -c 100000000 /dev/zero | tail -c 90000000 >/dev/null"},
		Repetitions: "3"}, OneLineOptions{}, 0)
	for _, want := range []string{`(?m)^command +time \[95\s%\] +CPUs +memory +n$`, `(?m)^true .* – +3$`,
		`(?m)^head -c 100000000 .* \d[\d.]+\sMiB +3$`} {
		if err != nil || !regexp.MustCompile(strings.ReplaceAll(want, `\s`, "[ \u00a0\u202f]")).MatchString(out) {
			t.Errorf("%v; nothing is like %q in\n%s", err, want, out)
		}
	}
}

func TestFailures(t *testing.T) {
	out, err := timed(t.Context(), t, Commands{Lines: []string{"no-such-program", "sh -c 'exit 3'"}, Repetitions: "3"},
		OneLineOptions{HTML: "page.html"}, 0)
	for _, want := range []string{"page.html was not written", "benchbook: no-such-program: ", "not found in $PATH", "ended with status 3, not 0"} {
		if err == nil || strings.Count(out, want) != 1 {
			t.Errorf("%q stands %d times, want once, and an error (%v), in\n%s", want, strings.Count(out, want), err, out)
		}
	}
}

// A breaking engine fails from the Nth repetition on.
type breaking struct {
	engine.Engine
	left int
}

func (b *breaking) Open(ctx context.Context, run string) (engine.Space, error) {
	space, err := b.Engine.Open(ctx, run)
	return &breakingSpace{space, b}, err
}

type breakingSpace struct {
	engine.Space
	engine *breaking
}

func (s *breakingSpace) Group(ctx context.Context) (engine.Space, error) {
	if s.engine.left--; s.engine.left < 0 {
		return nil, errors.New("the disk is full")
	}
	return s.Space.Group(ctx)
}

// A run that is aborted prints the reason and no answer from the repetitions before.
func TestRunEndsEarly(t *testing.T) {
	out, err := timed(t.Context(), t, Commands{Lines: []string{"true", "false"}, Repetitions: "5"}, OneLineOptions{}, 5)
	if err == nil || !strings.Contains(out+err.Error(), "the disk is full") || strings.Contains(out, "[95") {
		t.Errorf("got %v and\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	out, err = timed(ctx, t, Commands{Lines: []string{"sleep 1"}, Repetitions: "5"}, OneLineOptions{HTML: "page.html"}, 0)
	s, ok := errors.AsType[*lab.StatusError](err)
	if !ok || s.Status != lab.StatusInterrupted || err.Error() != "interrupted; nothing was kept" ||
		out != "page.html was not written\n" {
		t.Errorf("got %v and\n%s", err, out)
	}
}

// Commands that only wait take as long as hyperfine says.
func TestAgreesWithHyperfine(t *testing.T) {
	slowtest.SkipSequential(t)
	program, err := exec.LookPath("hyperfine")
	slowtest.Missing(t, "hyperfine", "install it", err)
	const line = "sleep 0.05"
	var got, lo, hi float64
	for range 3 { // others use the machine beside us
		file := filepath.Join(t.TempDir(), "out.json")
		must.Run(exec.Command(program, "-N", "--runs", "20", "--export-json", file, line))
		var theirs struct{ Results []struct{ Min, Max float64 } }
		data, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(data, &theirs)
		}
		if err != nil || len(theirs.Results) != 1 {
			t.Fatalf("%v in %s", err, data)
		}
		out, err := timed(t.Context(), t, Commands{Lines: []string{line}, Repetitions: "10"}, OneLineOptions{}, 0)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		found := regexp.MustCompile(`(?m)^sleep 0\.05 +([\d.]+)\W+ms`).FindStringSubmatch(out)
		if found == nil {
			t.Fatalf("there is no time in\n%s", out)
		}
		got, _ = strconv.ParseFloat(found[1], 64)
		if lo, hi = theirs.Results[0].Min*1e3, theirs.Results[0].Max*1e3; lo-0.5 <= got && got <= hi+0.5 {
			return
		}
	}
	t.Errorf("got %v ms, and hyperfine %v to %v ms", got, lo, hi)
}
