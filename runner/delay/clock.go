//go:build linux

package delay

import (
	"container/heap"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Clock wakes goroutines at points in time. Make one with NewClock.
//
// Go's own timers wake an idle program up to a millisecond late, because it waits in epoll_wait, which counts in
// milliseconds. A Clock waits for the kernel's high-resolution timer through Go's netpoller: one timer for all that
// sleep, set to the first of them.
type Clock struct {
	base time.Time
	file *os.File
	fd   int

	mu       sync.Mutex // guards what follows
	sleepers sleepers
	armed    time.Duration // what the kernel's timer is set to; 0: nothing
	closed   bool
	spare    []*sleeper
}

// sleeper is a goroutine that waits for its time.
type sleeper struct {
	due  time.Duration
	wake chan struct{} // has room for one
}

// NewClock returns a clock that begins at 0.
func NewClock() (*Clock, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("making a timer: %w", err)
	}
	c := &Clock{base: time.Now(), fd: fd, file: os.NewFile(uintptr(fd), "timerfd")}
	raw, err := c.file.SyscallConn()
	// A file has deadlines only if the netpoller waits for it.
	if err := errors.Join(err, c.file.SetReadDeadline(time.Time{})); err != nil {
		return nil, errors.Join(fmt.Errorf("making a timer: %w", err), c.file.Close())
	}
	go func() {
		// It ends when the file is closed. The netpoller waits for edges, so the timer needs no read to fall silent.
		_ = raw.Read(func(uintptr) bool {
			c.fire()
			return false
		})
	}()
	return c, nil
}

// Now returns the time since the clock was made. Setting the system's time does not change it.
func (c *Clock) Now() time.Duration { return time.Since(c.base) }

// SleepUntil returns at a time of the clock, and reports false if the clock was closed.
func (c *Clock) SleepUntil(due time.Duration) bool {
	c.mu.Lock()
	if c.closed || due <= c.Now() {
		defer c.mu.Unlock()
		return !c.closed
	}
	s := c.sleeper()
	s.due = due
	heap.Push(&c.sleepers, s)
	c.arm()
	c.mu.Unlock()

	<-s.wake

	c.mu.Lock()
	defer c.mu.Unlock()
	c.spare = append(c.spare, s)
	return !c.closed
}

func (c *Clock) sleeper() *sleeper {
	n := len(c.spare)
	if n == 0 {
		return &sleeper{wake: make(chan struct{}, 1)}
	}
	s := c.spare[n-1]
	c.spare = c.spare[:n-1]
	return s
}

// fire wakes everyone whose time has come, and sets the timer to the next.
func (c *Clock) fire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.armed = 0
	for now := c.Now(); len(c.sleepers) > 0 && c.sleepers[0].due <= now; {
		heap.Pop(&c.sleepers).(*sleeper).wake <- struct{}{}
	}
	c.arm()
}

// arm sets the kernel's timer to the time of the first sleeper.
func (c *Clock) arm() {
	if c.closed || len(c.sleepers) == 0 || c.armed > 0 && c.armed <= c.sleepers[0].due {
		return
	}
	c.armed = c.sleepers[0].due
	left := max(c.armed-c.Now(), 1) // 0 would unset it
	if err := unix.TimerfdSettime(c.fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(int64(left))}, nil); err != nil {
		panic(fmt.Errorf("setting a timer: %w", err)) // its file and its time are right
	}
}

// Close wakes everyone.
func (c *Clock) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	c.file.Close()
	for _, s := range c.sleepers {
		s.wake <- struct{}{}
	}
	c.sleepers = nil
}

// sleepers is a heap by due time.
type sleepers []*sleeper

func (h sleepers) Len() int           { return len(h) }
func (h sleepers) Less(i, j int) bool { return h[i].due < h[j].due }
func (h sleepers) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *sleepers) Push(x any)        { *h = append(*h, x.(*sleeper)) }

func (h *sleepers) Pop() any {
	last := len(*h) - 1
	s := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return s
}
