//go:build linux

// Command benchbook-link is a TCP relay that makes the network before a service slower than it is.
//
// It reads a config in JSON, the Config of package link, from the environment variable BENCHBOOK_LINK or, where that is empty, from
// standard input, and relays until SIGINT or SIGTERM. Standard error has the line "benchbook-link: ready" once it accepts
// connections, and then how late it was.
//
// The exit status is 1, with one line on standard error, if it cannot relay.
//
// It is one static binary without any file of its own, so that it runs in an empty container.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"benchbook/runner/link"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Getenv("BENCHBOOK_LINK"), os.Stdin, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchbook-link:", strings.ReplaceAll(err.Error(), "\n", "; "))
		os.Exit(1)
	}
}

// run relays as the config says, which is the text or, if that is empty, what stdin holds.
func run(ctx context.Context, text string, stdin io.Reader, log io.Writer) error {
	if text != "" {
		stdin = strings.NewReader(text)
	}
	config, err := link.ReadConfig(stdin)
	if err != nil {
		return err
	}
	relay, err := link.Listen(ctx, config)
	if err != nil {
		return err
	}
	for i, address := range relay.Addresses() {
		fmt.Fprintf(log, "benchbook-link: %v leads to %s\n", address, config.Routes[i].Target)
	}
	fmt.Fprintln(log, link.ReadyLine)
	return relay.Serve(ctx, log)
}
