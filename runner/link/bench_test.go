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

	"benchbook/runner/link"
)

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
