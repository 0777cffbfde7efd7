package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"

	"benchbook/lab"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
)

// From the command to the call that starts a container there are few frames of ours, those before a goroutine was
// begun included: one who reads along has to keep all of them in mind.
func TestFramesToTheEngine(t *testing.T) {
	const most, mostFromRun = 12, 7
	const variable, marker = "BENCHBOOK_TEST_FRAMES", "frames to the engine: "
	if os.Getenv(variable) != "" {
		fmt.Println(marker + strings.Join(framesToTheEngine(t), " "))
		return
	}
	// How a goroutine was begun is known only to a process that was started so.
	cmd := exec.Command(os.Args[0], "-test.run=^TestFramesToTheEngine$", "-test.v")
	cmd.Env = append(os.Environ(), variable+"=1", "GODEBUG=tracebackancestors=20")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, rest, ok := strings.Cut(string(out), marker)
	frames := append(strings.Fields(strings.SplitN(rest, "\n", 2)[0]), "cmd/benchbook.main")
	if !ok || len(frames) > most || len(frames) < 3 || frames[len(frames)-2] != "cmd/benchbook.run" {
		t.Errorf("%d frames, want at most %d down to the command's run: %q", len(frames), most, frames)
	}
	if i := slices.Index(frames, "runner.(*Runner).Run"); i < 0 || i >= mostFromRun {
		t.Errorf("%d frames, want at most %d down to (*Runner).Run: %q", i+1, mostFromRun, frames)
	}
}

// framesToTheEngine names our functions between the call of an engine to start a service and the command's run, the
// innermost first.
func framesToTheEngine(t *testing.T) (frames []string) {
	s := script("")
	s.Start = func(context.Context, engine.Service) error {
		stack := make([]byte, 1<<20)
		stack = stack[:runtime.Stack(stack, false)]
		frames = nil
		for line := range strings.Lines(string(stack)) {
			name, isOurs := strings.CutPrefix(line, "benchbook/")
			if at := strings.LastIndexByte(name, '('); isOurs && at > 0 &&
				!strings.HasPrefix(name, "runner/engine/enginetest/") &&
				!strings.Contains(strings.ToLower(name), "framestotheengine") {
				frames = append(frames, name[:at])
			}
		}
		frames = slices.Compact(frames) // one into which another was inlined is listed twice
		frames = frames[:slices.Index(frames, "cmd/benchbook.run")+1]
		return nil
	}
	w := scripted()
	w.Engines = []lab.Engine{
		{Name: spec.Docker, Connect: func(context.Context) (engine.Engine, error) { return fake.New(s), nil }},
	}
	dir, _ := project(
		t,
		"one",
		"---\ntitle: One\n---\n\n~~~yaml experiment\nname: one\nservices: {server: {image: \"nginx:1.27\", expose: "+
			"[\"80\"]}}\n"+
			"load: {target: \"http://server/\", duration: 1s, warmup: 0s}\nrepetitions: 1\ncalibrate: false\n~~~\n",
	)
	var stdout, stderr bytes.Buffer
	if status := run([]string{"-C", dir, "run"}, &stdout, &stderr, w); status != 0 {
		t.Fatalf("status %d\n%s%s", status, &stdout, &stderr)
	}
	return frames
}
