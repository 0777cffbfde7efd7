//go:build linux

// Command benchbook-agent is what benchbook puts into containers, of its own and of others, and onto other machines. It
// is one static binary without any file of its own, so that it runs in an empty container. Its first argument says what
// it is:
//
//	load    the load generator: puts HTTP load on a server and prints what it measured
//	time    runs a command and prints what it took
//	origin  an HTTP server whose answers come after a time that is drawn from a distribution
//	link    a TCP relay that makes the network before a service slower than it is
//	idle    does nothing, as the first process of a container in which commands run
//	host    acts for benchbook on another machine
//
// The exit status is 1, with one line on standard error, if it cannot do that.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"benchbook/runner/agent"
)

// parts are what the program is by its first argument, but for the timer, which keeps the standard streams from the
// command that it runs.
var parts = map[string]func(ctx context.Context, args []string) error{
	agent.Load: putLoad, agent.Origin: serveOrigin, agent.Link: relayLink, agent.Idle: idle, agent.Host: actAsHost,
}

func main() {
	name, args := "", os.Args[1:]
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	if name == agent.Time {
		timeCommand(args)
		return
	}
	run, ok := parts[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "%s: unknown program %q: choose load, time, origin, link, idle or host\n", agent.Name, name)
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, args)
	stop()
	if err != nil {
		prefix := agent.ErrorPrefix(name)
		if name == agent.Host { // which is asked by benchbook: its errors are part of others
			prefix = ""
		}
		fmt.Fprintln(os.Stderr, prefix+strings.ReplaceAll(err.Error(), "\n", "; "))
		os.Exit(1)
	}
}
