//go:build linux

// Command benchbook-host acts for benchbook on another machine, in a container without any rights or files. It ends with status 1 and one
// line on standard error if it cannot do what it is told:
//
//	hold              stay until standard input ends
//	connect ADDRESS   connect to a service, say "connected", and pass on what comes
//
// what it is told as the first process of containers on Kubernetes, and beside that:
//
//	attend ORDER      start a program once it may begin, pass signals on to it, and end with its status
//	signal NAME       send a signal to that program
//	end               kill all processes of the container
//	do DEED           become a command
//	fill FILLING      put into volumes what they begin with
//	meter             answer questions about the container, by lines of standard input
//	answer ADDRESS    be the name server of services at an address
//	know              give that server its table, which comes over standard input
//
// (what is written in capitals is JSON, of the types of package agent) and, which tell what the machine is like as the kernel tells it to every container:
//
//	describe          print the class, the cores and the facts of the machine as JSON
//	settle AFTER MAX  let the machine come to rest, for at most MAX unless that is 0s, which takes longer where AFTER is disturbed, and print what it was like then as JSON
//	watch             keep readings of the machine's processor time until SIGTERM
//	readings FROM     print those that watch has kept since that moment, in nanoseconds since 1970, as JSON
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"benchbook/runner/engine/agent"
	"benchbook/runner/machines"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, strings.ReplaceAll(err.Error(), "\n", "; "))
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	switch {
	case len(args) == 1 && args[0] == agent.Hold:
		return agent.Stay(stdin)
	case len(args) == 2 && args[0] == agent.Connect:
		return agent.Pass(ctx, args[1], stdin, stdout)
	}
	if len(args) > 0 {
		if known, err := inside(ctx, args, stdin, stdout); known {
			return err
		}
	}
	return machines.Answer(ctx, args, stdout)
}
