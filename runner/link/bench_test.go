//go:build linux

package link_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"benchbook/runner/eventloop"
	"benchbook/runner/link"
)

// How late bytes are sent on, by the relay's own clock (late), and how much longer than the round trip a request takes
// by that of the clients (seen), who share the machine with the relay and the service. An operation is a second of so
// many connections, each with a request under way.
func BenchmarkLateness(b *testing.B) {
	for _, connections := range []int{1, 100, 500} {
		b.Run(fmt.Sprint(connections), func(b *testing.B) {
			const rtt = 100 * time.Millisecond
			address, written := relay(b, link.Config{RTT: rtt}, service(b, echo))
			seen := hdrhistogram.New(1000, int64(time.Minute), 3)
			var mu sync.Mutex
			var clients sync.WaitGroup
			end := time.Now().Add(time.Duration(b.N) * time.Second)
			b.ResetTimer()
			for i := range connections {
				clients.Go(func() {
					time.Sleep(rtt * time.Duration(i) / time.Duration(connections)) // not all at once
					conn := dial(b, address)
					if err := ask(conn, "first"); err != nil {
						b.Error(err)
						return
					}
					for time.Now().Before(end) {
						begin := time.Now()
						if err := ask(conn, "hello"); err != nil {
							b.Error(err)
							return
						}
						took := time.Since(begin)
						mu.Lock()
						_ = seen.RecordValue(int64(took - rtt))
						mu.Unlock()
					}
				})
			}
			clients.Wait()
			b.StopTimer()
			var report eventloop.LatenessReport
			for deadline := time.Now().Add(5 * time.Second); report.Count < 2*seen.TotalCount() && time.Now().Before(deadline); {
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
		})
	}
}

// How many bytes go through in one direction, of as many connections.
func BenchmarkTransfer(b *testing.B) {
	for _, connections := range []int{1, 16} {
		for _, rtt := range []time.Duration{0, 2 * time.Millisecond} {
			b.Run(fmt.Sprintf("%d/%v", connections, rtt), func(b *testing.B) {
				const size = 64 << 20
				address, _ := relay(b, link.Config{RTT: rtt}, service(b, func(conn *net.TCPConn) {
					block := make([]byte, 1<<20)
					for range size / connections / len(block) {
						if _, err := conn.Write(block); err != nil {
							b.Error(err)
							return
						}
					}
				}))
				b.SetBytes(size)
				for b.Loop() {
					var group sync.WaitGroup
					for range connections {
						conn := dial(b, address)
						group.Go(func() {
							_, err := io.CopyBuffer(io.Discard, struct{ io.Reader }{conn}, make([]byte, 1<<18))
							if err = errors.Join(err, conn.Close()); err != nil {
								b.Error(err)
							}
						})
					}
					group.Wait()
				}
			})
		}
	}
}

// How fast connections are opened, used once and closed, by 64 clients at once.
func BenchmarkConnections(b *testing.B) {
	address, _ := relay(b, link.Config{}, service(b, echo))
	next := make(chan struct{})
	var clients sync.WaitGroup
	for range 64 {
		clients.Go(func() {
			for range next {
				conn, err := net.Dial("tcp", address)
				if err != nil {
					b.Error(err)
					return
				}
				// A reset at the end leaves no ports behind that have to wait.
				if err := errors.Join(ask(conn, "hello"), conn.(*net.TCPConn).SetLinger(0), conn.Close()); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	for b.Loop() {
		next <- struct{}{}
	}
	close(next)
	clients.Wait()
}
