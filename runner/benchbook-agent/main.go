//go:build linux

// Command benchbook-agent is the program that benchbook runs in containers, its own and others', and on other machines.
// It is one static binary that needs no other file, so that it runs in an empty container. Its first argument says what
// it does:
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
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/machine"
)

// subcommands by the first argument. The timer is not one of them: it leaves the standard streams to the command that
// it runs.
var subcommands = map[string]func(ctx context.Context, args []string) error{
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
	run, ok := subcommands[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "%s: unknown program %q: choose load, time, origin, link, idle or host\n", agent.Name, name)
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, args)
	stop()
	if err != nil {
		prefix := agent.ErrorPrefix(name)
		if name == agent.Host { // benchbook makes its errors part of others
			prefix = ""
		}
		fmt.Fprintln(os.Stderr, prefix+strings.ReplaceAll(err.Error(), "\n", "; "))
		os.Exit(1)
	}
}

// timeCommand runs a program and prints its TimerReport. It exits with 1, and a line on standard error, if the program
// could not be run. A program that fails has a report.
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

// serveOrigin answers until ctx is done. It writes its address to standard error, and then how late its answers are.
func serveOrigin(ctx context.Context, _ []string) error {
	var c agent.OriginConfig
	if err := cmp.Or(readConfig(strings.NewReader(os.Getenv("BENCHBOOK_ORIGIN")), &c), c.Validate()); err != nil {
		return err
	}
	origin, err := agent.ListenOrigin(c)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "benchbook-origin: listening at", origin.Addresses()[0])
	runtime.GOMAXPROCS(1) // its work is in one thread
	return origin.Serve(ctx, os.Stderr)
}

// relayLink relays until ctx is done. It writes agent.LinkReadyLine to standard error once it accepts connections, and
// then how late it is.
func relayLink(ctx context.Context, _ []string) error {
	var c agent.LinkConfig
	if err := cmp.Or(readConfig(strings.NewReader(os.Getenv("BENCHBOOK_LINK")), &c), c.Validate()); err != nil {
		return err
	}
	link, err := agent.ListenLink(ctx, c)
	if err != nil {
		return err
	}
	for i, address := range link.Addresses() {
		fmt.Fprintf(os.Stderr, "benchbook-link: %v leads to %s\n", address, c.Routes[i].Target)
	}
	fmt.Fprintln(os.Stderr, agent.LinkReadyLine)
	runtime.GOMAXPROCS(1) // its work is in one thread
	return link.Serve(ctx, os.Stderr)
}

// idle reaps processes whose parents have ended, until the context is done.
func idle(ctx context.Context, _ []string) error {
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	for {
		if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid > 0 || err == syscall.EINTR {
			continue
		}
		select {
		case <-children:
		case <-ctx.Done():
			return nil
		}
	}
}

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
