//go:build linux

// Package kerneltest makes the process of a test into one that is worth looking at.
package kerneltest

import (
	"runtime"
	"sync"
	"syscall"
	"testing"
)

// Threads gives this process so many threads more, which wait, until the test is over.
func Threads(tb testing.TB, count int) {
	tb.Helper()
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil {
		tb.Fatal(err)
	}
	var started, ended sync.WaitGroup
	for range count {
		started.Add(1)
		ended.Go(func() {
			runtime.LockOSThread() // and never given back
			started.Done()
			_, _ = syscall.Read(ends[0], make([]byte, 1))
		})
	}
	started.Wait()
	tb.Cleanup(func() {
		_ = syscall.Close(ends[1])
		ended.Wait()
		_ = syscall.Close(ends[0])
	})
}
