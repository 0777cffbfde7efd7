//go:build linux

package agent

import (
	"io"
	"net"
	"testing"

	"benchbook/internal/test/must"
	"benchbook/notebook/spec"
)

// What a link costs: bytes and small messages through one without a delay, next to the same without it. Run
//
//	go test ./runner/agent -run - -bench Link
func BenchmarkLink(b *testing.B) {
	swallow := func(conn *net.TCPConn) {
		// In large pieces: with the pieces of io.Copy the service would be the slowest.
		_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{conn}, make([]byte, 256<<10))
	}
	for _, through := range []string{"direct", "link"} {
		reach := func(b *testing.B, handle func(*net.TCPConn)) (address string) {
			if address = service(b, handle); through == "link" {
				address, _ = linkTo(b, spec.Link{}, address)
			}
			return address
		}
		b.Run("bytes/"+through, func(b *testing.B) {
			conn, piece := dial(b, reach(b, swallow)), make([]byte, 1<<20)
			b.SetBytes(int64(len(piece)))
			for b.Loop() {
				must.Get(conn.Write(piece))
			}
		})
		b.Run("message/"+through, func(b *testing.B) {
			conn := dial(b, reach(b, echo))
			for b.Loop() {
				must.Do(ask(conn, "hello"))
			}
		})
		b.Run("messages at once/"+through, func(b *testing.B) {
			address := reach(b, echo)
			b.SetParallelism(50)
			b.RunParallel(func(next *testing.PB) {
				conn := dial(b, address)
				for next.Next() {
					must.Do(ask(conn, "hello"))
				}
			})
		})
	}
}
