//go:build linux

// Command benchbook-pod is what benchbook puts into pods, see package inpod. Its status is 127, with one line on
// standard error, if it fails.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"benchbook/cluster/inpod"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := inpod.Main(ctx, os.Args[1:], os.Stdin, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(127)
	}
}
