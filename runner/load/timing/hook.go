package timing

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

// Hooks is what programs came to that were run before or after the one that is timed.
type Hooks struct {
	Stdout  string `json:"stdout,omitempty"`  // what they wrote to standard output, its last 64 KiB
	Failure string `json:"failure,omitempty"` // in one sentence, if one of them failed; those behind it were not run
	Log     string `json:"log,omitempty"`     // what the one that failed wrote to standard error, its last 64 KiB
}

// hookOutput is how long to wait for more output of a hook that has ended: what it left running may write for ever.
const hookOutput = 100 * time.Millisecond

// RunHooks runs programs one after the other, with our environment and without any input.
func RunHooks(list [][]string) Hooks {
	stdout := &tail{limit: maxStderr}
	for _, words := range list {
		stderr := &tail{limit: maxStderr}
		cmd := exec.Command(words[0], words[1:]...)
		cmd.Stdout, cmd.Stderr = stdout, stderr
		cmd.WaitDelay = hookOutput
		err := cmd.Run()
		var ended *exec.ExitError
		switch {
		case errors.As(err, &ended):
			return Hooks{stdout.String(), HookFailure(words[0], ended.ExitCode(), stderr.kept), stderr.String()}
		case err != nil && !errors.Is(err, exec.ErrWaitDelay):
			return Hooks{stdout.String(), fmt.Sprintf("%s could not be started: %v", words[0], err), stderr.String()}
		}
	}
	return Hooks{Stdout: stdout.String()}
}

// HookFailure says how a program failed, with the last line of what it wrote to some stream.
func HookFailure(program string, status int, wrote []byte) string {
	failure := fmt.Sprintf("%s ended with status %d", program, status)
	wrote = bytes.TrimSpace(wrote)
	if last := bytes.TrimSpace(wrote[bytes.LastIndexByte(wrote, '\n')+1:]); len(last) > 0 {
		failure += ": " + string(last)
	}
	return failure
}
