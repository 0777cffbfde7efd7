//go:build linux

package link

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"benchbook/internal/slowtest"
	"benchbook/runner/eventloop"
)

// All connections together take no more memory than there is for them, and none of them waits for ever.
func TestMemoryOfAll(t *testing.T) {
	slowtest.Skip(t)
	const connections, size, limit = 20, 12 << 20, 8 << 20
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	release := make(chan struct{})
	var received sync.WaitGroup
	received.Add(connections)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer received.Done()
				defer conn.Close()
				<-release
				if n, err := io.Copy(io.Discard, conn); err != nil || n != size {
					t.Errorf("%d bytes of %d, %v", n, size, err)
				}
			}()
		}
	}()
	r, err := Listen(t.Context(), Config{Semantics: Semantics, RTT: time.Millisecond,
		Routes: []Route{{"127.0.0.1:0", listener.Addr().String()}}})
	if err != nil {
		t.Fatal(err)
	}
	r.memory.limit = limit
	var most, now atomic.Int64
	var look eventloop.Timer // on the relay's thread
	look.Fire = func() {
		now.Store(int64(r.memory.used))
		most.Store(max(most.Load(), now.Load()))
		r.loop.Set(&look, r.loop.Now()+int64(time.Millisecond))
	}
	r.loop.Set(&look, 0)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Serve(ctx, io.Discard) }()
	var senders sync.WaitGroup
	for range connections {
		conn, err := net.Dial("tcp", r.Addresses()[0].String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		senders.Go(func() {
			if _, err := conn.Write(make([]byte, size)); err != nil {
				t.Error(err)
			}
			if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Error(err)
			}
			// The end of the answer, which has none, is on its way through the relay, too.
			if _, err := io.Copy(io.Discard, conn); err != nil {
				t.Error(err)
			}
		})
	}
	for deadline := time.Now().Add(time.Minute); most.Load() < limit && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond) // and now they would go beyond it
	close(release)
	senders.Wait()
	received.Wait()
	// until the relay has seen all of it
	for deadline := time.Now().Add(time.Minute); now.Load() > 0 && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	// What was read at once may reach beyond a bound.
	if bound := limit + connections*2*(reservedFlow+maxRead+2*chunkSize); most.Load() < limit ||
		most.Load() > int64(bound) {
		t.Errorf("up to %d bytes were in use, want about %d, and %d at most", most.Load(), limit, bound)
	}
	if r.memory.used != 0 {
		t.Errorf("%d bytes are in use after everything has arrived", r.memory.used)
	}
}

func TestLine(t *testing.T) {
	const ms = int64(1e6)
	l := line{rate: 1e6} // a byte takes a microsecond
	if p := l.piece(); p != 1460 {
		t.Errorf("a piece is %d bytes, want a packet", p)
	}
	if p := (&line{rate: 1e9}).piece(); p != maxRead {
		t.Errorf("a piece of a fast line is %d bytes", p)
	}
	if left := l.put(5*ms, 1000); left != 6*ms {
		t.Errorf("1000 bytes have left at %d, want a millisecond later", left)
	}
	if left := l.put(5*ms, 9000); left != 15*ms {
		t.Errorf("9000 behind them have left at %d, want 10 ms after that", left)
	}
	if !l.open(5*ms) || l.open(5*ms-1) {
		t.Error("more than 10 ms is queued, or less is not")
	}
	if left := l.put(100*ms, 1000); left != 101*ms {
		t.Errorf("on a line that is free again, 1000 bytes have left at %d", left)
	}
	if left := (&line{}).put(7, 1<<30); left != 7 {
		t.Errorf("on a line without a rate, bytes leave at %d", left)
	}
}

func TestConfigProblems(t *testing.T) {
	const routes = `{"semantics": 1, "routes": [{"listen": ":1", "target": "x:1"}]`
	tests := []struct{ name, config, want string }{
		{"no JSON", `hello`, "reading config: invalid character 'h' looking for beginning of value"},
		{"two", routes + `}{}`, "reading config: more than one JSON document"},
		{"unknown field", `{"loss": 1}`, `reading config: json: unknown field "loss"`},
		{"another version", `{"semantics": 7}`, "semantics is 7, and this program's is 1: build both with make build"},
		{"no routes", `{"semantics": 1}`, "routes is empty; there is nothing to relay"},
		{"listen", `{"semantics": 1, "routes": [{"listen": "80", "target": "x:1"}]}`,
			"routes[0]: listen: address 80: missing port in address"},
		{"target", `{"semantics": 1, "routes": [{"listen": ":80", "target": ":1"}]}`,
			`routes[0]: target ":1" is not a host and a port`},
		{"rtt", routes + `, "rtt_ns": -1}`, "rtt is -1ns; it must lie between 0 and 1h0m0s"},
		{"jitter", routes + `, "rtt_ns": 10, "jitter_ns": 6}`,
			"jitter is 6ns; it must lie between 0 and half of rtt, which is 5ns"},
		{"rate", routes + `, "rate": -1}`, "rate is -1 bytes per second; it must lie between 0 and 1e15"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := ReadConfig(strings.NewReader(tt.config)); err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
