//go:build linux

package delay

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// acceptPause is the time until the next try after a connection could not be accepted, for want of files or memory.
const acceptPause = 10 * time.Millisecond

// Server accepts TCP connections and handles each in a goroutine. Make one with NewServer.
type Server struct {
	*Clock
	Lateness *Lateness

	listeners []listener
}

type listener struct {
	net.Listener
	handle func(ctx context.Context, conn *net.TCPConn)
}

// NewServer returns a server that listens nowhere yet.
func NewServer() (*Server, error) {
	clock, err := NewClock()
	if err != nil {
		return nil, err
	}
	return &Server{Clock: clock, Lateness: NewLateness()}, nil
}

// Listen listens at an address such as ":80"; connections wait until Serve. It returns the actual address, with the
// port that a 0 became. A connection is closed when handle returns, or the context is done.
func (s *Server) Listen(address string, handle func(ctx context.Context, conn *net.TCPConn)) (net.Addr, error) {
	config := net.ListenConfig{KeepAlive: -1}
	config.SetMultipathTCP(false)
	l, err := config.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, err
	}
	s.listeners = append(s.listeners, listener{l, handle})
	return l.Addr(), nil
}

// Serve handles connections until the context is done, and then closes all of them and the clock. It writes to the log
// how late answers are; if that fails, it ends with the error.
func (s *Server) Serve(ctx context.Context, log io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var group sync.WaitGroup
	for _, l := range s.listeners {
		group.Go(func() { l.accept(ctx, &group) })
	}
	err := s.Lateness.watch(ctx, log)
	cancel()
	s.Close()
	group.Wait()
	return err
}

// Close closes the listeners and the clock.
func (s *Server) Close() {
	s.Clock.Close()
	for _, l := range s.listeners {
		l.Close()
	}
}

func (l listener) accept(ctx context.Context, group *sync.WaitGroup) {
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(acceptPause) // connections wait in the kernel's queue
			continue
		}
		group.Go(func() {
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			l.handle(ctx, conn.(*net.TCPConn))
		})
	}
}
