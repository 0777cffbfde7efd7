//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"benchbook/runner/load/timing"
)

// timeCommand runs a program, with hooks and after warm-ups if its environment says so, and prints what it took to
// standard output as JSON, after a marker from its environment. The status is 1, with a line on standard error, if the
// program could not be run, and 0 otherwise, whatever its own status.
func timeCommand(args []string) {
	stdout, errOut := aside(1)
	stderr, errErr := aside(2)
	if errors.Join(errOut, errErr) != nil {
		os.Exit(1) // there is nowhere to say so
	}
	if err := timeBetweenHooks(args, stdout); err != nil {
		fmt.Fprintln(stderr, err)
		os.Exit(1)
	}
}

func timeBetweenHooks(args []string, stdout *os.File) error {
	settings, err := timing.Take()
	if err != nil {
		return err
	}
	before := timing.RunHooks(settings.Before)
	if before.Failure != "" {
		return settings.Write(stdout, timing.Report{Before: before})
	}
	for range settings.Warmup { // the timed run fails as a warm-up does
		if _, err := timing.Run(args, timing.Options{Standard: true}); err != nil {
			return err
		}
	}
	report, err := timing.Run(args, timing.Options{Contains: settings.Contains, Standard: true,
		KeepStdout: settings.KeepStdout, Beside: len(settings.Before)+settings.Warmup > 0})
	if err != nil {
		return err
	}
	report.Before, report.After = before, timing.RunHooks(settings.After)
	return settings.Write(stdout, report)
}

// aside returns a copy of one of our streams that the program does not inherit.
func aside(fd int) (*os.File, error) {
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	return os.NewFile(uintptr(own), "report"), err
}
