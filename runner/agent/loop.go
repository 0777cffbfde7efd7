//go:build linux

package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// loop is an event loop in one thread: it calls functions when sockets are ready and timers are due, so these need no
// locks. It serves connections with less processor time than goroutines do.
//
// Go's own timers wake an idle program up to a millisecond late, because epoll_wait counts in milliseconds. A loop waits
// for a high-resolution timer of the kernel.
type loop struct {
	late *lateness
	log  io.Writer

	epoll, clock int // files
	start        time.Time
	ready        []func(events uint32) // by file
	closing      []int                 // files to close once no more events of them can come
	timers       []*timer              // in the order in which they are due
	armed        int64                 // time that clock is set to
	addresses    []net.Addr
}

func newLoop() (*loop, error) {
	l := &loop{late: newLateness(), start: time.Now()}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	clock, errClock := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	l.epoll, l.clock = epoll, clock
	if err := errors.Join(err, errClock); err != nil {
		return nil, fmt.Errorf("making an event loop: %w", err)
	}
	return l, l.add(clock, func(uint32) {})
}

// now returns the time since the loop was made, in nanoseconds.
func (l *loop) now() int64 { return int64(time.Since(l.start)) }

// Bits of the events that add reports.
const (
	canRead  = unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
	canWrite = unix.EPOLLOUT | unix.EPOLLHUP | unix.EPOLLERR
	noMore   = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR // the peer sends nothing more
)

// add calls ready whenever a file becomes ready for reading or writing.
func (l *loop) add(fd int, ready func(events uint32)) error {
	for len(l.ready) <= fd {
		l.ready = append(l.ready, nil)
	}
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET, Fd: int32(fd)}
	if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		return os.NewSyscallError("epoll_ctl", err)
	}
	l.ready[fd] = ready
	return nil
}

// close closes a file that was added.
func (l *loop) close(fd int) {
	l.ready[fd] = nil
	l.closing = append(l.closing, fd)
}

// acceptPause is the time until the next try if a connection could not be accepted, for want of files or memory.
const acceptPause = 10 * time.Millisecond

// listen listens at an address, such as ":80", and calls accepted with each connection.
func (l *loop) listen(address string, accepted func(fd int)) error {
	var config net.ListenConfig
	config.SetMultipathTCP(false)
	listener, err := config.Listen(context.Background(), "tcp", address)
	if err != nil {
		return err
	}
	defer listener.Close()
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		return err
	}
	defer file.Close()
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	l.addresses = append(l.addresses, listener.Addr())
	var retry timer
	retry.fire = func() {
		for {
			conn, _, err := unix.Accept4(fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
			switch err {
			case nil:
				_ = unix.SetsockoptInt(conn, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // fails if it is closed, as reading will
				accepted(conn)
			case unix.EAGAIN:
				return
			case unix.EINTR, unix.ECONNABORTED:
			default:
				l.set(&retry, l.now()+int64(acceptPause))
				return
			}
		}
	}
	return errors.Join(unix.SetNonblock(fd, true), l.add(fd, func(uint32) { retry.fire() }))
}

// Addresses returns the addresses that it listens at. A port 0 is replaced by the actual port.
func (l *loop) Addresses() []net.Addr { return l.addresses }

// Serve serves until the context is done. It logs how late it was, and returns the error if that fails.
func (l *loop) Serve(ctx context.Context, log io.Writer) error {
	l.log = log
	done := make(chan error, 1)
	go func() { done <- l.run(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done(): // run sees it when it writes the next report
		return nil
	}
}

func (l *loop) run(ctx context.Context) error {
	defer l.closeAll()
	var failed error
	var report timer
	written := int64(0)
	report.fire = func() {
		if r := l.late.report(); r.Count > written {
			line, err := json.Marshal(r)
			_, errWrite := fmt.Fprintf(l.log, "lateness %s\n", line)
			failed, written = errors.Join(err, errWrite), r.Count
		}
		l.set(&report, l.now()+int64(ReportEvery))
	}
	report.fire()
	events := make([]unix.EpollEvent, 256)
	for ctx.Err() == nil && failed == nil {
		n, err := unix.EpollWait(l.epoll, events, l.arm())
		if err != nil && err != unix.EINTR {
			return os.NewSyscallError("epoll_wait", err)
		}
		l.fire()
		for _, e := range events[:max(n, 0)] {
			if ready := l.ready[e.Fd]; ready != nil {
				ready(e.Events)
				l.fire() // timers do not wait for all events
			}
		}
		for _, fd := range l.closing {
			unix.Close(fd)
		}
		l.closing = l.closing[:0]
	}
	return failed
}

func (l *loop) closeAll() {
	for fd, ready := range l.ready {
		if ready != nil {
			unix.Close(fd)
		}
	}
	unix.Close(l.epoll)
}

// fire calls the timers that are due.
func (l *loop) fire() {
	for now := l.now(); len(l.timers) > 0 && l.timers[0].due <= now; {
		t := l.timers[0]
		l.timers, t.isSet = l.timers[1:], false
		t.fire()
	}
}

// arm sets the clock to the first timer, and returns the timeout for events: 0, or -1 for none.
func (l *loop) arm() (timeout int) {
	first := l.timers[0].due // never empty: the timer of the reports is always set
	left := first - l.now()
	if left <= 0 {
		return 0
	}
	if first != l.armed {
		if unix.TimerfdSettime(l.clock, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(left)}, nil) != nil {
			return int(left/1e6) + 1 // milliseconds
		}
		l.armed = first
	}
	return -1
}

// timer calls fire once, when it is due by the loop's clock.
type timer struct {
	fire  func()
	due   int64
	isSet bool
}

// set sets a timer, or moves it if it is already set.
func (l *loop) set(t *timer, due int64) {
	l.unset(t)
	t.due, t.isSet = due, true
	l.timers = slices.Insert(l.timers, l.placeOf(due+1), t)
}

func (l *loop) unset(t *timer) {
	if !t.isSet {
		return
	}
	t.isSet = false
	first := l.placeOf(t.due)
	at := first + slices.Index(l.timers[first:], t)
	l.timers = slices.Delete(l.timers, at, at+1)
}

// placeOf returns the index of the first timer that is due at a time or later.
func (l *loop) placeOf(due int64) int {
	place, _ := slices.BinarySearchFunc(l.timers, due, func(t *timer, due int64) int { return cmp.Compare(t.due, due) })
	return place
}
