package loadgen

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// System calls that every request makes bypass Go's scheduler. Calls on sockets do not block. A thread that waits for
// events keeps its P, since getting one again would cost half as much as the wake-up itself. See poller.wait for the
// price.

// receive is recv(2), without waiting.
func receive(fd int, b []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
		unix.MSG_DONTWAIT, 0, 0)
	return int(n), errno
}

// discard receives up to n bytes without copying them.
func discard(fd int, n int64) (int, unix.Errno) {
	var nowhere byte
	got, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&nowhere)), uintptr(n),
		unix.MSG_DONTWAIT|unix.MSG_TRUNC, 0, 0)
	return int(got), errno
}

// send is send(2), without waiting.
func send(fd int, b []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	return int(n), errno
}

// address is a sockaddr_in6, or a sockaddr_in in its first bytes.
type address struct {
	raw    unix.RawSockaddrInet6
	length uintptr
}

func newAddress(a netip.AddrPort) (out address) {
	if a.Addr().Is4() {
		four := (*unix.RawSockaddrInet4)(unsafe.Pointer(&out.raw))
		*four = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: networkOrder(a.Port()), Addr: a.Addr().As4()}
		out.length = unix.SizeofSockaddrInet4
		return out
	}
	out.raw = unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: networkOrder(a.Port()), Addr: a.Addr().As16()}
	out.length = unix.SizeofSockaddrInet6
	return out
}

// networkOrder swaps a port to network byte order.
func networkOrder(port uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, port))
}

// connect opens a socket and starts to connect it. fd is -1 if there is no socket.
func connect(to *address) (fd int, errno unix.Errno) {
	s, _, errno := unix.RawSyscall(unix.SYS_SOCKET, uintptr(to.raw.Family),
		unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if errno != 0 {
		return -1, errno
	}
	_, _, errno = unix.RawSyscall(unix.SYS_CONNECT, s, uintptr(unsafe.Pointer(&to.raw)), to.length)
	return int(s), errno
}

// shut closes a socket.
func shut(fd int) { unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) }

// sendAtOnce makes the kernel send small pieces before earlier ones are acknowledged.
func sendAtOnce(fd int) { unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) }

// mostEvents is the most events that one wait returns.
const mostEvents = 256

// poller waits for events: a level-triggered epoll, and an eventfd that wakes it from another thread.
type poller struct {
	epoll, event int
	coarse       bool // the kernel is older than 5.11 and waits for whole milliseconds
	dull         bool // no event has come for a while
	events       [mostEvents]unix.EpollEvent
	limit        unix.Timespec
}

func newPoller() (*poller, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("opening an epoll: %w", err)
	}
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(epoll)
		return nil, fmt.Errorf("opening an eventfd: %w", err)
	}
	p := &poller{epoll: epoll, event: event}
	if err := p.control(unix.EPOLL_CTL_ADD, event, 0, unix.EPOLLIN); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *poller) close() {
	unix.Close(p.epoll)
	unix.Close(p.event)
}

// control is epoll_ctl(2). The generation comes back with each event: the file descriptor may have been closed and
// reused before its last events are handled.
func (p *poller) control(op, fd int, generation uint32, events uint32) error {
	event := unix.EpollEvent{Events: events, Fd: int32(fd), Pad: int32(generation)}
	if err := unix.EpollCtl(p.epoll, op, fd, &event); err != nil {
		return fmt.Errorf("%w: waiting for a socket: %w", errNoResources, err)
	}
	return nil
}

// wake ends a wait, from any thread. It fails only if a wake-up is pending already.
func (p *poller) wake() { unix.Write(p.event, []byte{1, 0, 0, 0, 0, 0, 0, 0}) }

// woken resets the eventfd after wake.
func (p *poller) woken() { unix.Read(p.event, make([]byte, 8)) }

const (
	longestWait = 100e6 // nanoseconds; a stop of the thread meanwhile shows only from the end of the wait
	attentive   = 10e6  // nanoseconds without events after which a thread gives up its P
)

// wait returns how many events have come within a timeout in nanoseconds, and the timeout that it used, which may be
// shorter.
//
// At first the thread blocks without the scheduler's knowledge. To stop the world or to run something else, the runtime
// sends it a signal, which ends the wait, and preempts it in the next function call that checks for that; a loop around
// wait has to make such a call. (runtime.Gosched would yield twice.) After attentive without events the thread tells
// the scheduler that it blocks.
func (p *poller) wait(timeout int64) (n int, limit int64) {
	limit = timeout
	if !p.dull {
		limit = min(timeout, attentive)
	}
	n, errno := p.poll(limit)
	if errno == unix.ENOSYS || errno == unix.EPERM {
		p.coarse = true
		n, errno = p.poll(limit)
	}
	if errno != 0 {
		return 0, limit
	}
	p.dull = n == 0 && (p.dull || limit == attentive)
	return n, limit
}

func (p *poller) poll(limit int64) (int, unix.Errno) {
	p.limit = unix.NsecToTimespec(limit)
	call, last := uintptr(unix.SYS_EPOLL_PWAIT2), uintptr(unsafe.Pointer(&p.limit))
	if p.coarse {
		call, last = unix.SYS_EPOLL_PWAIT, uintptr((limit+999_999)/1_000_000)
	}
	var n uintptr
	var errno unix.Errno
	if p.dull {
		n, _, errno = unix.Syscall6(call, uintptr(p.epoll), uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)),
			last, 0, 0)
	} else {
		n, _, errno = unix.RawSyscall6(call, uintptr(p.epoll), uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)),
			last, 0, 0)
	}
	return int(n), errno
}
