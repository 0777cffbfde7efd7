//go:build linux

// Command benchbook-pod is the program that benchbook puts into pods, see package inpod. If it fails, it prints one
// line to standard error and exits with status 127.
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
