package agent

import (
	"errors"
	"fmt"
	"os/exec"
	"time"

	"benchbook/internal/proc"
	"benchbook/runner/engine"
)

// Hooks is what the programs before the timed one did.
type Hooks struct {
	Stdout  string `json:"stdout,omitempty"`  // the last 64 KiB of their standard output
	Failure string `json:"failure,omitempty"` // the one that failed, in one sentence; those after it were not run
	Log     string `json:"log,omitempty"`     // the last 64 KiB of its standard error
}

// hookOutput is how long to wait for the end of the output of a hook that has ended: it may have left a process behind
// that holds it open.
const hookOutput = 100 * time.Millisecond

// runHooks runs programs one after the other, with our environment and without input.
func runHooks(list [][]string) Hooks {
	stdout := &engine.Tail{Limit: maxStderr}
	for _, words := range list {
		stderr := &engine.Tail{Limit: maxStderr}
		cmd := exec.Command(words[0], words[1:]...)
		cmd.Stdout, cmd.Stderr, cmd.WaitDelay = stdout, stderr, hookOutput
		err := cmd.Run()
		if err == nil || errors.Is(err, exec.ErrWaitDelay) {
			continue
		}
		failure := fmt.Sprintf("%s could not be started: %v", words[0], err)
		if ended := (*exec.ExitError)(nil); errors.As(err, &ended) {
			failure = HookFailure(words[0], proc.ExitCode(ended.ProcessState), stderr.Bytes())
		}
		return Hooks{string(stdout.Bytes()), failure, string(stderr.Bytes())}
	}
	return Hooks{Stdout: string(stdout.Bytes())}
}

// HookFailure says how a program failed, with the last line of its output.
func HookFailure(program string, status int, output []byte) string {
	failure := fmt.Sprintf("%s ended with status %d", program, status)
	if last := engine.LastLine(output); last != "" {
		failure += ": " + last
	}
	return failure
}
