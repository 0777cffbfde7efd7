//go:build linux

package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"benchbook/runner/load/timing"
)

// timeCommand runs a program and prints what it took to standard output, as JSON behind a marker from its environment,
// which may name programs to run before and after it as well. The status is 0 if the program ran, whatever its own
// status, or if one before it failed; it is 1, with a line on standard error, if it could not be run.
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
	for range settings.Warmup { // one that fails does so again
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

// aside keeps one of our own streams where the program does not find it, which gets that number for itself.
func aside(fd int) (*os.File, error) {
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	return os.NewFile(uintptr(own), "report"), err
}
