//go:build linux

package eventloop

import (
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// acceptPause is how long to accept nothing after files or memory ran out. Connections wait in the kernel's queue.
const acceptPause = 10 * time.Millisecond

// listener accepts the TCP connections of one address.
type listener struct {
	fd    int
	loop  *Loop
	pause Timer
}

// Listen accepts connections at an address, such as ":80", and hands each to accepted as a file that does not block and
// sends at once. It returns the actual address, with the port that a 0 became.
func (l *Loop) Listen(address string, accepted func(fd int)) (net.Addr, error) {
	accepting, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	defer accepting.Close()
	file, err := accepting.(*net.TCPListener).File()
	if err != nil {
		return nil, fmt.Errorf("listening at %s: %w", address, err)
	}
	defer file.Close()
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("listening at %s: %w", address, err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, errors.Join(fmt.Errorf("listening at %s: %w", address, err), unix.Close(fd))
	}
	out := &listener{fd: fd, loop: l}
	out.pause.Fire = func() { out.waitFor(unix.EPOLLIN) }
	if err := l.Add(fd, unix.EPOLLIN, func(uint32) { out.accept(accepted) }); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return accepting.Addr(), nil
}

func (a *listener) waitFor(events uint32) {
	if err := a.loop.Modify(a.fd, events); err != nil {
		a.loop.Fail(err)
	}
}

// accept takes what is in the queue, but not more than a batch, so that others have their turn.
func (a *listener) accept(accepted func(fd int)) {
	for range batch {
		fd, _, err := unix.Accept4(a.fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		switch err {
		case nil:
			// It fails for a connection that is gone already, as reading will.
			_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
			accepted(fd)
		case unix.EAGAIN:
			return
		case unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM:
			a.waitFor(0)
			a.loop.Set(&a.pause, a.loop.Now()+int64(acceptPause))
			return
		case unix.EINTR, unix.ECONNABORTED:
		default:
			if !transient(err) {
				a.loop.Fail(fmt.Errorf("accepting a connection: %w", err))
				return
			}
		}
		a.loop.fire()
	}
}

// transient says that an error of accept is one of the connection and not of the listener.
//
// Source: accept(2), "Linux accept() passes already-pending network errors on the new socket".
func transient(err error) bool {
	switch err {
	case unix.ENETDOWN, unix.EPROTO, unix.ENOPROTOOPT, unix.EHOSTDOWN, unix.ENONET, unix.EHOSTUNREACH, unix.EOPNOTSUPP,
		unix.ENETUNREACH:
		return true
	}
	return false
}
