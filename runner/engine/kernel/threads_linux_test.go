package kernel

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// crowd keeps this process at so many more threads until the test ends, and gives a service that consists of them.
func crowd(tb testing.TB, threads int) *Files {
	tb.Helper()
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil {
		tb.Fatal(err)
	}
	var started, ended sync.WaitGroup
	for range threads {
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
	folders, err := os.ReadDir("/proc/self/task")
	if err != nil {
		tb.Fatal(err)
	}
	var numbers []string
	for _, f := range folders {
		numbers = append(numbers, f.Name())
	}
	list := filepath.Join(tb.TempDir(), "tasks")
	if err := os.WriteFile(list, []byte(strings.Join(numbers, "\n")+"\n"), 0o644); err != nil {
		tb.Fatal(err)
	}
	return &Files{process: "/proc/" + strconv.Itoa(os.Getpid()), threads: list}
}

func BenchmarkThreads(b *testing.B) {
	files := crowd(b, 1000)
	for b.Loop() {
		if threads, err := files.Threads(); err != nil || len(threads) < 1000 {
			b.Fatal(len(threads), err)
		}
	}
}
