package local

import (
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"benchbook/runner/engine/netns"
)

// Names keep their addresses, and only those that are there are found.
func TestHosts(t *testing.T) {
	folder := t.TempDir()
	n := &network{hosts: filepath.Join(folder, "hosts"), names: make(map[string]member)}
	if err := n.prefix.UnmarshalText([]byte("10.1.2.0/24")); err != nil {
		t.Fatal(err)
	}
	join := func(name string, aliases ...string) {
		t.Helper()
		if _, err := n.join(name, aliases); err != nil {
			t.Fatal(err)
		}
	}
	want := func(text string) {
		t.Helper()
		got, err := os.ReadFile(n.hosts)
		if err != nil || string(got) != "127.0.0.1 localhost\n"+text {
			t.Errorf("the file says %q, %v; want %q", got, err, text)
		}
	}
	join("one")
	join("two", "zwei", "deux")
	want("10.1.2.1 one\n10.1.2.2 two zwei deux\n")
	if err := n.leave("one"); err != nil {
		t.Fatal(err)
	}
	want("10.1.2.2 two zwei deux\n")
	join("three")
	join("one", "first")
	want("10.1.2.1 one first\n10.1.2.2 two zwei deux\n10.1.2.3 three\n")

	var err error
	for i := 0; err == nil && i < 300; i++ {
		_, err = n.join(string(rune('A'+i)), nil)
	}
	if len(n.names) != 254 {
		t.Errorf("%d names have an address of 254 (%v)", len(n.names), err)
	}
}

func TestOtherMounts(t *testing.T) {
	const mounts = `24 1 254:0 / / rw - ext4 /dev/vda rw
25 24 254:1 / /home rw,nosuid shared:3 - ext4 /dev/vdb rw
26 24 0:20 / /proc rw - proc proc rw
27 24 0:21 / /run rw - tmpfs tmpfs rw
28 24 254:2 / /run/media/stick rw - vfat /dev/sdc1 rw
29 24 0:40 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw
30 24 254:0 /etc/h /etc/hosts rw - ext4 /dev/vda rw
31 25 0:50 / /home/a\040b rw - nfs server:/x rw
32 24 0:51 / /home rw - ext4 /dev/vdb rw
33 24 0:52 / /mnt/fuse rw - fuse.sshfs host: rw
nonsense
`
	got := otherMounts(mounts)
	if len(got) != 2 || got[0] != "/home" || got[1] != "/home/a b" {
		t.Errorf("got %q, want /home and what is in it", got)
	}
}

// Under an address there is only what has it now, however long the kernel takes to remove the network of what had it
// before.
func TestAddressOfTheOneBefore(t *testing.T) {
	open(t).Close() // or there can be no networks here
	n, err := newNetwork(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer n.close()
	// connected gives a process of its own a name in the network, and the namespace of its network, which outlives it.
	connected := func(name string) (*os.File, netip.Addr) {
		t.Helper()
		cmd := exec.Command("sleep", "1h")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // by that
		})
		namespace, err := os.Open(filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid), "ns", "net"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { namespace.Close() })
		address, err := n.join(name, nil)
		if err == nil {
			err = n.connect(cmd.Process.Pid, namespace, name)
		}
		if err != nil {
			t.Fatal(err)
		}
		return namespace, address
	}
	client, _ := connected("client")
	_, before := connected("server")
	if _, err := dial(t.Context(), client, before, 8080); err == nil {
		t.Fatal("somebody listens")
	}
	if err := n.leave("server"); err != nil {
		t.Fatal(err)
	}
	if err := n.leave("server"); err != nil {
		t.Errorf("leaving twice: %v", err)
	}
	server, now := connected("server")
	if now != before {
		t.Fatalf("its address is %v, and was %v", now, before)
	}
	var listener net.Listener
	if err := netns.Within(server, func() (err error) {
		listener, err = net.Listen("tcp", netip.AddrPortFrom(now, 8080).String())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	other, _ := connected("other")
	for i := range 20 {
		for name, from := range map[string]*os.File{"who knew it before": client, "who did not": other} {
			conn, err := dial(t.Context(), from, now, 8080)
			if err != nil {
				t.Fatalf("connection %d of %s: %v", i+1, name, err)
			}
			conn.Close()
		}
	}
}
