//go:build linux

package loadgen

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
)

// counts are the expected counts of a server.
type counts struct {
	right              int64
	wrong              Kind // of all others
	connects           int64
	stale, unrequested int64
}

func countsOf(r *Result) counts {
	c := counts{right: r.Answered, connects: r.Connects, stale: r.Stale, unrequested: r.Unrequested}
	for kind, n := range r.Failures {
		if n > 0 {
			c.wrong += kind
		}
	}
	return c
}

// Each server misbehaves in a way that traps load generators. Three clients send it twelve requests in all, with
// keep-alive and without. Every request ends in exactly one way, and every connection is counted.
func TestConformance(t *testing.T) {
	slowtest.Skip(t)
	const clients, each = 3, 12
	// endless repeats a piece, after a pause each time, until nobody reads any more.
	endless := func(begin, piece string, pause time.Duration) func(*conn) bool {
		return func(c *conn) bool {
			c.say(begin)
			for err := error(nil); err == nil; time.Sleep(pause) {
				_, err = io.WriteString(c, piece)
			}
			return false
		}
	}
	// second breaks only the second request of the first connection.
	second := func(answer func(*conn) bool) func(*conn) bool {
		return func(c *conn) bool {
			if c.number == 0 && c.request == 1 {
				return answer(c)
			}
			return good(c)
		}
	}
	one := func(c *Config) { c.Connections, c.Requests = 1, 4 }
	asHEAD := func(c *Config) { c.Targets[0].Method = "HEAD" }
	brief := func(c *Config) { c.Timeout = 300 * time.Millisecond }
	late := func(c *Config) { c.Timeout = 800 * time.Millisecond }
	length := func(n int64) func(*Config) { return func(c *Config) { c.Verify = &Verify{Length: &n} } }
	const head, chunked, hints = "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
	const announced = head + "Connection: close\r\nContent-Length: 5\r\n\r\nhello"
	kept, fresh := counts{right: each, connects: clients}, counts{right: each, connects: each}
	stale, extra := fresh, fresh
	stale.stale, extra.unrequested = each-clients, each
	failed := func(kind Kind) counts { return counts{wrong: kind, connects: each} }
	wrong := counts{wrong: Wrong, connects: clients}
	four := counts{right: 4, connects: 4}
	same := counts{} // as with keep-alive
	for _, tt := range []struct {
		name        string
		answer      func(*conn) bool
		change      func(*Config)
		keep, close counts
	}{
		{"an answer in one piece", good, nil, kept, fresh},
		{"a pause between head and body", saying(hello[:len(hello)-5], "hello"), nil, kept, fresh},
		{"chunks", saying(chunked+"5\r\nhello\r\n", "0\r\n\r\n"), nil, kept, fresh},
		{"one big chunk in pieces", saying(chunked+"c350\r\n"+strings.Repeat("x", 20000),
			strings.Repeat("y", 30000)+"\r\n0\r\n\r\n"), length(50000), kept, fresh},
		{"early hints, and the answer later", saying(hints, hello), nil, kept, fresh},
		{"three interim answers", saying("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + hints + hello), nil, kept, fresh},
		{"only an interim answer", closing(saying(hints)), nil, failed(Short), same},
		{"204 without a body in spite of a length", saying("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"), nil, kept, fresh},
		{"304 without a body in spite of a length", saying("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
			func(c *Config) { c.Verify = &Verify{Status: []int{304}} }, kept, fresh},
		{"HEAD without a body in spite of a length", saying(head + "Content-Length: 5\r\n\r\n"), asHEAD, kept, fresh},
		{"HEAD with a body", saying(hello), asHEAD, extra, same},
		{"HTTP/1.0 that stays", saying("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello"), nil, kept, fresh},
		{"HTTP/1.0 that goes", closing(saying("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello")), nil, fresh, same},
		{"HTTP/1.0 with a body until the close", closing(saying("HTTP/1.0 200 OK\r\n\r\nhello", " world")), length(11), fresh, same},
		{"a big body until the close", closing(saying("HTTP/1.0 200 OK\r\n\r\n", strings.Repeat("x", 300000))), length(300000), fresh, same},
		{"a close that is announced", closing(saying(announced)), nil, fresh, same},
		{"an answer and the close at once", closing(good), nil, stale, fresh},
		{"an answer and the close later", func(c *conn) bool {
			c.say(hello)
			time.Sleep(5 * time.Millisecond)
			return false
		}, func(c *Config) { c.Think = 20 * time.Millisecond }, stale, fresh},
		{"a reset instead of every second answer", func(c *conn) bool {
			if c.request == 0 {
				return good(c)
			}
			return resetting("")(c)
		}, nil, stale, fresh},
		{"a close that is announced and does not come", saying(announced), nil, fresh, same},
		{"a close in the second answer", second(closing(saying("HTTP/1.1 200"))), one, counts{right: 3, wrong: Short, connects: 2}, four},
		{"a reset in the second answer", second(resetting("HTTP/1.1 200")), one, counts{right: 3, wrong: Reset, connects: 2}, four},
		{"a reset in a body until the close", resetting("HTTP/1.0 200 OK\r\n\r\nhel"), nil, failed(Reset), same},
		{"a second answer some time later", func(c *conn) bool {
			c.say(hello)
			c.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
			c.Read(make([]byte, 1)) // until a client without keep-alive has closed the connection
			c.SetReadDeadline(time.Time{})
			return good(c)
		}, func(c *Config) { one(c); c.Think = 600 * time.Millisecond },
			counts{right: 4, connects: 4, unrequested: 3}, four},
		{"byte by byte", saying(strings.Split(chunked+"5;x=y\r\nhello\r\n0\r\nA: b\r\n\r\n", "")...), length(5), kept, fresh},
		{"a large answer", saying(head + "Content-Length: 4194304\r\n\r\n" + strings.Repeat("x", 4<<20)), nil, kept, fresh},
		{"a wrong length", good, length(6), wrong, failed(Wrong)},
		{"a close before the first byte", closing(saying()), nil, failed(Closed), same},
		{"a reset before the first byte", resetting(""), nil, failed(Reset), same},
		{"a close in a big body", closing(saying(head + "Content-Length: 300000\r\n\r\n" + strings.Repeat("x", 200000))), nil, failed(Short), same},
		{"two answers at once", saying(hello + hello), nil, extra, same},
		{"a byte too many", saying(hello + "!"), nil, extra, same},
		{"a byte too many behind a big body", saying(head + "Content-Length: 200000\r\n\r\n" + strings.Repeat("x", 200001)), nil, extra, same},
		{"errors", saying("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"), nil, wrong, failed(Wrong)},
		{"errors, and the connection closes", closing(saying("HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")),
			nil, failed(Wrong), same},
		{"answers that are slow", after(250 * time.Millisecond), nil, kept, fresh},
		{"answers that are too late", after(1600 * time.Millisecond), late, failed(Timeout), same},
		{"a body that stalls", func(c *conn) bool {
			c.say(hello[:len(hello)-1])
			time.Sleep(1600 * time.Millisecond)
			return false
		}, late, failed(Timeout), same},
		{"a head without an end", endless(head, "A: b\r\n", 0), nil, failed(Malformed), same},
		{"trailers without an end", endless(chunked+"0\r\n", "A: b\r\n", 0), nil, failed(Malformed), same},
		{"interim answers without an end", endless("", "HTTP/1.1 100 Continue\r\n\r\n", time.Millisecond), brief, failed(Timeout), same},
		{"a body without an end", endless(head+"\r\n", strings.Repeat("x", 1<<16), 0), brief, failed(Timeout), same},
		{"a head that drips", endless("HTTP/1.1 200 OK\r\nA: ", "b", 20*time.Millisecond), brief, failed(Timeout), same},
		{"a body that drips", endless(head+"Content-Length: 9999\r\n\r\n", "x", 20*time.Millisecond), brief, failed(Timeout), same},
		{"a length of a petabyte", closing(saying(head + "Content-Length: 1125899906842624\r\n\r\nhello")), nil, failed(Short), same},
		{"a compressed bomb", saying(head + "Content-Encoding: gzip\r\nContent-Length: 26\r\n\r\n\x1f\x8b\x08\x00\x00\x00\x00\x00" +
			"\x02\x03\xed\xc1\x01\x0d\x00\x00\x00\xc2\xa0\xf7Om\x0f\x07\x14\x00"), nil, kept, fresh},
		{"a big request", func(c *conn) bool {
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", c.body/1000, strings.Repeat("x", c.body/1000))
			return true
		}, func(c *Config) {
			length(5000)(c)
			c.Targets[0].Body = make([]byte, 5_000_000)
		}, kept, fresh},
	} {
		for _, keepAlive := range []bool{true, false} {
			want := tt.keep
			if !keepAlive && tt.close != same {
				want = tt.close
			}
			t.Run(fmt.Sprintf("%s, keep-alive %v", tt.name, keepAlive), func(t *testing.T) {
				t.Parallel()
				s := serve(t, tt.answer)
				config := Config{Targets: []Target{{URL: s.url()}}, Connections: clients, Threads: 2, Requests: each,
					Timeout: 20 * time.Second, KeepAlive: keepAlive}
				if tt.change != nil {
					tt.change(&config)
				}
				if config.Verify != nil {
					config.Verify.Before = new(false)
				}
				r := mustRun(t, config)
				got := countsOf(r)
				// A client may have finished all requests before another sends its first.
				if missing := want.connects - got.connects; keepAlive && want.connects == clients && missing > 0 &&
					missing < clients {
					got.connects += missing
				}
				if missing := got.stale - want.stale; keepAlive && want.stale > 0 && missing > 0 && missing < clients {
					got.stale -= missing
				}
				if got != want || r.Attempted != config.Requests {
					t.Errorf("\n got %+v, %d attempted, %v\nwant %+v", got, r.Attempted, r.Failures, want)
				}
				if r.Failures[Timeout] > 0 && r.FailedLatency.Min < config.Timeout.Nanoseconds() {
					t.Errorf("a request was given up after %d ns, before its timeout", r.FailedLatency.Min)
				}
				assert.Equal(t, s.connections.Load(), r.Connects, "connections that the server took, and that we count")
				if r.Latency.Count > 0 && r.FirstByte.Sum > r.Latency.Sum {
					t.Errorf("first bytes came after %d ns in all, whole answers after %d", r.FirstByte.Sum, r.Latency.Sum)
				}
			})
		}
	}
}

// A server may answer before it has read the request. That counts, and the rest of the request is not sent.
func TestEarlyAnswer(t *testing.T) {
	address := accept(t, loopback, func(c *net.TCPConn) {
		in := bufio.NewReader(c)
		for line, err := "", error(nil); line != "\r\n" && err == nil; {
			line, err = in.ReadString('\n')
		}
		io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
		time.Sleep(50 * time.Millisecond)
		io.Copy(io.Discard, in)
	})
	r := mustRun(t, Config{Targets: []Target{{URL: fmt.Sprintf("http://%s/", address), Body: make([]byte, 32<<20)}},
		Connections: 1, Requests: 3, KeepAlive: true, Verify: &Verify{Before: new(false), Status: []int{413}}})
	if r.Answered != 3 || r.Connects != 3 || r.BytesOut >= 3*32<<20 {
		t.Errorf("%d answers over %d connections with %d bytes, %v; want 3, 3, and less than all bytes", r.Answered,
			r.Connects, r.BytesOut, r.Failures)
	}
}

// An IPv6 address works. TestRequest has it in brackets in Host.
func TestIPv6(t *testing.T) {
	probe, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skipf("this machine has no IPv6: %v", err)
	}
	probe.Close()
	address := accept(t, "[::1]:0", func(c *net.TCPConn) {
		c.Read(make([]byte, 4096))
		io.WriteString(c, hello)
	})
	r := mustRun(t, Config{Targets: []Target{{URL: fmt.Sprintf("http://%s/", address)}}, Connections: 1, Requests: 2})
	assert.Equal(t, r.Answered, 2, "answers")
}

// A request allocates nothing, even where all heads differ.
func TestAllocations(t *testing.T) {
	for _, head := range []string{"", "X: "} {
		if each := allocations(t, head); each > 0.01 {
			t.Errorf("with %q: %v allocations for a request", head, each)
		}
	}
}

// allocations returns the allocations per request. With a header, it differs in each answer.
func allocations(t *testing.T, header string) float64 {
	const from, to = 2000, 12000 // between these requests, allocations are counted
	var requests atomic.Int64
	var before, after runtime.MemStats
	const start = "HTTP/1.1 200 OK\r\nConnection: keep-alive, upgrade\r\nTransfer-Encoding: chunked\r\n"
	address := accept(t, loopback, func(c *net.TCPConn) {
		request, answer := make([]byte, 4096), make([]byte, 0, 4096)
		for {
			if _, err := c.Read(request); err != nil {
				return
			}
			n := requests.Add(1)
			switch n {
			case from:
				runtime.ReadMemStats(&before)
			case to:
				runtime.ReadMemStats(&after)
			}
			answer = append(append(answer[:0], start...), header...)
			if header != "" {
				answer = append(strconv.AppendInt(answer, n, 10), "\r\n"...)
			}
			answer = append(answer, "\r\n5\r\nhello\r\n0\r\n\r\n"...)
			if _, err := c.Write(answer); err != nil {
				return
			}
		}
	})
	mustRun(t, Config{Targets: []Target{{URL: fmt.Sprintf("http://%s/", address)}}, Connections: 8, Requests: to + 1000,
		KeepAlive: true})
	return float64(after.Mallocs-before.Mallocs) / (to - from)
}

// An engine sleeps while it waits for servers to close connections.
func TestDeparturesLetTheEngineSleep(t *testing.T) {
	slowtest.Skip(t)
	s := serve(t, func(c *conn) bool {
		c.say("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello")
		return c.number%2 == 0 // every other connection is left to us to close
	})
	r := s.run(t, Config{Connections: 50, Threads: 1, Rate: 200, Duration: time.Second, Warmup: 100 * time.Millisecond,
		Arrivals: PoissonArrivals})
	assert.Equal(t, r.Answered, r.Due, "answers to all that was due, %v", r.Failures)
	if busy := r.CPU.Threads[0].Time - r.CPU.Threads[0].Polling; busy > 400*time.Millisecond {
		t.Errorf("the engine was busy for %v of a second with 200 requests", busy)
	}
}
