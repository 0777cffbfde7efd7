package netns

import (
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
func (n *Namespace) Look() (Look, error) {
	type result struct {
		look Look
		err  error
	}
	done := make(chan result)
	go func() {
		// The thread is never given back: it ends with this goroutine, and nothing else ever runs in a namespace that is not its own.
		runtime.LockOSThread()
		look, err := n.inside()
		done <- result{look, err}
	}()
	r := <-done
	return r.look, r.err
}

func (n *Namespace) inside() (Look, error) {
	space, err := os.Open(filepath.Join(filepath.Dir(n.folder), "ns/net"))
	if err != nil {
		return Look{}, err
	}
	defer space.Close()
	if err := unix.Setns(int(space.Fd()), unix.CLONE_NEWNET); err != nil {
		return Look{}, fmt.Errorf("entering a network namespace: %w", err)
	}
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

// offloads picks what changes the cost of sending and receiving: who cuts data into segments, who puts them together again, and who
// computes checksums.
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
