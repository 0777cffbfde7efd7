package observe

import (
	"context"
	"os"
	"testing"
	"time"

	"benchbook/runner/engine"
	"benchbook/runner/engine/kernel"
	"benchbook/runner/engine/kernel/kerneltest"
)

// selfish is a service that consists of this process.
type selfish struct {
	engine.Running
	files *kernel.Files
}

func (selfish) Name() string                                      { return "server" }
func (s selfish) Usage(ctx context.Context) (engine.Usage, error) { return s.files.Read(ctx) }
func (s selfish) CPU(context.Context) (time.Duration, error)      { return s.files.CPU() }
func (s selfish) Threads(_ context.Context, only ...int) (map[int]time.Duration, error) {
	return s.files.Threads(only...)
}

// What it costs to sample a service of a thousand threads.
func BenchmarkSamplingThreads(b *testing.B) {
	kerneltest.Threads(b, 1000)
	files, err := kernel.New("/", os.Getpid(), "")
	if err != nil {
		b.Skipf("its control group cannot be read: %v", err)
	}
	defer files.Close()
	sum := 0.0
	for range b.N {
		s := Watch(b.Context(), []engine.Running{selfish{files: files}})
		time.Sleep(10 * time.Second)
		s.Finish()
		if s.cost < 0 || len(s.threads["server"]) < 10 {
			b.Fatalf("%d readings of threads, cost %v", len(s.threads["server"]), s.cost)
		}
		sum += s.cost
	}
	b.ReportMetric(100*sum/float64(b.N), "%core")
}
