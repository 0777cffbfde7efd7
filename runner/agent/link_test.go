//go:build linux

package agent

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
)

// linkTo starts a link to an address. It ends with the test.
func linkTo(t testing.TB, l spec.Link, target string) (address string, written *log) {
	t.Helper()
	r := must.Get(ListenLink(t.Context(), LinkConfig{Semantics: record.LinkSemantics, Link: l,
		Routes: []LinkRoute{{Listen: "127.0.0.1:0", Target: target}}}))
	return r.Addresses()[0].String(), serve(t, r)
}

// service starts a service that handles each connection and then closes it. It ends with the test.
func service(t testing.TB, handle func(*net.TCPConn)) (address string) {
	t.Helper()
	listener := must.Get(net.Listen("tcp", "127.0.0.1:0"))
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				handle(conn.(*net.TCPConn))
			}()
		}
	}()
	return listener.Addr().String()
}

func echo(conn *net.TCPConn) { _, _ = io.Copy(conn, conn) } // until the other end is gone

func dial(t testing.TB, address string) *net.TCPConn {
	t.Helper()
	conn := must.Get(net.Dial("tcp", address))
	t.Cleanup(func() { conn.Close() })
	must.Do(conn.SetDeadline(time.Now().Add(2 * time.Minute)))
	return conn.(*net.TCPConn)
}

// ask sends a text and reads as many bytes.
func ask(conn net.Conn, text string) error {
	if _, err := io.WriteString(conn, text); err != nil {
		return err
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(conn, got); err != nil {
		return err
	}
	if string(got) != text {
		return fmt.Errorf("got %q, want %q", got, text)
	}
	return nil
}

const rtt = 60 * time.Millisecond

// slack is how much longer than in the model the fastest of several tries may take on a busy machine. A mistake in the
// model would cost half a round trip or more.
const slack = 25 * time.Millisecond

// The number of round trips that an exchange takes over a link. S is the time of the service.
func TestRoundTrips(t *testing.T) {
	slowtest.Skip(t)
	accepted, ended := make(chan time.Time, 100), make(chan error, 100)
	accept := func(conn *net.TCPConn) {
		accepted <- time.Now()
		echo(conn)
	}
	hello := func(conn *net.TCPConn) error { return ask(conn, "hello") }
	readEnd := func(conn *net.TCPConn, want error) error {
		if n, err := conn.Read(make([]byte, 1)); n != 0 || !errors.Is(err, want) {
			return fmt.Errorf("got %d bytes, %v; want %v", n, err, want)
		}
		return nil
	}
	for _, tt := range []struct {
		name   string
		trips  float64
		serve  func(*net.TCPConn)        // nil: it refuses
		before func(*net.TCPConn) error  // over the same connection, not timed
		ask    func(*net.TCPConn) error  // timed, with the connection if there is no before
		until  func() (time.Time, error) // when the time ends, if not with ask
	}{
		{"a request over a new connection", 2, echo, nil, hello, nil},
		{"a request over a kept connection", 1, echo, hello, hello, nil},
		{"the service takes half a round trip", 2.5, func(conn *net.TCPConn) {
			buffer := make([]byte, 5)
			if _, err := io.ReadFull(conn, buffer); err == nil {
				time.Sleep(rtt / 2)
				_, _ = conn.Write(buffer)
			}
		}, nil, hello, nil},
		{"the service speaks first", 2, func(conn *net.TCPConn) { _, _ = io.WriteString(conn, "220 ready\r\n") }, nil,
			func(conn *net.TCPConn) error {
				_, err := io.ReadFull(conn, make([]byte, 11))
				return err
			}, nil},
		{"the service gets the connection and a request", 1.5, accept, nil, hello,
			func() (time.Time, error) { return <-accepted, nil }},
		{"the service gets an idle connection", 1.5, accept, nil, func(*net.TCPConn) error { return nil },
			func() (time.Time, error) { return <-accepted, nil }},
		{"the service refuses", 2, nil, nil, func(conn *net.TCPConn) error { return readEnd(conn, syscall.ECONNRESET) }, nil},
		{"the end of the stream", 1, echo, hello,
			func(conn *net.TCPConn) error { return errors.Join(conn.CloseWrite(), readEnd(conn, io.EOF)) }, nil},
		{"a reset by the service", 2, func(conn *net.TCPConn) {
			_, _ = conn.Read(make([]byte, 1))
			_ = conn.SetLinger(0)
		}, nil, func(conn *net.TCPConn) error {
			_, err := conn.Write([]byte("x"))
			return errors.Join(err, readEnd(conn, syscall.ECONNRESET))
		}, nil},
		{"a reset by the client", 0.5, func(conn *net.TCPConn) {
			_, err := io.Copy(conn, conn)
			ended <- err
		}, hello, func(conn *net.TCPConn) error { return errors.Join(conn.SetLinger(0), conn.Close()) },
			func() (time.Time, error) {
				if err := <-ended; !errors.Is(err, syscall.ECONNRESET) {
					return time.Time{}, fmt.Errorf("got %v, want a reset", err)
				}
				return time.Now(), nil
			}},
		{"a reset after the end of the stream", 1, func(*net.TCPConn) {},
			func(conn *net.TCPConn) error { return readEnd(conn, io.EOF) }, func(conn *net.TCPConn) error {
				for range 1000 {
					if _, err := conn.Write([]byte("x")); err != nil {
						return nil
					}
					time.Sleep(time.Millisecond / 2)
				}
				return errors.New("the connection was not reset")
			}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target := "127.0.0.1:1" // where nobody listens
			if tt.serve != nil {
				target = service(t, tt.serve)
			}
			address, written := linkTo(t, spec.Link{RTT: rtt}, target)
			want, best := time.Duration(tt.trips*float64(rtt)), time.Hour
			for tries := 0; tries < 12 && best > want+slack/8; tries++ {
				begin := time.Now()
				conn := dial(t, address)
				if tt.before != nil {
					must.Do(tt.before(conn))
					begin = time.Now()
				}
				err := tt.ask(conn)
				end := time.Now()
				if tt.until != nil && err == nil {
					end, err = tt.until()
				}
				must.Do(err)
				took := end.Sub(begin)
				if took < want-50*time.Microsecond {
					t.Fatalf("took %v, want %v or more", took, want)
				}
				best = min(best, took)
				conn.Close()
			}
			if best > want+slack {
				t.Errorf("took %v or more, want %v", best, want)
			}
			const said = "benchbook-link: connecting to the service: connection refused\n"
			assert.Equal(t, bytes.HasPrefix(written.Bytes(), []byte(said)), tt.serve == nil, "the log %q", written.Bytes())
		})
	}
}

// What arrives equals what was sent, in both directions at once, up to the ends of both streams.
func TestNothingIsLost(t *testing.T) {
	slowtest.Skip(t)
	const ms = time.Millisecond
	for _, tt := range []struct {
		name        string
		link        spec.Link
		connections int
		bytes       int
	}{
		{"no link", spec.Link{}, 4, 6 << 20},
		{"a round trip", spec.Link{RTT: 10 * ms}, 4, 6 << 20},
		{"many connections", spec.Link{RTT: 100 * ms}, 2000, 100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			address, written := linkTo(t, tt.link, service(t, func(conn *net.TCPConn) {
				_, _ = io.Copy(struct{ io.Writer }{conn}, struct{ io.Reader }{conn})
				_ = conn.CloseWrite()
			}))
			var group sync.WaitGroup
			for i := range tt.connections {
				conn := dial(t, address)
				data := make([]byte, tt.bytes)
				_, _ = rand.NewChaCha8([32]byte{byte(i), byte(i >> 8)}).Read(data)
				group.Go(func() {
					for rest, n := data, 0; len(rest) > 0; rest = rest[n:] {
						n = min(len(rest), 1+(7919*len(rest))%100_000)
						if _, err := conn.Write(rest[:n]); err != nil {
							t.Error(err)
							return
						}
					}
					must.Do(conn.CloseWrite())
				})
				group.Go(func() {
					if got, err := io.ReadAll(conn); err != nil || !bytes.Equal(got, data) {
						t.Errorf("connection %d: got %d bytes of %d, %v, or others", i, len(got), len(data), err)
					}
				})
			}
			group.Wait()
			if tt.link.RTT > 0 {
				t.Log(waitForLateness(t, written, int64(tt.connections)))
			}
		})
	}
}

// Data in transit is bounded, per connection and in all, and no sender waits for ever.
func TestMemory(t *testing.T) {
	slowtest.Skip(t)
	for _, tt := range []struct {
		name                     string
		connections, size, limit int
		most                     int // each flow may have a little more, and what was read at once
	}{
		{"one connection", 1, 64 << 20, maxAll, maxFlow + maxRead + markSize},
		{"all connections", 20, 12 << 20, 8 << 20, 8<<20 + 20*2*(reservedFlow+maxRead+2*markSize)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			release := make(chan struct{})
			var received sync.WaitGroup
			received.Add(tt.connections)
			target := service(t, func(conn *net.TCPConn) {
				defer received.Done()
				<-release
				if n, err := io.Copy(io.Discard, conn); err != nil || n != int64(tt.size) {
					t.Errorf("received %d bytes of %d, %v", n, tt.size, err)
				}
			})
			r := must.Get(ListenLink(t.Context(), LinkConfig{Link: spec.Link{RTT: time.Millisecond},
				Routes: []LinkRoute{{"127.0.0.1:0", target}}}))
			r.limit = tt.limit
			var now, most atomic.Int64
			var look timer
			look.fire = func() {
				now.Store(int64(r.used))
				most.Store(max(most.Load(), now.Load()))
				r.set(&look, r.now()+int64(time.Millisecond))
			}
			look.fire()
			serve(t, r)
			var senders sync.WaitGroup
			for range tt.connections {
				conn := dial(t, r.Addresses()[0].String())
				senders.Go(func() {
					_, err := conn.Write(make([]byte, tt.size))
					err = errors.Join(err, conn.CloseWrite())
					if _, errRead := io.Copy(io.Discard, conn); errors.Join(err, errRead) != nil {
						t.Error(err, errRead)
					}
				})
			}
			wait := func(until func() bool) {
				for deadline := time.Now().Add(time.Minute); !until() && time.Now().Before(deadline); {
					time.Sleep(10 * time.Millisecond)
				}
			}
			least := int64(min(tt.limit, maxFlow))
			wait(func() bool { return most.Load() >= least })
			time.Sleep(100 * time.Millisecond) // in which it would grow beyond the limit
			close(release)
			senders.Wait()
			received.Wait()
			wait(func() bool { return now.Load() == 0 })
			if most.Load() < least || most.Load() > int64(tt.most) {
				t.Errorf("used up to %d bytes, want %d to %d", most.Load(), least, tt.most)
			}
			assert.Equal(t, now.Load(), 0, "bytes are in use after everything has arrived")
		})
	}
}
