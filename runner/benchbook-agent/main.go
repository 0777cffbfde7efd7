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
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"benchbook/runner/agent"
)

// A part is what the program is by its first argument.
type part struct {
	name   string
	prefix string // of its errors
	run    func(ctx context.Context, args []string, s streams) error
}

// streams are the standard streams.
type streams struct {
	stdin          io.Reader
	stdout, stderr io.Writer
}

// parts are all but the timer, which keeps its streams from the command that it runs.
var parts = []part{
	{agent.Load, agent.ErrorPrefix(agent.Load), putLoad},
	{agent.Origin, agent.ErrorPrefix(agent.Origin), serveOrigin},
	{agent.Link, agent.ErrorPrefix(agent.Link), relayLink},
	{agent.Idle, agent.ErrorPrefix(agent.Idle), idle},
	{agent.Host, "", actAsHost},
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
	for _, p := range parts {
		if p.name == name {
			p.main(args)
			return
		}
	}
	fmt.Fprintf(os.Stderr, "%s: unknown program %q: choose load, time, origin, link, idle or host\n", agent.Name, name)
	os.Exit(1)
}

// main runs the part until it ends, or a signal ends it.
func (p part) main(args []string) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := p.run(ctx, args, streams{os.Stdin, os.Stdout, os.Stderr})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, p.prefix+strings.ReplaceAll(err.Error(), "\n", "; "))
		os.Exit(1)
	}
}
