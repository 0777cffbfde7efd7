package runner

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
)

// From Run to the call that starts a container there are few frames of ours, those before a goroutine was begun included: one
// who reads along has to keep all of them in mind.
func TestFramesToTheEngine(t *testing.T) {
	const most = 7
	const marker = "frames to the engine: "
	if os.Getenv("BENCHBOOK_TEST_FRAMES") == "" {
		// How a goroutine was begun is known only to a process that was started so.
		cmd := exec.Command(os.Args[0], "-test.run=^TestFramesToTheEngine$", "-test.v")
		cmd.Env = append(os.Environ(), "BENCHBOOK_TEST_FRAMES=1", "GODEBUG=tracebackancestors=20")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		_, rest, ok := strings.Cut(string(out), marker)
		frames := strings.Fields(strings.SplitN(rest, "\n", 2)[0])
		if !ok || len(frames) > most || len(frames) < 3 || !strings.HasPrefix(frames[len(frames)-1], "(*Runner).Run(") {
			t.Errorf("%d frames, want at most %d down to (*Runner).Run: %q", len(frames), most, frames)
		}
		return
	}
	var frames []string
	s := script(t)
	s.Start = func(context.Context, engine.Service) error {
		stack := make([]byte, 1<<20)
		stack = stack[:runtime.Stack(stack, false)]
		frames = nil
		for line := range strings.Lines(string(stack)) {
			name, isOurs := strings.CutPrefix(line, "benchbook/runner.")
			created := strings.HasPrefix(line, "created by ")
			if name, _, _ = strings.Cut(name, "({"); isOurs && !created && !strings.HasPrefix(name, "TestFrames") {
				frames = append(frames, strings.TrimSpace(strings.SplitN(name, "(0x", 2)[0]))
			}
		}
		return nil
	}
	if _, err := newRunner(fake.New(s), &quiet{}).Run(t.Context(), socketsPlan(t), &memory{}, Options{}); err != nil {
		t.Fatal(err)
	}
	fmt.Println(marker + strings.Join(frames, " "))
}
