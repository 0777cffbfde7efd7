package loadgen

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/internal/test/must"
)

// An answer may fill the buffer to its last byte, with more behind it that nobody asked for. A network decides for
// itself how it cuts up what is sent, so here all of it has come before the first of it is read.
func TestBytesBehindAFullBuffer(t *testing.T) {
	for _, tt := range []struct{ name, field, behind string }{
		{"a byte", "", "y"},
		{"a byte, and the end announced", "Connection: close\r\n", "y"},
		{"nothing", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config := &Config{Targets: []Target{{URL: "http://127.0.0.1:1/"}}, Connections: 1, Requests: 1,
				Timeout: time.Minute, KeepAlive: true}
			l := must.Get(newLoad(config))
			r := &run{load: l, wanted: 1}
			e := must.Get(newEngine(t.Context(), r, 0, 1))
			defer e.sockets.poller.close()
			defer e.sockets.closeAll(e.connections)
			pair := must.Get(unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0))
			ours, server := pair[0], pair[1]
			defer unix.Close(server)

			const head = "HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n"
			length := bufferSize - len(fmt.Sprintf(head, tt.field, bufferSize-100))
			answer := fmt.Sprintf(head, tt.field, length) + strings.Repeat("x", length)
			if len(answer) != bufferSize {
				t.Fatalf("the answer has %d bytes, the buffer %d", len(answer), bufferSize)
			}
			if n, err := unix.Write(server, []byte(answer+tt.behind)); err != nil || n != len(answer+tt.behind) {
				t.Fatalf("wrote %d of %d bytes: %v", n, len(answer+tt.behind), err)
			}

			r.issued.Store(1) // this request is the only one
			r.window.openAt(l.now())
			e.clock = l.now()
			c := &e.connections[0]
			c.fd, c.state, c.start, c.sent = int32(ours), waiting, e.clock, e.clock
			c.answer.reset()
			c.generation = e.sockets.add(ours, 0)
			e.flight.push(e.connections, 0)
			e.read(0, c, false)

			if len(e.uncounted) != 1 {
				t.Fatalf("%d requests have ended, want 1", len(e.uncounted))
			}
			if o := e.uncounted[0]; o.kind != "" || o.status != 200 || o.unrequested != (tt.behind != "") {
				t.Errorf("got kind %q, status %d, unrequested %v; want an answer 200, unrequested %v",
					o.kind, o.status, o.unrequested, tt.behind != "")
			}
		})
	}
}
