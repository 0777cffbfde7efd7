//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"benchbook/runner/agent"
)

// timeCommand runs a program and prints what it took to standard output as JSON, after a marker from its environment.
// The status is 1, with a line on standard error, if the program could not be run, and 0 otherwise, also if the program
// failed.
func timeCommand(args []string) {
	stdout, errOut := aside(1)
	stderr, errErr := aside(2)
	if errors.Join(errOut, errErr) != nil {
		os.Exit(1) // there is nowhere to say so
	}
	if err := agent.RunTimer(args, stdout); err != nil {
		fmt.Fprintln(stderr, err)
		os.Exit(1)
	}
}

// aside returns a copy of one of our streams that the program does not inherit.
func aside(fd int) (*os.File, error) {
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	return os.NewFile(uintptr(own), "report"), err
}
