package record_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"benchbook/internal/test/must"
	"benchbook/notebook/record"
)

// BenchmarkRead reads and checks 10,000 records of loads in one run, copies of the committed ones. It reports the peak
// of memory and how much the records retain.
func BenchmarkRead(b *testing.B) {
	const records = 10_000
	runs, err := filepath.Glob(filepath.Join(articles, "async-101", "records", "*", "full", "*.jsonl"))
	if err != nil || len(runs) == 0 {
		b.Fatal(runs, err)
	}
	data := must.Get(os.ReadFile(runs[len(runs)-1]))
	lines := bytes.SplitAfter(bytes.TrimRight(data, "\n"), []byte("\n"))
	lines[len(lines)-1] = append(lines[len(lines)-1], '\n')
	first := must.Get(record.Parse(lines[0]))
	dir := b.TempDir()
	name := filepath.Join(dir, first.Path())
	must.Do(os.MkdirAll(filepath.Dir(name), 0o755))
	f := must.Get(os.Create(name))
	size := 0
	for i := range records {
		n := must.Get(f.Write(lines[i%len(lines)]))
		size += n
	}
	must.Do(f.Close())
	b.SetBytes(int64(size))
	for b.Loop() {
		read, bad, err := record.Dir(dir).Read()
		if err != nil || len(bad) > 0 || len(read) != records {
			b.Fatalf("%d records, %v, %v", len(read), bad, err)
		}
		record.Check(read, time.Now())
		b.StopTimer()
		var usage syscall.Rusage
		must.Do(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
		b.ReportMetric(float64(usage.Maxrss)/1024, "peak-MiB")
		var memory runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&memory)
		b.ReportMetric(float64(memory.HeapAlloc)/(1<<20), "kept-MiB")
		runtime.KeepAlive(read)
		b.StartTimer()
	}
}
