package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The responder answers GET requests without a body as fast as one core can: one thread with one epoll, a read and a
// write for each request, and no look at the request but for where it ends. It is in Go, so that the comparison runs
// where there is no C compiler; a loop of plain system calls costs in Go what it costs in C.

const (
	answer = "HTTP/1.1 200 OK\r\nServer: responder\r\nDate: Fri, 20 Nov 2026 06:53:55 GMT\r\n" +
		"Content-Type: text/plain\r\n" +
		"Content-Length: 14\r\nConnection: %s\r\n\r\nHello, World!\n"
	timerDelay = 2 * time.Millisecond
)

// residence is how long the server took from reading a request to writing its answer, in seconds.
type residence struct {
	Requests int64   `json:"requests"`
	P50      float64 `json:"p50"`
	P99      float64 `json:"p99"`
}

// delayed is a request whose answer is not due yet.
type delayed struct {
	fd  int32
	in  time.Time
	due time.Time
}

// Modes of the server.
const (
	plain  = "plain"
	timer  = "timer"  // answers after timerDelay
	close4 = "close"  // closes the connection after each answer
	close6 = "close6" // the same over IPv6
)

// respond serves until SIGTERM and then prints its residence. The address is printed on standard error once it listens.
func respond(args []string) error {
	if len(args) != 1 || !slices.Contains([]string{plain, timer, close4, close6}, args[0]) {
		return fmt.Errorf("respond wants one of %s, %s, %s and %s", plain, timer, close4, close6)
	}
	debug.SetGCPercent(-1)
	runtime.GOMAXPROCS(2)
	var ended atomic.Bool
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	go func() {
		<-signals
		ended.Store(true)
	}()
	s, err := newServer(args[0])
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	if err := s.serve(&ended); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(s.residence())
}

type server struct {
	listener, epoll, timer int
	late, closes           bool
	queue                  []delayed
	armed                  time.Time
	took                   []time.Duration // of the answers that are late on purpose
	requests               int64
	events                 [512]unix.EpollEvent
	buffer                 [64 << 10]byte
	answer                 []byte
}

func newServer(mode string) (*server, error) {
	s := &server{late: mode == timer, closes: mode == close4 || mode == close6}
	s.answer = fmt.Appendf(nil, answer, map[bool]string{true: "close", false: "keep-alive"}[s.closes])
	family, at := unix.AF_INET, unix.Sockaddr(&unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	if mode == close6 {
		family, at = unix.AF_INET6, &unix.SockaddrInet6{Addr: netip.IPv6Loopback().As16()}
	}
	var err error
	if s.listener, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0); err != nil {
		return nil, err
	}
	if err := unix.Bind(s.listener, at); err != nil {
		return nil, err
	}
	if err := unix.Listen(s.listener, 4096); err != nil {
		return nil, err
	}
	name, err := unix.Getsockname(s.listener)
	if err != nil {
		return nil, err
	}
	if s.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	if s.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); err != nil {
		return nil, err
	}
	for _, fd := range []int{s.listener, s.timer} {
		if err := s.add(fd); err != nil {
			return nil, err
		}
	}
	switch name := name.(type) {
	case *unix.SockaddrInet4:
		fmt.Fprintf(os.Stderr, "127.0.0.1:%d\n", name.Port)
	case *unix.SockaddrInet6:
		fmt.Fprintf(os.Stderr, "[::1]:%d\n", name.Port)
	}
	return s, nil
}

func (s *server) add(fd int) error {
	return unix.EpollCtl(s.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

func (s *server) serve(ended *atomic.Bool) error {
	for !ended.Load() {
		n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(s.epoll), uintptr(unsafe.Pointer(&s.events[0])),
			uintptr(len(s.events)), 100, 0, 0)
		if errno != 0 {
			runtime.Gosched()
			continue
		}
		for _, event := range s.events[:n] {
			if err := s.handle(int(event.Fd)); err != nil {
				return err
			}
		}
		s.flush()
	}
	return nil
}

func (s *server) handle(fd int) error {
	switch fd {
	case s.listener:
		for {
			accepted, _, err := unix.Accept4(fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
			if err == unix.EAGAIN {
				return nil
			}
			if err != nil {
				return err
			}
			unix.SetsockoptInt(accepted, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
			if err := s.add(accepted); err != nil {
				return err
			}
		}
	case s.timer:
		var count [8]byte
		unix.Read(fd, count[:])
		s.armed = time.Time{}
		return nil
	}
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&s.buffer[0])),
		uintptr(len(s.buffer)))
	if errno == unix.EAGAIN || errno == unix.EINTR {
		return nil
	}
	if errno != 0 || n == 0 {
		unix.Close(fd)
		return nil
	}
	if end := s.buffer[max(0, int(n)-4):n]; string(end) != "\r\n\r\n" {
		return fmt.Errorf("a request that does not end with its head: %q", s.buffer[:n])
	}
	s.requests++
	if s.late {
		now := time.Now()
		s.queue = append(s.queue, delayed{int32(fd), now, now.Add(timerDelay)})
		return nil
	}
	s.write(fd)
	return nil
}

func (s *server) write(fd int) {
	unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&s.answer[0])), uintptr(len(s.answer)))
	if s.closes {
		unix.Close(fd)
	}
}

// flush writes the answers that are due and sets the timer to the next.
func (s *server) flush() {
	if len(s.queue) == 0 {
		return
	}
	n := 0
	for ; n < len(s.queue) && !time.Now().Before(s.queue[n].due); n++ {
		s.write(int(s.queue[n].fd))
		s.took = append(s.took, time.Since(s.queue[n].in))
	}
	s.queue = s.queue[:copy(s.queue, s.queue[n:])]
	if len(s.queue) > 0 && s.armed != s.queue[0].due {
		s.armed = s.queue[0].due
		wait := unix.ItimerSpec{Value: unix.NsecToTimespec(max(1, time.Until(s.armed).Nanoseconds()))}
		unix.TimerfdSettime(s.timer, 0, &wait, nil)
	}
}

func (s *server) residence() residence {
	r := residence{Requests: s.requests}
	slices.Sort(s.took)
	if n := len(s.took); n > 0 {
		r.P50, r.P99 = s.took[n/2].Seconds(), s.took[min(n-1, n*99/100)].Seconds()
	}
	return r
}
