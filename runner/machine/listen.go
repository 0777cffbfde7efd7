package machine

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

// PortRange is the kernel setting for the range of ephemeral ports, and AllPorts its largest value.
const (
	PortRange = "net.ipv4.ip_local_port_range"
	AllPorts  = "1024 65535"
)

// Listeners returns the sorted addresses at which programs in the network namespace of a process accept TCP
// connections. Process is its folder in /proc. Chosen selects sockets by inode; nil selects all.
func Listeners(process string, chosen func(inode string) bool) ([]netip.AddrPort, error) {
	text, err := os.ReadFile(filepath.Join(process, "net/tcp"))
	if err != nil {
		return nil, err
	}
	if six, err := os.ReadFile(filepath.Join(process, "net/tcp6")); err == nil { // the kernel may lack IPv6
		text = append(text, six...)
	}
	return listeners(text, chosen), nil
}

// ListenersBy returns all listeners in a container, using the program cat of its image, which may be missing.
func ListenersBy(ctx context.Context, exec func(context.Context, engine.Command) (engine.Exit,
	error)) ([]netip.AddrPort, error) {
	exit, err := exec(ctx, engine.Command{Args: []string{"cat", "/proc/net/tcp", "/proc/net/tcp6"}})
	if err != nil {
		return nil, err
	}
	if exit.Code != 0 && len(exit.Stdout) == 0 {
		return nil, fmt.Errorf("reading /proc/net/tcp ended with status %d", exit.Code)
	}
	return listeners(exit.Stdout, nil), nil
}

// listeners parses the kernel's list of sockets. The second word of a line is the local address, the fourth the state,
// the tenth the inode.
//
// Source: proc_pid_net(5); Linux, net/ipv4/tcp_ipv4.c, get_openreq4.
func listeners(text []byte, chosen func(inode string) bool) (out []netip.AddrPort) {
	const listening = "0A"
	for line := range bytes.Lines(text) {
		words := append(strings.Fields(string(line)), make([]string, 10)...) // some kernels write fewer
		if words[3] != listening || chosen != nil && !chosen(words[9]) {
			continue
		}
		address, port, _ := strings.Cut(words[1], ":")
		raw, err := hex.DecodeString(address)
		number, portErr := strconv.ParseUint(port, 16, 16)
		if err != nil || portErr != nil || len(raw)%4 != 0 {
			continue
		}
		for word := raw; len(word) > 0; word = word[4:] { // each is in the machine's byte order
			binary.BigEndian.PutUint32(word, binary.NativeEndian.Uint32(word))
		}
		if ip, ok := netip.AddrFromSlice(raw); ok {
			out = append(out, netip.AddrPortFrom(ip.Unmap(), uint16(number)))
		}
	}
	slices.SortFunc(out, netip.AddrPort.Compare)
	return slices.Compact(out)
}
