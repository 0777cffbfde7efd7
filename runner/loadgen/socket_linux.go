package loadgen

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Calls for every request go straight to the kernel, without telling Go's scheduler that the thread may block: those on
// sockets do not, and a thread that waits for events is meant to keep its place, since taking it up again would cost
// half as much as the wake-up itself. What that asks for in return is in poller.wait.

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

// address is one as the kernel takes it: a sockaddr_in6, or a sockaddr_in in its first bytes.
type address struct {
	raw    unix.RawSockaddrInet6
	length uintptr
}

func newAddress(a netip.AddrPort) (address, error) {
	var out address
	if a.Addr().Is4() {
		four := (*unix.RawSockaddrInet4)(unsafe.Pointer(&out.raw))
		*four = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: networkOrder(a.Port()), Addr: a.Addr().As4()}
		out.length = unix.SizeofSockaddrInet4
		return out, nil
	}
	out.raw = unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: networkOrder(a.Port()), Addr: a.Addr().As16()}
	out.length = unix.SizeofSockaddrInet6
	if zone := a.Addr().Zone(); zone != "" {
		if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
			out.raw.Scope_id = uint32(n)
			return out, nil
		}
		link, err := net.InterfaceByName(zone)
		if err != nil {
			return address{}, fmt.Errorf("finding the interface of %v: %w", a.Addr(), err)
		}
		out.raw.Scope_id = uint32(link.Index)
	}
	return out, nil
}

// networkOrder is a port whose bytes in memory are those of the network.
func networkOrder(port uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, port))
}

// connect opens a socket and has it connect to an address, without waiting. There is a socket unless opening it failed.
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

// sendAtOnce has the kernel send what is small without waiting until what was sent before has arrived.
func sendAtOnce(fd int) { unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) }

// mostEvents is how many events one wait may bring.
const mostEvents = 256

// poller waits for events on sockets: one level-triggered epoll, and an eventfd to wake it from another thread.
type poller struct {
	epoll, event int
	coarse       bool // the kernel is older than 5.11 and waits for whole milliseconds
	dull         bool // nothing has come for a while
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

// control adds or changes what is waited for on a socket. The generation comes back with the events, since a socket may
// have been closed and its number given to another before its last events are looked at.
func (p *poller) control(op, fd int, generation uint32, events uint32) error {
	event := unix.EpollEvent{Events: events, Fd: int32(fd), Pad: int32(generation)}
	if err := unix.EpollCtl(p.epoll, op, fd, &event); err != nil {
		return fmt.Errorf("%w: waiting for a socket: %w", errNoResources, err)
	}
	return nil
}

// wake ends a wait, from any thread.
func (p *poller) wake() {
	one := [8]byte{1}
	unix.Write(p.event, one[:]) // fails only if it is awake already
}

// woken takes note of wake.
func (p *poller) woken() {
	var count [8]byte
	unix.Read(p.event, count[:])
}

const (
	// longestWait bounds a wait, so that a thread is never deaf to the runtime for longer.
	longestWait = 100e6
	// attentive is how long a thread holds on to its place while nothing comes.
	attentive = 10e6
)

// wait returns how many events have come within so many nanoseconds, and how long it was ready to wait, which may be
// less.
//
// At first the thread blocks without the scheduler knowing. To stop the world, or to let others run, the runtime asks
// for the thread's place and sends it a signal, which ends the wait. The thread hands its place over in the next
// function call that checks for such a request, so a loop around wait has to make one. runtime.Gosched would hand it
// over twice, which costs a locked thread some wake-ups of others. A thread on which nothing comes for a while tells
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
