// Package netns tells what a network namespace is like inside, and how far the local ports in it are used, for any
// process of this machine that is in it.
//
// Nothing is sent, and nothing in the namespace can notice. What is read again and again costs a few microseconds.
package kernel

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"benchbook/runner/engine"
)

// Ports of Linux where nobody says otherwise, and those that it gives to programs which ask for none.
const (
	FirstPort = 1024
	LastPort  = 65535
)

// PortRange is the name of the kernel's setting for local ports.
const PortRange = "net.ipv4.ip_local_port_range"

// LocalPorts is the range of local ports of whoever has these settings of the kernel, FirstPort to LastPort where they
// say nothing.
func LocalPorts(sysctls map[string]string) (first, last int) {
	if n, err := fmt.Sscan(sysctls[PortRange], &first, &last); n == 2 && err == nil {
		return first, last
	}
	return FirstPort, LastPort
}

// A Namespace is the network of a process.
type Namespace struct {
	folder      string // /proc/PID/net
	first, last int

	exactAt float64 // the upper bound at which ports were last counted one by one; 0 for never
	exact   float64 // and what they came to
}

// Of is the network namespace of a process, which is its folder in /proc. Local ports are from first to last.
func Of(process string, first, last int) *Namespace {
	return &Namespace{folder: filepath.Join(process, "net"), first: first, last: last}
}

const (
	// few is the share of ports up to which the number of all sockets is good enough: docs/validity.md#checks asks for
	// more than this.
	few = 0.8
	// step is by how much the number of sockets has to grow before ports are counted one by one again.
	step = 0.05
)

// Ports is the largest share in use of the local ports between two addresses, that is from one local address to one
// port of another address: a connection that has just been closed still has its port. Where there are few sockets it is
// that of all TCP sockets together, an upper bound of at most 0.8, since to look at each of many takes tens of
// milliseconds.
//
// Source: docs/validity.md#checks; Linux, net/ipv4/proc.c, proc_pid_net(5).
func (n *Namespace) Ports() (float64, error) {
	ports := n.last - n.first + 1
	if ports <= 0 {
		return 0, fmt.Errorf("there are no local ports from %d to %d", n.first, n.last)
	}
	sockets, err := n.sockets()
	if err != nil {
		return 0, err
	}
	bound := float64(sockets) / float64(ports)
	switch {
	case bound <= few:
		return bound, nil
	case n.exactAt > 0 && bound < n.exactAt+step:
		return n.exact, nil
	}
	most, err := n.count()
	if err != nil {
		return 0, err
	}
	n.exactAt, n.exact = bound, float64(most)/float64(ports)
	return n.exact, nil
}

// sockets is the number of all TCP sockets, with those that are closed and wait.
func (n *Namespace) sockets() (int64, error) {
	text, err := os.ReadFile(filepath.Join(n.folder, "sockstat"))
	if err != nil {
		return 0, err
	}
	sum := counted(text, "TCP:", "inuse") + counted(text, "TCP:", "tw")
	if text, err = os.ReadFile(filepath.Join(n.folder, "sockstat6")); err == nil { // a kernel need not have IPv6
		sum += counted(text, "TCP6:", "inuse")
	}
	return sum, nil
}

// TimeWait is the number of connections of this machine's own network that are closed and keep their ports for a
// minute; -1 where nothing tells. Root is the root directory.
func TimeWait(root string) int64 {
	text, err := os.ReadFile(filepath.Join(root, "proc/net/sockstat"))
	if err != nil {
		return -1
	}
	return counted(text, "TCP:", "tw")
}

// counted takes a number from lines such as "TCP: inuse 1 orphan 0 tw 12"; it is 0 if it is not there.
func counted(text []byte, protocol, name string) int64 {
	for line := range bytes.Lines(text) {
		fields := strings.Fields(string(line))
		if len(fields) == 0 || fields[0] != protocol {
			continue
		}
		for i := 1; i+1 < len(fields); i += 2 {
			if fields[i] == name {
				number, _ := strconv.ParseInt(fields[i+1], 10, 32) // the kernel writes nothing else
				return max(0, number)
			}
		}
	}
	return 0
}

// pairs counts connections by their local address and by the address and port at the other end. Those of a pair differ
// in their local port.
type pairs map[[34]byte]int

func (p pairs) add(local, remote, port []byte) {
	var pair [34]byte
	copy(pair[:16], local)
	copy(pair[16:32], remote)
	copy(pair[32:], port)
	p[pair]++
}

// count looks at every connection.
func (n *Namespace) count() (int, error) {
	used, err := n.diagnosed()
	if err != nil { // who is not root reads what all may read
		used, err = n.listed()
	}
	if err != nil {
		return 0, err
	}
	most := 0
	for _, ports := range used {
		most = max(most, ports)
	}
	return most, nil
}

// listed reads connections where the kernel lists them as text.
func (n *Namespace) listed() (pairs, error) {
	used := pairs{}
	for _, name := range []string{"tcp", "tcp6"} {
		text, err := os.ReadFile(filepath.Join(n.folder, name))
		if err != nil && name == "tcp" {
			return nil, err
		}
		n.tally(used, text)
	}
	return used, nil
}

// tally reads connections from /proc/net/tcp: a head, then "sl local_address rem_address st …" with addresses as
// HEX:PORT.
func (n *Namespace) tally(used pairs, text []byte) {
	for line := range bytes.Lines(text) {
		var fields [4][]byte
		i := 0
		for field := range bytes.FieldsSeq(line) {
			if fields[i] = field; i == len(fields)-1 {
				break
			}
			i++
		}
		local, localPort, ok := address(fields[1])
		remote, remotePort, alsoOK := address(fields[2])
		const listening = "0A"
		if port := int(localPort[0])<<8 | int(localPort[1]); !ok || !alsoOK || string(fields[3]) == listening ||
			port < n.first || port > n.last {
			continue
		}
		used.add(local[:], remote[:], remotePort[:])
	}
}

// address takes an address and a port from HEX:PORT. It is not ok for what is neither.
func address(text []byte) (address [16]byte, port [2]byte, ok bool) {
	at := bytes.IndexByte(text, ':')
	if at < 0 || at > hex.EncodedLen(len(address)) || len(text)-at-1 != hex.EncodedLen(len(port)) {
		return address, port, false
	}
	_, err := hex.Decode(address[:], text[:at])
	_, errPort := hex.Decode(port[:], text[at+1:])
	return address, port, err == nil && errPort == nil
}

// A Look is what a network namespace is like inside.
type Look struct {
	Interfaces []Interface
	Limits     map[string]string // settings of the kernel that bound how many connections wait to be accepted, by name
}

// An Interface is what packets leave a namespace by.
type Interface struct {
	Name     string
	Driver   string // "veth", "bridge"; empty where the kernel does not tell
	MTU      int    // bytes
	Offloads []string
}

// Network is the look as engines tell it: by what packets leave, beside the loopback.
func (l Look) Network() engine.Network {
	network := engine.Network{Limits: l.Limits}
	for _, i := range l.Interfaces {
		if i.Name != "lo" {
			network.Path, network.MTU, network.Offloads = i.Driver, i.MTU, i.Offloads
			if i.Driver == "veth" { // the other end of the pair is where the services of a space meet
				network.Path = "veth on a bridge"
			}
		}
	}
	return network
}

// listening are the settings that are read, by their files below /proc/sys/net.
var listening = []string{"core/somaxconn", "ipv4/tcp_max_syn_backlog", "ipv4/tcp_syncookies",
	"ipv4/ip_local_port_range", "ipv4/tcp_tw_reuse"}

// Limits are the settings of the kernel that bound how many connections there can be in the network of whoever asks, by
// name. Numbers are divided by one space. Root is the root directory; what the kernel does not tell is left out.
func Limits(root string) map[string]string {
	limits := map[string]string{}
	for _, name := range listening {
		if text, err := os.ReadFile(filepath.Join(root, "proc/sys/net", name)); err == nil {
			limits[path.Base(name)] = strings.Join(strings.Fields(string(text)), " ")
		}
	}
	return limits
}
