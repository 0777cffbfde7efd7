//go:build linux

package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// idle reaps processes whose parents have ended, until the context is done.
func idle(ctx context.Context, _ []string) error {
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	defer signal.Stop(children)
	for {
		reapAll()
		select {
		case <-children:
		case <-ctx.Done():
			return nil
		}
	}
}

// reapAll collects the statuses of all children that have ended.
func reapAll() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if err != syscall.EINTR && (err != nil || pid <= 0) {
			return
		}
	}
}
