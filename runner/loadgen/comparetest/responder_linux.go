package main

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"unsafe"

	"golang.org/x/sys/unix"

	"benchbook/internal/test/must"
)

// respond answers GET requests as fast as one core can, until it is killed: one thread with one epoll, a read and a
// write for each request. Its arguments are an IPv4 address with a port, and whether it closes connections. Once it
// listens, it prints its address on standard error.
func respond(args []string) {
	debug.SetGCPercent(-1)
	runtime.LockOSThread()
	address := must.Get(netip.ParseAddrPort(args[0]))
	closing, connection := args[1] == "true", "keep-alive"
	if closing {
		connection = "close"
	}
	answer := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nServer: responder\r\nDate: Fri, 20 Nov 2026 06:53:55 GMT\r\n"+
		"Content-Type: text/plain\r\nContent-Length: 14\r\nConnection: %s\r\n\r\nHello, World!\n", connection)
	listener := must.Get(unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0))
	must.Do(unix.Bind(listener, &unix.SockaddrInet4{Addr: address.Addr().As4(), Port: int(address.Port())}))
	must.Do(unix.Listen(listener, 4096))
	epoll := must.Get(unix.EpollCreate1(unix.EPOLL_CLOEXEC))
	add := func(fd int) {
		unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
	}
	add(listener)
	name := must.Get(unix.Getsockname(listener))
	fmt.Fprintf(os.Stderr, "%v:%d\n", address.Addr(), name.(*unix.SockaddrInet4).Port)
	events, buffer := make([]unix.EpollEvent, 512), make([]byte, 64<<10)
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(&events[0])),
			uintptr(len(events)), 100, 0, 0)
		if errno != 0 {
			runtime.Gosched()
			continue
		}
		for _, event := range events[:n] {
			fd := int(event.Fd)
			if fd == listener {
				for {
					accepted, _, err := unix.Accept4(fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
					if err != nil {
						break
					}
					unix.SetsockoptInt(accepted, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
					add(accepted)
				}
				continue
			}
			n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&buffer[0])),
				uintptr(len(buffer)))
			if errno == unix.EAGAIN || errno == unix.EINTR {
				continue
			}
			if errno == 0 && n > 0 {
				unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&answer[0])), uintptr(len(answer)))
			}
			if errno != 0 || n == 0 || closing {
				unix.Close(fd)
			}
		}
	}
}
