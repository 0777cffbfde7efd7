//go:build linux

package main

import (
	"context"
	"fmt"

	"benchbook/runner/link"
)

// relayLink is a TCP relay that makes the network before a service slower than it is.
//
// It reads the Config of package link as JSON, and relays until it is told to end. Standard error has the line
// link.ReadyLine once it accepts connections, and then how late it was.
func relayLink(ctx context.Context, _ []string, s streams) error {
	config, err := link.ReadConfig(s.configFrom("BENCHBOOK_LINK"))
	if err != nil {
		return err
	}
	relay, err := link.Listen(ctx, config)
	if err != nil {
		return err
	}
	for i, address := range relay.Addresses() {
		fmt.Fprintf(s.stderr, "benchbook-link: %v leads to %s\n", address, config.Routes[i].Target)
	}
	fmt.Fprintln(s.stderr, link.ReadyLine)
	return relay.Serve(ctx, s.stderr)
}
