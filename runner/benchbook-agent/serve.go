//go:build linux

package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"

	"benchbook/runner/agent"
)

// serveOrigin answers until ctx is done. Standard error has its address, and then how late its answers are.
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

// relayLink relays until ctx is done. Standard error has agent.LinkReadyLine once it accepts connections, and then how
// late it is.
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
