//go:build linux

package origin_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"benchbook/runner/eventloop"
	"benchbook/runner/origin"
)

// How late answers are, by the origin's own clock (late) and by that of the clients (seen), who share the machine with
// it. The CPU is that of both. An operation is a second of so many requests in flight at 100 ms each.
func BenchmarkLateness(b *testing.B) {
	for _, inFlight := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(inFlight), func(b *testing.B) {
			const latency = 100 * time.Millisecond
			address, written := serve(b, origin.Config{Body: 1256, Latency: constant(latency)})
			seen := hdrhistogram.New(1000, int64(time.Minute), 3)
			var mu sync.Mutex
			var clients sync.WaitGroup
			end := time.Now().Add(time.Duration(b.N) * time.Second)
			before := processorTime(b)
			b.ResetTimer()
			for i := range inFlight {
				clients.Go(func() {
					time.Sleep(latency * time.Duration(i) / time.Duration(inFlight)) // not all at once
					conn, err := net.Dial("tcp", address)
					if err != nil {
						b.Error(err)
						return
					}
					defer conn.Close()
					reader := bufio.NewReader(conn)
					for time.Now().Before(end) {
						begin := time.Now()
						fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
						response, err := http.ReadResponse(reader, nil)
						took := time.Since(begin)
						if err != nil {
							b.Error(err)
							return
						}
						if _, err := reader.Discard(int(response.ContentLength)); err != nil {
							b.Error(err)
							return
						}
						mu.Lock()
						_ = seen.RecordValue(int64(took - latency))
						mu.Unlock()
					}
				})
			}
			clients.Wait()
			b.StopTimer()
			used := processorTime(b) - before
			var report eventloop.LatenessReport
			for deadline := time.Now().Add(5 * time.Second); report.Count < seen.TotalCount() && time.Now().Before(deadline); {
				time.Sleep(50 * time.Millisecond)
				report, _ = eventloop.ReadLateness(written.Bytes())
			}
			micro := func(ns int64, what string) { b.ReportMetric(float64(ns)/1e3, what) }
			micro(int64(report.P50), "late-p50-µs")
			micro(int64(report.P99), "late-p99-µs")
			micro(int64(report.Max), "late-max-µs")
			micro(seen.ValueAtPercentile(50), "seen-p50-µs")
			micro(seen.ValueAtPercentile(99), "seen-p99-µs")
			b.ReportMetric(float64(seen.TotalCount())/b.Elapsed().Seconds(), "requests/s")
			b.ReportMetric(used.Seconds()/b.Elapsed().Seconds(), "cores")
		})
	}
}

// processorTime is what this process has used.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
