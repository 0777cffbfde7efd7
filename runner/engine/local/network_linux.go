package local

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"benchbook/runner/engine/netns"
)

// A network is a bridge in a network namespace that nothing else is in. It is gone when the last namespace that is
// connected to it is.
type network struct {
	namespace *os.File // of the bridge
	bridge    int      // index of its device
	hosts     string   // the file of names, which all services see

	mu     sync.Mutex
	prefix netip.Prefix
	names  map[string]member // by name, also of those that are gone: a name keeps its address
	links  int               // made so far
}

// member is a name in a network.
type member struct {
	address netip.Addr
	aliases []string
	there   bool
	link    string // the bridge's end of what connects it; "" if it is not connected
}

const bridgeDevice = "space"

// newNetwork makes a network whose names stand in a file of folder.
func newNetwork(folder string) (*network, error) {
	n := &network{hosts: filepath.Join(folder, "hosts"), names: make(map[string]member)}
	// Any address will do, as no two networks are connected; different ones make it plain that they are not.
	n.prefix = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(rand.IntN(256)), byte(rand.IntN(256)), 0}), 24)
	err := netns.OnThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		var err error
		if n.namespace, err = os.Open("/proc/thread-self/ns/net"); err != nil {
			return err
		}
		bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: bridgeDevice}}
		if err := netlink.LinkAdd(bridge); err != nil {
			return err
		}
		n.bridge = bridge.Attrs().Index
		return netlink.LinkSetUp(bridge)
	})
	if err == nil {
		err = n.writeHosts()
	}
	if err != nil {
		n.close()
		return nil, fmt.Errorf("making a network: %w", err)
	}
	return n, nil
}

func (n *network) close() {
	if n.namespace != nil {
		_ = n.namespace.Close() // nothing was written to it
	}
}

// join takes an address for a name. It is found by it, and by its aliases, from now on.
func (n *network) join(name string, aliases []string) (netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	m, known := n.names[name]
	if !known {
		m.address = n.prefix.Addr()
		for range len(n.names) + 1 {
			m.address = m.address.Next()
		}
		if last := m.address.Next(); !n.prefix.Contains(last) { // the last one is for all
			return netip.Addr{}, errors.New("there are more services than the network has addresses")
		}
	}
	m.aliases, m.there = slices.Clone(aliases), true
	n.names[name] = m
	return m.address, n.writeHosts()
}

// leave lets nobody find a name any more, nor reach what had it. The kernel takes its time to remove the network
// namespace of a process that has ended, and what comes after it under the same address is not to share that with it: a
// connection that went to the one before would be refused.
func (n *network) leave(name string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	m := n.names[name]
	m.there = false
	if m.link != "" {
		err := netns.Within(n.namespace, func() error {
			link, err := netlink.LinkByName(m.link)
			if err != nil {
				return err
			}
			return netlink.LinkDel(link)
		})
		// it went with its namespace
		if err != nil && !errors.As(err, new(netlink.LinkNotFoundError)) && !errors.Is(err, unix.ENODEV) {
			return fmt.Errorf("disconnecting %s from the network: %w", name, err)
		}
		m.link = ""
	}
	n.names[name] = m
	return n.writeHosts()
}

// writeHosts writes the names of all that are there. The file stays the same one, as services have it mounted, and what
// stood there is overwritten before it is cut off, so that who reads meanwhile finds all but the newest names.
//
// Source: hosts(5).
func (n *network) writeHosts() error {
	var text strings.Builder
	text.WriteString("127.0.0.1 localhost\n")
	members := make([]string, 0, len(n.names))
	for name := range n.names {
		members = append(members, name)
	}
	slices.SortFunc(members, func(a, b string) int { return n.names[a].address.Compare(n.names[b].address) })
	for _, name := range members {
		if m := n.names[name]; m.there {
			fmt.Fprintf(&text, "%s %s\n", m.address, strings.Join(append([]string{name}, m.aliases...), " "))
		}
	}
	file, err := os.OpenFile(n.hosts, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text.String())
	return errors.Join(err, file.Truncate(int64(text.Len())), file.Chmod(0o644), file.Close()) // whatever the umask says
}

// connect gives the network namespace of the process that has a name, in which nothing is yet, a device with its
// address.
func (n *network) connect(pid int, namespace *os.File, name string) error {
	n.mu.Lock()
	n.links++
	m := n.names[name]
	m.link = "to" + strconv.Itoa(n.links)
	n.names[name] = m
	n.mu.Unlock()
	address := m.address
	attributes := netlink.NewLinkAttrs()
	attributes.Name, attributes.MasterIndex = m.link, n.bridge
	pair := netlink.NewVeth(attributes)
	pair.PeerName, pair.PeerNamespace = "eth0", netlink.NsPid(pid)
	// As Docker does: who comes back under an address is found at once by those who knew the one before.
	pair.PeerHardwareAddr = append(net.HardwareAddr{0x02, 0x42}, address.AsSlice()...)
	err := netns.Within(n.namespace, func() error {
		if err := netlink.LinkAdd(pair); err != nil {
			return err
		}
		return netlink.LinkSetUp(pair)
	})
	if err == nil {
		err = netns.Within(namespace, func() error { return configure(netip.PrefixFrom(address, n.prefix.Bits())) })
	}
	if err != nil {
		return fmt.Errorf("connecting it to the network: %w", err)
	}
	return nil
}

// configure sets up the devices of the network namespace that we are in.
func configure(address netip.Prefix) error {
	for _, device := range []string{"lo", "eth0"} {
		link, err := netlink.LinkByName(device)
		if err != nil {
			return err
		}
		if device == "eth0" {
			ip := &net.IPNet{IP: address.Addr().AsSlice(), Mask: net.CIDRMask(address.Bits(), address.Addr().BitLen())}
			if err := netlink.AddrAdd(link, &netlink.Addr{IPNet: ip}); err != nil {
				return err
			}
		}
		if err := netlink.LinkSetUp(link); err != nil {
			return err
		}
	}
	return nil
}

// dial connects to a port from within a network namespace.
func dial(ctx context.Context, namespace *os.File, address netip.Addr, port int) (net.Conn, error) {
	var conn net.Conn
	err := netns.Within(namespace, func() (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, "tcp", netip.AddrPortFrom(address, uint16(port)).String())
		return err
	})
	return conn, err
}
