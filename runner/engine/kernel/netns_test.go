package kernel

import (
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func write(t testing.TB, root, name, text string) {
	t.Helper()
	path := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

// connections are so many from local ports upwards to one port of another address.
func connections(first, n int, remote string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%4d: 0100007F:%04X %s 06 00000000:00000000 03:00000F4E 00000000     0        0 0 3 "+
			"0000000000000000\n", i, first+i, remote)
	}
	return b.String()
}

func TestPorts(t *testing.T) {
	sockstat := func(inuse, tw int) string {
		return fmt.Sprintf("sockets: used 9\nTCP: inuse %d orphan 0 tw %d alloc 7 mem 2\nUDP: inuse 1 mem 0\n", inuse, tw)
	}
	const server, other = "0200007F:1F90", "0300007F:1F90"
	tests := []struct {
		name        string
		first, last int
		files       map[string]string
		want        float64
	}{
		{"few, by the number of sockets", 1001, 1100, map[string]string{"sockstat": sockstat(10, 30),
			"sockstat6": "TCP6: inuse 20\n"}, 0.6},
		{"many to one server", 1001, 1100, map[string]string{"sockstat": sockstat(0, 90), "tcp": head + connections(1001, 90,
			server)}, 0.9},
		{"many to two servers", 1001, 1100, map[string]string{"sockstat": sockstat(0, 90), "tcp": head + connections(1001, 40,
			server) + connections(1001, 50, other)}, 0.5},
		{"many that were accepted", 1001, 1100, map[string]string{"sockstat": sockstat(90, 0),
			"tcp": head + strings.ReplaceAll(connections(1001, 90, server), "06 0", "0A 0")}, 0},
		{"ports that programs have chosen", 1001, 1100, map[string]string{"sockstat": sockstat(90, 0),
			"tcp": head + connections(3000, 90, server)}, 0},
		{"over the newer protocol", 1001, 1100, map[string]string{"sockstat": sockstat(0, 95), "sockstat6": "TCP6: inuse 0\n",
			"tcp":  head,
			"tcp6": head + connections(1001, 95, server)}, 0.95},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := t.TempDir()
			for name, text := range tt.files {
				write(t, root, "proc/7/net/"+name, text)
			}
			got, err := Of(filepath.Join(root, "proc/7"), tt.first, tt.last).Ports()
			if err != nil || got != tt.want {
				t.Errorf("got %v, %v, want %v", got, err, tt.want)
			}
		})
	}
	if _, err := Of(t.TempDir(), 1001, 1100).Ports(); err == nil {
		t.Error("a process that is not there has ports")
	}
}

// Connections are counted one by one again only when there are more of them.
func TestPortsAreNotCountedAllTheTime(t *testing.T) {
	root := t.TempDir()
	n := Of(filepath.Join(root, "proc/7"), 1001, 1100)
	look := func(sockets, connected int) float64 {
		t.Helper()
		write(t, root, "proc/7/net/sockstat", fmt.Sprintf("TCP: inuse 0 orphan 0 tw %d\n", sockets))
		write(t, root, "proc/7/net/tcp", head+connections(1001, connected, "0200007F:1F90"))
		got, err := n.Ports()
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := []float64{look(85, 85), look(86, 1), look(95, 93)}; !slices.Equal(got, []float64{0.85, 0.85, 0.93}) {
		t.Errorf("got %v", got)
	}
}

// What this process sees of its own network is what a look into it says.
func TestLook(t *testing.T) {
	look, err := Of("/proc/self", FirstPort, LastPort).Look()
	if err != nil {
		t.Skipf("it takes root on Linux: %v", err)
	}
	loopback := slices.IndexFunc(look.Interfaces, func(i Interface) bool { return i.Name == "lo" })
	if lo, err := net.InterfaceByName("lo"); err == nil && (loopback < 0 || look.Interfaces[loopback].MTU != lo.MTU) {
		t.Errorf("got %+v, want lo with MTU %d", look, lo.MTU)
	}
	if own := Limits("/"); own["somaxconn"] == "" || !maps.Equal(look.Limits, own) {
		t.Errorf("got %v, want %v", look.Limits, own)
	}
}
