package kernel

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// crowd makes a network namespace with connections over the loopback to one port, some of them open and some closed,
// which wait. Either end of those that are open is in it, and the end of those that wait that has closed first: that of
// whoever connected. It lasts until the test ends.
func netnsCrowd(tb testing.TB, open, closed int) *Namespace {
	tb.Helper()
	made, done := make(chan error), make(chan struct{})
	thread := 0
	go OnThread(func() error {
		made <- func() error {
			if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
				return err
			}
			thread = unix.Gettid()
			return connect(open, closed, done)
		}()
		<-done
		return nil
	})
	tb.Cleanup(func() { close(done) })
	if err := <-made; err != nil {
		tb.Skipf("it takes root: %v", err)
	}
	return Of(fmt.Sprintf("/proc/self/task/%d", thread), FirstPort, LastPort)
}

func connect(open, closed int, done chan struct{}) error {
	control, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(control)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(control, unix.SIOCSIFFLAGS, lo); err != nil {
		return err
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte("1024 65535"), 0o644); err != nil {
		return err
	}
	// Over the loopback, kernels use ports again after a second.
	if err := os.WriteFile("/proc/sys/net/ipv4/tcp_tw_reuse", []byte("0"), 0o644); err != nil {
		return err
	}
	listener, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	server := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: 80}
	if err := unix.Bind(listener, server); err != nil {
		return err
	}
	if err := unix.Listen(listener, 128); err != nil {
		return err
	}
	keep := []int{listener}
	for i := range open + closed {
		client, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		if err := unix.Connect(client, server); err != nil {
			return err
		}
		accepted, _, err := unix.Accept4(listener, unix.SOCK_CLOEXEC)
		if err != nil {
			return err
		}
		if i < open {
			keep = append(keep, client, accepted)
			continue
		}
		_ = unix.Close(client) // first, so that it waits
		_ = unix.Close(accepted)
	}
	go func() {
		<-done
		for _, fd := range keep {
			_ = unix.Close(fd)
		}
	}()
	return nil
}

// The first thread of the process, whose network everybody sees as that of the process, never goes into another.
func TestThreadThatEnters(t *testing.T) {
	var all sync.WaitGroup
	var first atomic.Int32
	for range 200 {
		all.Go(func() {
			_ = OnThread(func() error {
				if unix.Gettid() == unix.Getpid() {
					first.Add(1)
				}
				return nil
			})
		})
	}
	all.Wait()
	if n := first.Load(); n > 0 {
		t.Errorf("it did %d times of 200", n)
	}
}

// However connections are read, there are as many.
func TestCount(t *testing.T) {
	space := netnsCrowd(t, 7, 50)
	for name, read := range map[string]func() (pairs, error){"asked for": space.diagnosed, "listed": space.listed} {
		used, err := read()
		if err != nil {
			t.Fatal(err)
		}
		most, ends := 0, 0
		for _, n := range used {
			most, ends = max(most, n), ends+n
		}
		if most != 57 || ends != 57 { // what was accepted has port 80
			t.Errorf("%s: %d between two addresses, of %d; want 57", name, most, ends)
		}
	}
}
