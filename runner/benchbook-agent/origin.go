//go:build linux

package main

import (
	"context"
	"fmt"

	"benchbook/runner/origin"
)

// serveOrigin is an HTTP server whose answers come after a time that is drawn from a distribution.
//
// It reads the Config of package origin as JSON, and serves until it is told to end. Standard error has how late its
// answers were.
func serveOrigin(ctx context.Context, _ []string, s streams) error {
	config, err := origin.ReadConfig(s.configFrom("BENCHBOOK_ORIGIN"))
	if err != nil {
		return err
	}
	server, err := origin.Listen(config)
	if err != nil {
		return err
	}
	fmt.Fprintln(s.stderr, "benchbook-origin: listening at", server.Address())
	return server.Serve(ctx, s.stderr)
}
