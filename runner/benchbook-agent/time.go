//go:build linux

package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"benchbook/runner/load/timing"
)

// timeCommand runs the program that its arguments name and prints what it took, as JSON behind a marker that it is told in its
// environment, to standard output. There it may be told of programs to run before and after that one, too. The status is 0 if the
// program could be run, whatever that one's status was, or if one before it failed, and 1 with a line on standard error if it
// could not.
func timeCommand(args []string) {
	stdout, errOut := aside(1)
	stderr, errErr := aside(2)
	if errOut != nil || errErr != nil {
		os.Exit(1) // there is nowhere to say so
	}
	if err := timed(args, stdout); err != nil {
		fmt.Fprintln(stderr, err)
		os.Exit(1)
	}
}

// timed runs the program between those before and after it, and reports.
func timed(args []string, stdout *os.File) error {
	settings, err := timing.Take()
	if err != nil {
		return err
	}
	before := timing.RunHooks(settings.Before)
	if before.Failure != "" {
		return settings.Write(stdout, timing.Report{Before: before})
	}
	report, err := timing.Run(args, timing.Options{Contains: settings.Contains, Standard: true, KeepStdout: settings.KeepStdout,
		Beside: len(settings.Before) > 0})
	if err != nil {
		return err
	}
	report.Before, report.After = before, timing.RunHooks(settings.After)
	return settings.Write(stdout, report)
}

// aside keeps one of our own streams where the program does not find it, which gets that number for itself.
func aside(fd int) (*os.File, error) {
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	return os.NewFile(uintptr(own), "report"), err
}
