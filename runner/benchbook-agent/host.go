//go:build linux

package main

import (
	"context"

	"benchbook/runner/agent"
	"benchbook/runner/machine"
)

// actAsHost acts for benchbook on another machine, in a container without any rights:
//
//	connect ADDRESS   connect to a service, print "connected", and pass on what comes
//	watch             read the machine ten times a second until SIGTERM
//	describe          print the class, the cores and the facts of the machine
//	settle MAX        let the machine come to rest, for at most MAX, and print what it is like then
//	readings FROM     print the readings of watch since a moment, in nanoseconds since 1970
//
// All but the first print JSON, for package machine.
func actAsHost(ctx context.Context, args []string, s streams) error {
	if len(args) == 2 && args[0] == agent.Connect {
		return agent.Pass(ctx, args[1], s.stdin, s.stdout)
	}
	return machine.Answer(ctx, args, s.stdout)
}
