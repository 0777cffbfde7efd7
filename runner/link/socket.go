//go:build linux

package link

import (
	"bytes"
	"cmp"
	"io"
	"net"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// end is one of the two sockets of a connection.
type end struct {
	socket  *net.TCPConn // nil: not yet connected
	raw     syscall.RawConn
	gone    bool  // it was reset, never opened, or closed by the relay
	in, out *flow // from it and to it
}

// connect gives an end its socket, which is closed if the connection has ended meanwhile.
func (e *end) connect(socket *net.TCPConn) (err error) {
	if e.raw, err = socket.SyscallConn(); err != nil || e.gone {
		socket.Close()
		return err
	}
	e.socket = socket
	return nil
}

func (e *end) close() {
	e.gone = true
	if e.socket != nil {
		e.socket.Close()
	}
}

// buffers are shared by all sockets: one that waits for something to read needs none.
var buffers = sync.Pool{New: func() any { return new([maxRead]byte) }}

// release gives the buffer of data back, if data is a buffer.
func release(data []byte) {
	if cap(data) == maxRead {
		buffers.Put((*[maxRead]byte)(data[:maxRead]))
	}
}

// read waits for data, and reads up to n bytes. The caller releases them.
func (e *end) read(n int) (data []byte, err error) {
	failed := e.raw.Read(func(fd uintptr) bool {
		buffer := buffers.Get().(*[maxRead]byte)
		got, errno := call(unix.SYS_READ, fd, buffer[:n])
		if errno == 0 && got > maxRead/2 {
			data = buffer[:got]
			return true
		}
		defer buffers.Put(buffer)
		switch {
		case errno == unix.EAGAIN:
			return false
		case errno != 0:
			err = errno
		case got == 0:
			err = io.EOF
		default:
			data = bytes.Clone(buffer[:got])
		}
		return true
	})
	return data, cmp.Or(failed, err)
}

// write writes data, and reports whether it had to wait for the receiver.
func (e *end) write(data []byte) (blocked bool, err error) {
	failed := e.raw.Write(func(fd uintptr) bool {
		for len(data) > 0 {
			n, errno := call(unix.SYS_WRITE, fd, data)
			switch errno {
			case 0:
				data = data[n:]
			case unix.EAGAIN:
				blocked = true
				return false
			default:
				err = errno
				return true
			}
		}
		return true
	})
	return blocked, cmp.Or(failed, err)
}

// call reads or writes. A socket of Go does not block, so the scheduler need not know: it would give the processor of
// the goroutine to another thread, which takes longer than the call.
func call(number, fd uintptr, data []byte) (n int, errno syscall.Errno) {
	for {
		got, _, errno := unix.RawSyscall(number, fd, uintptr(unsafe.Pointer(unsafe.SliceData(data))), uintptr(len(data)))
		if errno != unix.EINTR {
			return int(got), errno
		}
	}
}

// wasReset waits until a socket whose stream has ended is reset or closed, and reports whether it was reset.
func (e *end) wasReset() bool {
	return e.raw.Read(func(fd uintptr) bool {
		code, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
		return err != nil || code != 0
	}) == nil
}

// acknowledge acknowledges the handshake now, and later segments as usual.
func (e *end) acknowledge() {
	_ = e.raw.Control(func(fd uintptr) { // fails if the socket is closed
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1) // it is a socket of TCP
	})
}
