//go:build linux

package loadgen

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// counts are what the tables of servers want.
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

// Each server misbehaves in one of the ways that trap load generators, and is asked by three clients for twelve
// requests in all, with keep-alive and without. Every request ends in exactly one way, and every connection is counted.
func TestConformance(t *testing.T) {
	slowtest.Skip(t)
	const clients, each = 3, 12
	say := func(texts ...string) func(*conn) bool {
		return func(c *conn) bool {
			for i, text := range texts {
				if i > 0 {
					time.Sleep(2 * time.Millisecond)
				}
				c.say(text)
			}
			return true
		}
	}
	end := func(answer func(*conn) bool) func(*conn) bool {
		return func(c *conn) bool {
			answer(c)
			return false
		}
	}
	// endless goes on with a piece until nobody reads any more, after a pause each time.
	endless := func(begin, piece string, pause time.Duration) func(*conn) bool {
		return func(c *conn) bool {
			c.say(begin)
			for err := error(nil); err == nil; time.Sleep(pause) {
				_, err = io.WriteString(c, piece)
			}
			return false
		}
	}
	reset := func(text string) func(*conn) bool {
		return func(c *conn) bool {
			c.say(text)
			time.Sleep(5 * time.Millisecond) // or the reset overtakes the text
			c.reset()
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
	const head = "HTTP/1.1 200 OK\r\n"
	failed := func(kind Kind) counts { return counts{wrong: kind, connects: each} }
	brief := func(c *Config) { c.Timeout = 300 * time.Millisecond }
	kept := counts{right: each, connects: clients}
	fresh := counts{right: each, connects: each}
	extra := counts{right: each, connects: each, unrequested: each}
	stale := counts{right: each, connects: each, stale: each - clients}
	for _, tt := range []struct {
		name        string
		answer      func(*conn) bool
		change      func(*Config)
		keep, close counts
	}{
		{"an answer in one piece", good, nil, kept, fresh},
		{"an answer in two pieces", say(hello[:30], hello[30:]), nil, kept, fresh},
		{"a pause between head and body", say(hello[:len(hello)-5], "hello"), nil, kept, fresh},
		{"chunks", say(head+"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "0\r\n\r\n"), nil, kept, fresh},
		{"chunks with trailers", say(head+"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n", "C: d\r\n\r\n"),
			nil, kept, fresh},
		{"one big chunk in pieces", say(head+"Transfer-Encoding: chunked\r\n\r\nc350\r\n"+strings.Repeat("x", 20000),
			strings.Repeat("y", 30000)+"\r\n0\r\n\r\n"),
			func(c *Config) { c.Verify = &Verify{Length: new(int64(50000))} }, kept, fresh},
		{"early hints before an answer", say("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + hello), nil, kept, fresh},
		{"early hints, and the answer later", say("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", hello), nil, kept, fresh},
		{"three interim answers", say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" +
			"HTTP/1.1 103 Early Hints\r\n\r\n" + hello), nil, kept, fresh},
		{"only an interim answer", end(say("HTTP/1.1 103 Early Hints\r\n\r\n")), nil, failed(Short), failed(Short)},
		{"204 without a body in spite of a length", say("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"), nil, kept,
			fresh},
		{"304 without a body in spite of a length", say("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
			func(c *Config) { c.Verify = &Verify{Status: []int{304}} }, kept, fresh},
		{"HEAD without a body in spite of a length", say(head + "Content-Length: 5\r\n\r\n"),
			func(c *Config) { c.Targets[0].Method = "HEAD" }, kept, fresh},
		{"HEAD with a body", say(hello), func(c *Config) { c.Targets[0].Method = "HEAD" },
			extra, extra},
		{"an empty body", say(head + "Content-Length: 0\r\n\r\n"), nil, kept, fresh},
		{"HTTP/1.0 that stays", say("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello"), nil, kept,
			fresh},
		{"HTTP/1.0 that goes", end(say("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello")), nil, fresh, fresh},
		{"HTTP/1.0 with a body until the close", end(say("HTTP/1.0 200 OK\r\n\r\nhello", " world")),
			func(c *Config) { c.Verify = &Verify{Length: new(int64(11))} }, fresh, fresh},
		{"a big body until the close", end(say("HTTP/1.0 200 OK\r\n\r\n", strings.Repeat("x", 300000))),
			func(c *Config) { c.Verify = &Verify{Length: new(int64(300000))} }, fresh, fresh},
		{"a close that is announced", end(say(head + "Connection: close\r\nContent-Length: 5\r\n\r\nhello")), nil, fresh,
			fresh},
		{"an answer and the close at once", end(good), nil, stale, fresh},
		{"an answer and the close later", func(c *conn) bool {
			c.say(hello)
			time.Sleep(5 * time.Millisecond)
			return false
		}, func(c *Config) { c.Think = 20 * time.Millisecond },
			stale, fresh},
		{"a reset instead of every second answer", func(c *conn) bool {
			if c.request == 0 {
				return good(c)
			}
			c.reset()
			return false
		}, nil, stale, fresh},
		{"a close that is announced and does not come", say(head + "Connection: close\r\nContent-Length: 5\r\n\r\nhello"), nil,
			fresh, fresh},
		{"a close in the second answer", second(end(say("HTTP/1.1 200"))), one, counts{right: 3, wrong: Short, connects: 2},
			counts{right: 4, connects: 4}},
		{"a reset in the second answer", second(reset("HTTP/1.1 200")), one, counts{right: 3, wrong: Reset, connects: 2},
			counts{right: 4, connects: 4}},
		{"a reset in a body until the close", reset("HTTP/1.0 200 OK\r\n\r\nhel"), nil, failed(Reset), failed(Reset)},
		{"a second answer some time later", func(c *conn) bool {
			c.say(hello)
			c.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
			c.Read(make([]byte, 1)) // until a client without keep-alive has closed the connection
			c.SetReadDeadline(time.Time{})
			c.say(hello)
			return true
		}, func(c *Config) { one(c); c.Think = 600 * time.Millisecond },
			counts{right: 4, connects: 4, unrequested: 3}, counts{right: 4, connects: 4}},
		{"byte by byte", func(c *conn) bool {
			for _, b := range "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nA: b\r\n\r\n" {
				c.say(string(b))
			}
			return true
		}, func(c *Config) { c.Verify = &Verify{Length: new(int64(5))} }, kept, fresh},
		{"a large answer", say(head + "Content-Length: 4194304\r\n\r\n" + strings.Repeat("x", 4<<20)), nil, kept, fresh},
		{"a wrong length", good, func(c *Config) { c.Verify = &Verify{Length: new(int64(6))} },
			counts{wrong: Wrong, connects: clients}, counts{wrong: Wrong, connects: each}},
		{"a close before the first byte", func(*conn) bool { return false }, nil, failed(Closed), failed(Closed)},
		{"a reset before the first byte", func(c *conn) bool { c.reset(); return false }, nil, failed(Reset), failed(Reset)},
		{"a close in the status line", end(say("HTT")), nil, failed(Short), failed(Short)},
		{"a close in a chunk", end(say(head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhel")), nil, failed(Short), failed(Short)},
		{"a close in a big body", end(say(head + "Content-Length: 300000\r\n\r\n" + strings.Repeat("x", 200000))), nil, failed(Short), failed(Short)},
		{"two answers at once", say(hello + hello), nil, extra, extra},
		{"a byte too many", say(hello + "!"), nil, extra, extra},
		{"a byte too many behind a big body", say(head + "Content-Length: 200000\r\n\r\n" + strings.Repeat("x", 200001)), nil, extra, extra},
		{"another protocol", say("220 mail.example ESMTP\r\n"), nil, failed(Malformed), failed(Malformed)},
		{"errors", say("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"), nil,
			counts{wrong: Wrong, connects: clients}, counts{wrong: Wrong, connects: each}},
		{"errors, and the connection closes", end(say("HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")),
			nil, failed(Wrong), failed(Wrong)},
		{"answers that are slow", after(250 * time.Millisecond), nil, kept, fresh},
		{"answers that are too late", after(1600 * time.Millisecond),
			func(c *Config) { c.Timeout = 800 * time.Millisecond },
			failed(Timeout), failed(Timeout)},
		{"a body that stalls", func(c *conn) bool {
			c.say(hello[:len(hello)-1])
			time.Sleep(1600 * time.Millisecond)
			return false
		}, func(c *Config) { c.Timeout = 800 * time.Millisecond },
			failed(Timeout), failed(Timeout)},
		{"a head without an end", endless(head, "A: b\r\n", 0), nil, failed(Malformed), failed(Malformed)},
		{"trailers without an end", endless(head+"Transfer-Encoding: chunked\r\n\r\n0\r\n", "A: b\r\n", 0), nil, failed(Malformed), failed(Malformed)},
		{"interim answers without an end", endless("", "HTTP/1.1 100 Continue\r\n\r\n", time.Millisecond), brief,
			failed(Timeout), failed(Timeout)},
		{"a body without an end", endless(head+"\r\n", strings.Repeat("x", 1<<16), 0), brief, failed(Timeout),
			failed(Timeout)},
		{"a head that drips", endless("HTTP/1.1 200 OK\r\nA: ", "b", 20*time.Millisecond), brief, failed(Timeout),
			failed(Timeout)},
		{"a body that drips", endless(head+"Content-Length: 9999\r\n\r\n", "x", 20*time.Millisecond), brief,
			failed(Timeout), failed(Timeout)},
		{"a length of a petabyte", end(say(head + "Content-Length: 1125899906842624\r\n\r\nhello")), nil, failed(Short),
			failed(Short)},
		{"a compressed bomb", say(head + "Content-Encoding: gzip\r\nContent-Length: 26\r\n\r\n\x1f\x8b\x08\x00\x00\x00\x00\x00" +
			"\x02\x03\xed\xc1\x01\x0d\x00\x00\x00\xc2\xa0\xf7Om\x0f\x07\x14\x00"), nil, kept, fresh},
		{"a big request", func(c *conn) bool {
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", c.body/1000, strings.Repeat("x", c.body/1000))
			return true
		}, func(c *Config) {
			c.Targets[0].Body = make([]byte, 5_000_000)
			c.Verify = &Verify{Length: new(int64(5000))}
		}, kept, fresh},
	} {
		for _, keepAlive := range []bool{true, false} {
			want, words := tt.close, "without"
			if keepAlive {
				want, words = tt.keep, "with"
			}
			t.Run(tt.name+", "+words+" keep-alive", func(t *testing.T) {
				t.Parallel()
				s := serve(t, tt.answer)
				config := Config{
					Targets: []Target{{URL: s.url()}}, Connections: clients, Threads: 2, Requests: each,
					Timeout: 20 * time.Second, KeepAlive: keepAlive,
				}
				if tt.change != nil {
					tt.change(&config)
				}
				if config.Verify != nil {
					config.Verify.Before = new(false)
				}
				r := mustRun(t, config)
				got := countsOf(r)
				// A client may be done with all requests before another has come to its first.
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

// A server that answers before it has read the request has answered it, and what is left of the request is not sent.
func TestEarlyAnswer(t *testing.T) {
	listener := must.Get(net.Listen("tcp", "127.0.0.1:0"))
	defer listener.Close()
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				in := bufio.NewReader(c)
				for line := ""; line != "\r\n"; {
					if line, err = in.ReadString('\n'); err != nil {
						return
					}
				}
				io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
				time.Sleep(50 * time.Millisecond)
				io.Copy(io.Discard, in)
			}()
		}
	}()
	r := mustRun(t, Config{
		Targets:     []Target{{URL: fmt.Sprintf("http://%s/", listener.Addr()), Body: make([]byte, 32<<20)}},
		Connections: 1, Requests: 3, Timeout: 20 * time.Second, KeepAlive: true, Verify: &Verify{Before: new(false),
			Status: []int{413}},
	})
	if r.Answered != 3 || r.Connects != 3 || r.BytesOut >= 3*32<<20 {
		t.Errorf("%d answers over %d connections with %d bytes, %v; want 3, 3, and less than all bytes", r.Answered,
			r.Connects, r.BytesOut, r.Failures)
	}
}

// An IPv6 address is connected to, and stands in brackets in Host.
func TestIPv6(t *testing.T) {
	listener, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.MustParseAddrPort("[::1]:0")))
	if err != nil {
		t.Skipf("this machine has no IPv6: %v", err)
	}
	defer listener.Close()
	hosts := make(chan string, 10)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			in := bufio.NewReader(c)
			for line := ""; line != "\r\n"; {
				if line, err = in.ReadString('\n'); err != nil {
					break
				}
				if host, found := strings.CutPrefix(line, "Host: "); found {
					hosts <- strings.TrimSpace(host)
				}
			}
			io.WriteString(c, hello)
			c.Close()
		}
	}()
	r := mustRun(t, Config{Targets: []Target{{URL: fmt.Sprintf("http://%s/", listener.Addr())}}, Connections: 1,
		Requests: 2, Timeout: 5 * time.Second})
	if host := <-hosts; r.Answered != 2 || host != listener.Addr().String() {
		t.Errorf("%d answers, Host was %q, want 2 and %q", r.Answered, host, listener.Addr())
	}
}

const inNamespace = "BENCHBOOK_TEST_PORTS"

// With no local port left, that is what is said, and not that the server has failed.
//
// Ports are taken away in a network namespace of its own, in which this test starts itself again.
func TestPorts(t *testing.T) {
	if os.Getenv(inNamespace) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestPorts$", "-test.v")
		cmd.Env = append(os.Environ(), inNamespace+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		}
		out, err := cmd.CombinedOutput()
		if _, ended := err.(*exec.ExitError); err != nil && !ended {
			t.Skipf("namespaces are not allowed here: %v", err)
		}
		if err != nil || !strings.Contains(string(out), "--- PASS: TestPorts") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	socket := must.Get(unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0))
	request := must.Get(unix.NewIfreq("lo"))
	request.SetUint16(unix.IFF_UP)
	must.Do(unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request))
	s := serve(t, after(300*time.Millisecond)) // so that no port is free again before all have asked for one
	must.Do(os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte("61000 61003"), 0))
	r := mustRun(t, Config{Targets: []Target{{URL: s.url()}}, Connections: 8, Requests: 8,
		Timeout: 5 * time.Second, KeepAlive: true})
	if r.Failures[Ports] != r.Failed || r.Failed != 4 || r.Connects != 4 {
		t.Errorf("got %v over %d connections, want 4 times ports and 4", r.Failures, r.Connects)
	}
}

// A connection that waits costs no more than this.
func TestSizeOfConnection(t *testing.T) {
	if sizeOfConnection > 256 {
		t.Errorf("a connection takes %d bytes, want at most 256", sizeOfConnection)
	}
	t.Logf("%d bytes", sizeOfConnection)
}

// A request allocates nothing.
func TestAllocations(t *testing.T) {
	listener := must.Get(net.Listen("tcp", "127.0.0.1:0"))
	defer listener.Close()
	const from, to = 2000, 12000 // between these requests, allocations are counted
	var requests atomic.Int64
	var before, after runtime.MemStats
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				request, answer := make([]byte, 4096), []byte(hello)
				for {
					if _, err := c.Read(request); err != nil {
						return
					}
					switch requests.Add(1) {
					case from:
						runtime.ReadMemStats(&before)
					case to:
						runtime.ReadMemStats(&after)
					}
					if _, err := c.Write(answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	mustRun(t, Config{
		Targets:     []Target{{URL: fmt.Sprintf("http://%s/", listener.Addr())}},
		Connections: 8, Requests: to + 1000, Timeout: 20 * time.Second, KeepAlive: true,
	})
	if each := float64(after.Mallocs-before.Mallocs) / (to - from); each > 0.01 {
		t.Errorf("%v allocations for a request", each)
	}
}

// An engine that waits for servers to close connections sleeps meanwhile.
func TestDeparturesLetTheEngineSleep(t *testing.T) {
	slowtest.Skip(t)
	s := serve(t, func(c *conn) bool {
		c.say("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello")
		return c.number%2 == 0 // every other connection is left to us to close
	})
	r := mustRun(t, Config{
		Targets: []Target{{URL: s.url()}}, Connections: 50, Threads: 1, Rate: 200, Duration: time.Second,
		Timeout: 5 * time.Second,
		Warmup:  100 * time.Millisecond, Arrivals: PoissonArrivals,
	})
	if r.Answered != r.Due {
		t.Errorf("%d answers of %d, %v", r.Answered, r.Due, r.Failures)
	}
	if busy := r.CPU.Threads[0].Time - r.CPU.Threads[0].Polling; busy > 400*time.Millisecond {
		t.Errorf("the engine was busy for %v of a second with 200 requests", busy)
	}
}
