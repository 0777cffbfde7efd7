package kernel

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/safchain/ethtool"
	"golang.org/x/sys/unix"
)

// Look enters the namespace for a moment, which takes the rights of root.
//
// Source: setns(2), network_namespaces(7): what is below /proc/sys/net is that of whoever reads it.
func (n *Namespace) Look() (look Look, err error) {
	err = n.within(func() (err error) {
		look, err = inside()
		return err
	})
	return look, err
}

// within does something inside the namespace.
func (n *Namespace) within(do func() error) error {
	space, err := os.Open(filepath.Join(filepath.Dir(n.folder), "ns/net"))
	if err != nil {
		return err
	}
	defer space.Close()
	return Within(space, do)
}

// Within does something inside a network namespace. It must not start goroutines that use the network.
func Within(namespace *os.File, do func() error) error {
	return OnThread(func() error {
		if err := Enter(namespace, unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("entering a network namespace: %w", err)
		}
		return do()
	})
}

// Enter puts the thread into a namespace of a kind. That may be closed meanwhile, but not become another one.
func Enter(namespace *os.File, kind int) error {
	raw, err := namespace.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = unix.Setns(int(fd), kind) })
	return errors.Join(err, failed)
}

// OnThread does something on a thread that ends with it, as nothing else may ever run in a namespace that is not its
// own. It is never the first thread of the process: that one does not end before the process, and what /proc/self says
// is of it.
func OnThread(do func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			err := OnThread(do) // on another one, as this is taken
			runtime.UnlockOSThread()
			done <- err
			return
		}
		done <- do()
	}()
	return <-done
}

func inside() (Look, error) {
	look := Look{Limits: Limits("/")}
	interfaces, err := net.Interfaces()
	if err != nil {
		return Look{}, err
	}
	tool, err := ethtool.NewEthtool()
	if err != nil {
		return Look{}, err
	}
	defer tool.Close()
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		out := Interface{Name: i.Name, MTU: i.MTU}
		if driver, err := tool.DriverName(i.Name); err == nil {
			out.Driver = driver
		}
		if features, err := tool.Features(i.Name); err == nil {
			out.Offloads = offloads(features)
		}
		look.Interfaces = append(look.Interfaces, out)
	}
	return look, nil
}

// offloads picks what changes the cost of sending and receiving: who cuts data into segments, who puts them together
// again, and who computes checksums.
func offloads(features map[string]bool) []string {
	var out []string
	for name, on := range features {
		if !on {
			continue
		}
		switch {
		case name == "tx-tcp-segmentation":
			out = append(out, "tso")
		case name == "tx-generic-segmentation":
			out = append(out, "gso")
		case name == "rx-gro":
			out = append(out, "gro")
		case name == "rx-lro":
			out = append(out, "lro")
		case name == "rx-checksum":
			out = append(out, "rx-checksum")
		case strings.HasPrefix(name, "tx-checksum-"):
			out = append(out, "tx-checksum")
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
