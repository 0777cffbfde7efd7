package kernel

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"benchbook/runner/engine/kernel/kerneltest"
)

// crowd keeps this process at so many more threads until the test ends, and gives a service that consists of them.
func crowd(tb testing.TB, threads int) *Files {
	tb.Helper()
	kerneltest.Threads(tb, threads)
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
