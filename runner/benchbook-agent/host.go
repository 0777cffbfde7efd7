//go:build linux

package main

import (
	"context"
	"os"
	"strconv"

	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/machine"
)

// actAsHost acts for benchbook on another machine, in a container without any rights:
//
//	probe ADDRESS NAME PORT PATH   try whether a service is ready
//	watch             read the machine ten times a second until SIGTERM
//	describe          print the class, the cores and the facts of the machine
//	settle MAX        let the machine come to rest, for at most MAX, and print what it is like then
//	readings FROM     print the readings of watch since a moment, in nanoseconds since 1970
//
// All but the first print JSON, for package machine.
func actAsHost(ctx context.Context, args []string) error {
	if len(args) == 5 && args[0] == agent.Probe {
		port, err := strconv.Atoi(args[3])
		if err != nil {
			return err
		}
		return engine.ProbeAt(args[1], args[2])(ctx, port, args[4])
	}
	return machine.Answer(ctx, args, os.Stdout)
}
