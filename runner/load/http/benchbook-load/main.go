// Command benchbook-load puts HTTP load on a server and prints what it measured.
//
// It reads a config in JSON, the Config of package http, from the environment variable BENCHBOOK_LOAD or, where
// that is empty, from standard input, and prints one Result in JSON on standard output, and nothing else. With the argument
// check it puts no load on, asks for every target once, and prints a list of each Answer.
//
// The exit status is 0 if it could measure, however the server did, and 1, with one line on standard error, if it
// could not. SIGINT and SIGTERM end it at once, with status 1.
//
// It is one static binary without any file of its own, so that it runs in an empty container beside the server.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"benchbook/runner/load/http"
)

// memoryLimit is what garbage may add up to before it is collected. Only TLS makes any while the load runs.
const memoryLimit = 256 << 20

func main() {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(memoryLimit)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Getenv("BENCHBOOK_LOAD"), os.Stdin, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchbook-load:", strings.ReplaceAll(err.Error(), "\n", "; "))
		os.Exit(1)
	}
}

// run measures what the config says, which is the text or, if that is empty, what stdin holds.
func run(ctx context.Context, args []string, text string, stdin io.Reader, stdout io.Writer) error {
	check := slices.Equal(args, []string{http.CheckArgument})
	if len(args) > 0 && !check {
		return fmt.Errorf("no such argument: %s", strings.Join(args, " "))
	}
	config, err := readConfig(ctx, text, stdin)
	if err != nil {
		return err
	}
	var result any
	if check {
		result, err = http.Check(ctx, config)
	} else {
		result, err = http.Run(ctx, config)
	}
	if err != nil {
		return err
	}
	if err := json.NewEncoder(stdout).Encode(result); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

// readConfig gives up on a silent stdin when the context ends.
func readConfig(ctx context.Context, text string, stdin io.Reader) (http.Config, error) {
	if text != "" {
		return http.ReadConfig(strings.NewReader(text))
	}
	type read struct {
		config http.Config
		err    error
	}
	done := make(chan read, 1)
	go func() {
		config, err := http.ReadConfig(stdin)
		done <- read{config, err}
	}()
	select {
	case r := <-done:
		return r.config, r.err
	case <-ctx.Done():
		return http.Config{}, fmt.Errorf("reading config: %w", context.Cause(ctx))
	}
}
