package kernel

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"benchbook/runner/engine"
)

// Listeners are the addresses at which programs in the namespace accept TCP connections, sorted.
func (n *Namespace) Listeners() ([]netip.AddrPort, error) {
	return n.ListenersOf(func(string) bool { return true })
}

// ListenersOf are those of sockets that are chosen by their inodes.
func (n *Namespace) ListenersOf(chosen func(inode string) bool) ([]netip.AddrPort, error) {
	text, err := os.ReadFile(filepath.Join(n.folder, "tcp"))
	if err != nil {
		return nil, err
	}
	if six, err := os.ReadFile(filepath.Join(n.folder, "tcp6")); err == nil { // a kernel need not have IPv6
		text = append(text, six...)
	}
	return listeners(text, chosen), nil
}

// ListenersBy are the same, read by a command inside a container: its image need not have one that can.
func ListenersBy(ctx context.Context, exec func(context.Context, engine.Command) (engine.Exit,
	error)) ([]netip.AddrPort, error) {
	exit, err := exec(ctx, engine.Command{Args: []string{"cat", "/proc/net/tcp", "/proc/net/tcp6"}})
	if err != nil {
		return nil, err
	}
	if exit.Code != 0 && len(exit.Stdout) == 0 {
		return nil, fmt.Errorf("reading /proc/net/tcp ended with status %d", exit.Code)
	}
	return listeners(exit.Stdout, func(string) bool { return true }), nil
}

// listeners reads what the kernel writes of each socket: the local address is the second word, the state the fourth,
// the inode the tenth.
//
// Source: proc_pid_net(5); Linux, net/ipv4/tcp_ipv4.c, get_openreq4.
func listeners(text []byte, chosen func(inode string) bool) []netip.AddrPort {
	const listening = "0A"
	out := []netip.AddrPort{} // not nil: it is known
	for line := range bytes.Lines(text) {
		words := strings.Fields(string(line))
		words = append(words, make([]string, max(0, 10-len(words)))...) // some kernels write fewer
		if words[3] != listening || !chosen(words[9]) {
			continue
		}
		address, port, _ := strings.Cut(words[1], ":")
		raw, err := hex.DecodeString(address)
		number, portErr := strconv.ParseUint(port, 16, 16)
		if err != nil || portErr != nil || len(raw) != 4 && len(raw) != 16 {
			continue
		}
		for word := raw; len(word) > 0; word = word[4:] { // each is written as a number of this machine
			binary.BigEndian.PutUint32(word, binary.NativeEndian.Uint32(word))
		}
		ip, _ := netip.AddrFromSlice(raw) // of a length that it takes
		out = append(out, netip.AddrPortFrom(ip.Unmap(), uint16(number)))
	}
	slices.SortFunc(out, netip.AddrPort.Compare)
	return slices.Compact(out)
}
