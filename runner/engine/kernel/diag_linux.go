package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// diagnosed asks the kernel for the connections of the namespace in its own form, which takes a fraction of the time of
// the same as text. It needs the rights of root, and a kernel that has sock_diag.
//
// Source: sock_diag(7); Linux, net/ipv4/inet_diag.c, inet_diag_bc_run.
func (n *Namespace) diagnosed() (pairs, error) {
	socket, err := n.socket()
	if err != nil {
		return nil, err
	}
	defer unix.Close(socket)
	used := pairs{}
	room := make([]byte, 1<<18)
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		if err := dump(socket, family, n.first, n.last, room, used); err != nil {
			return nil, fmt.Errorf("asking for connections: %w", err)
		}
	}
	return used, nil
}

// socket is one that asks about the namespace. It belongs to that for as long as it is open, whichever thread uses it.
func (n *Namespace) socket() (socket int, err error) {
	err = n.within(func() (err error) {
		socket, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
		return err
	})
	return socket, err
}

// What asks for a dump, as struct inet_diag_req_v2 of the kernel has it, with a filter of struct inet_diag_bc_op.
type (
	diagRequest struct {
		head      unix.NlMsghdr
		family    uint8
		protocol  uint8
		ext, pad  uint8
		states    uint32
		socket    [48]byte
		attribute unix.NlAttr
		filter    [4]diagFilter
	}
	diagFilter struct {
		code, yes uint8
		no        uint16
	}
)

const (
	byFamily = 20 // SOCK_DIAG_BY_FAMILY
	filterBy = 1  // INET_DIAG_REQ_BYTECODE
	atLeast  = 2  // INET_DIAG_BC_S_GE, of local ports
	atMost   = 3  // INET_DIAG_BC_S_LE
	closed   = 7  // TCP_CLOSE
	listens  = 10 // TCP_LISTEN
)

// dump counts what the kernel tells about connections of a family whose local ports are from first to last.
func dump(socket int, family uint8, first, last int, room []byte, used pairs) error {
	const each = uint16(unsafe.Sizeof(diagFilter{}))
	r := diagRequest{family: family, protocol: unix.IPPROTO_TCP, states: 0xfff &^ (1<<listens | 1<<closed),
		// A comparison is followed by what it compares with. It goes on by so many bytes: behind the end is no.
		filter: [4]diagFilter{{atLeast, uint8(2 * each), 4*each + 4}, {no: uint16(first)},
			{atMost, uint8(2 * each), 2*each + 4}, {no: uint16(last)}}}
	r.head = unix.NlMsghdr{Len: uint32(unsafe.Sizeof(r)), Type: byFamily, Flags: unix.NLM_F_REQUEST | unix.NLM_F_DUMP}
	r.attribute = unix.NlAttr{Len: uint16(unsafe.Sizeof(r.attribute) + unsafe.Sizeof(r.filter)), Type: filterBy}
	if err := unix.Sendto(socket, unsafe.Slice((*byte)(unsafe.Pointer(&r)), unsafe.Sizeof(r)), 0,
		&unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	for {
		n, _, err := unix.Recvfrom(socket, room, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		for rest := room[:n]; len(rest) >= unix.NLMSG_HDRLEN; {
			length, kind := int(binary.NativeEndian.Uint32(rest)), binary.NativeEndian.Uint16(rest[4:])
			if length < unix.NLMSG_HDRLEN || length > len(rest) {
				return errors.New("the kernel's answer is cut off")
			}
			switch body := rest[unix.NLMSG_HDRLEN:length]; {
			case kind == unix.NLMSG_DONE:
				return nil
			case kind == unix.NLMSG_ERROR && len(body) >= 4:
				return unix.Errno(-int32(binary.NativeEndian.Uint32(body)))
			case kind == byFamily && len(body) >= 40:
				// Behind family, state, timer and retransmissions: both ports, and both addresses.
				used.add(body[8:24], body[24:40], body[6:8])
			}
			rest = rest[min(len(rest), (length+unix.NLMSG_ALIGNTO-1)&^(unix.NLMSG_ALIGNTO-1)):]
		}
	}
}
