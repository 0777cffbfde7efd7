//go:build linux

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"benchbook/runner/agent"
)

const benchDelay = 20 * time.Millisecond

// BenchmarkDelay measures how much longer than the delay a request takes by the clients' clock (over), how late the
// program was by its own (late), and its processor time for an answer. An operation is one second of requests over so
// many connections, each with one request under way.
//
// To compare two versions, build a test binary of each (go test -c), and run them in turn.
func BenchmarkDelay(b *testing.B) {
	programs := []struct {
		name  string
		start func() (cmd *exec.Cmd, log *bytes.Buffer, address string)
	}{
		{agent.Origin, func() (*exec.Cmd, *bytes.Buffer, string) {
			return startPart(b, agent.Origin, `BENCHBOOK_ORIGIN={"semantics": 1, "listen": "127.0.0.1:0", "status": 200,
				"body": 1256, "distribution": "constant", "value": 20000000}`, "listening at ")
		}},
		{agent.Link, func() (*exec.Cmd, *bytes.Buffer, string) { return startLink(b, int(benchDelay)) }},
	}
	for _, program := range programs {
		for _, connections := range []int{1, 20, 100} {
			b.Run(fmt.Sprintf("%s/%d", program.name, connections), func(b *testing.B) {
				cmd, log, address := program.start()
				b.ResetTimer()
				over := askFor(b, address, connections, time.Duration(b.N)*time.Second)
				b.StopTimer()
				time.Sleep(2 * agent.ReportEvery) // until the last report is written
				if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
					b.Fatal(err)
				}
				if err := cmd.Wait(); err != nil {
					b.Fatal(err)
				}
				report, ok := agent.ReadLateness(log.Bytes())
				if !ok {
					b.Fatalf("no report in %q", log)
				}
				micro := func(d time.Duration, unit string) { b.ReportMetric(float64(d)/1e3, unit) }
				micro(time.Duration(over.ValueAtPercentile(50)), "over-p50-µs")
				micro(time.Duration(over.ValueAtPercentile(99)), "over-p99-µs")
				micro(report.P50, "late-p50-µs")
				micro(report.P99, "late-p99-µs")
				micro(report.Max, "late-max-µs")
				used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
				micro(used/time.Duration(over.TotalCount()), "cpu-µs/answer")
				b.ReportMetric(float64(over.TotalCount())/b.Elapsed().Seconds(), "answers/s")
			})
		}
	}
}

// askFor sends requests over connections for a time, and returns how much longer than the delay they took. The first of
// each connection, which has to be opened, does not count.
func askFor(b *testing.B, address string, connections int, length time.Duration) *hdrhistogram.Histogram {
	b.Helper()
	over := hdrhistogram.New(1000, int64(time.Minute), 3)
	var mu sync.Mutex
	var clients sync.WaitGroup
	end := time.Now().Add(length)
	for i := range connections {
		clients.Go(func() {
			time.Sleep(benchDelay * time.Duration(i) / time.Duration(connections)) // not all at once
			conn, err := net.Dial("tcp", address)
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			reader := bufio.NewReader(conn)
			for first := true; time.Now().Before(end); first = false {
				begin := time.Now()
				fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
				response, err := http.ReadResponse(reader, nil)
				if err == nil {
					_, err = reader.Discard(int(response.ContentLength))
				}
				if err != nil {
					b.Error(err)
					return
				}
				if took := time.Since(begin); !first {
					mu.Lock()
					_ = over.RecordValue(int64(took - benchDelay))
					mu.Unlock()
				}
			}
		})
	}
	clients.Wait()
	return over
}
