package kernel

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Ports of Linux where nobody says otherwise, and those that it gives to programs which ask for none.
const (
	FirstPort = 1024
	LastPort  = 65535
)

// PortRange is the name of the kernel's setting for local ports.
const PortRange = "net.ipv4.ip_local_port_range"

// A Namespace is the network of a process.
type Namespace struct{ folder string } // /proc/PID/net

// Of returns the network namespace of a process, given by its folder in /proc.
func Of(process string) *Namespace { return &Namespace{filepath.Join(process, "net")} }

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
