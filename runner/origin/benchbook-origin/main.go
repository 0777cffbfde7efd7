//go:build linux

// Command benchbook-origin is an HTTP server whose answers come after a time that is drawn from a distribution.
//
// It reads a config in JSON, the Config of package origin, from the environment variable BENCHBOOK_ORIGIN or, where that is empty,
// from standard input, and serves until SIGINT or SIGTERM. Standard error has how late its answers were.
//
// The exit status is 1, with one line on standard error, if it cannot serve.
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

	"benchbook/runner/origin"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Getenv("BENCHBOOK_ORIGIN"), os.Stdin, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchbook-origin:", strings.ReplaceAll(err.Error(), "\n", "; "))
		os.Exit(1)
	}
}

// run serves as the config says, which is the text or, if that is empty, what stdin holds.
func run(ctx context.Context, text string, stdin io.Reader, log io.Writer) error {
	if text != "" {
		stdin = strings.NewReader(text)
	}
	config, err := origin.ReadConfig(stdin)
	if err != nil {
		return err
	}
	server, err := origin.Listen(config)
	if err != nil {
		return err
	}
	fmt.Fprintln(log, "benchbook-origin: listening at", server.Address())
	return server.Serve(ctx, log)
}
