//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"benchbook/runner/loadgen"
)

// memoryLimit is what garbage may add up to before it is collected. Only TLS makes any while the load runs.
const memoryLimit = 256 << 20

// putLoad puts HTTP load on a server and prints what it measured.
//
// It reads the Config of package http as JSON from the environment, as package http puts it there, or if that is empty
// from standard input, and prints one Result as JSON. With the argument check it asks for every target once instead,
// and prints each Answer.
//
// The error is nil if it could measure, however the server did.
func putLoad(ctx context.Context, args []string, s streams) error {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(memoryLimit)
	text := loadgen.FromEnvironment(os.Getenv)
	check := slices.Equal(args, []string{loadgen.CheckArgument})
	if len(args) > 0 && !check {
		return fmt.Errorf("no such argument: %s", strings.Join(args, " "))
	}
	config, err := readConfig(ctx, text, s.stdin)
	if err != nil {
		return err
	}
	var result any
	if check {
		result, err = loadgen.Check(ctx, config)
	} else {
		result, err = loadgen.Run(ctx, config)
	}
	if err != nil {
		return err
	}
	if err := json.NewEncoder(s.stdout).Encode(result); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

func readConfig(ctx context.Context, text string, stdin io.Reader) (loadgen.Config, error) {
	if text != "" {
		return loadgen.ReadConfig(strings.NewReader(text))
	}
	config, err := unlessDone(ctx, func() (loadgen.Config, error) { return loadgen.ReadConfig(stdin) })
	if ctx.Err() != nil {
		return loadgen.Config{}, fmt.Errorf("reading config: %w", context.Cause(ctx))
	}
	return config, err
}

// unlessDone reads standard input, and gives up on a silent one when the context ends.
func unlessDone[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := read()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}
