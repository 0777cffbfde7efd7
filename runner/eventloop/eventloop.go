//go:build linux

// Package eventloop is one thread that waits for sockets and for points in time at once.
//
// Our origin and our relay are made of it: they have to act at the right moment, thousands of times at once. A Go
// program that sleeps rounds short times up to whole milliseconds while it is idle, and wakes one goroutine through
// another. Here the kernel's high-resolution timer wakes one thread, which acts.
//
// All methods but Now belong to the loop's thread: call them before Run, or in what Run calls. So nothing on a loop
// needs locks, and its events have an order.
package eventloop

import (
	"container/heap"
	"context"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// batch is how many events are taken from the kernel at once.
const batch = 256

// Loop waits and calls. Make one with New.
type Loop struct {
	epoll, timer, wake int // files

	base    time.Time
	sources []source // by file
	timers  timers
	armed   int64 // what the kernel's timer is set to
	events  [batch]unix.EpollEvent
	failure error
}

// source is a file that is waited for.
type source struct {
	ready      func(events uint32)
	generation int32 // tells events of this file from late ones of another that had its number
}

// New makes a loop that waits for nothing yet.
func New() (*Loop, error) {
	l := &Loop{epoll: -1, timer: -1, wake: -1, base: time.Now()}
	err := l.open()
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("making an event loop: %w", err)
	}
	return l, nil
}

func (l *Loop) open() (err error) {
	if l.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	if l.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK); err != nil {
		return err
	}
	if l.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return err
	}
	for _, fd := range []int{l.timer, l.wake} {
		// Edges, so that neither has to be read to fall silent.
		if err := l.Add(fd, unix.EPOLLIN|unix.EPOLLET, func(uint32) {}); err != nil {
			return err
		}
	}
	return nil
}

// Close closes all files that were added, and the loop's own.
func (l *Loop) Close() {
	for fd, s := range l.sources {
		if s.ready != nil {
			unix.Close(fd)
		}
	}
	l.sources = nil
	if l.epoll >= 0 {
		unix.Close(l.epoll)
		l.epoll = -1
	}
}

// Now is the time on the loop's clock, in nanoseconds. Nobody can set that clock.
func (l *Loop) Now() int64 { return int64(time.Since(l.base)) }

// Add waits for events of a file, such as EPOLLIN, as long as they last; errors and hang-ups are always among them.
func (l *Loop) Add(fd int, events uint32, ready func(events uint32)) error {
	for len(l.sources) <= fd {
		l.sources = append(l.sources, source{})
	}
	s := &l.sources[fd]
	s.generation++
	s.ready = ready
	event := unix.EpollEvent{Events: events, Fd: int32(fd), Pad: s.generation}
	if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		s.ready = nil
		return fmt.Errorf("waiting for file %d: %w", fd, err)
	}
	return nil
}

// Modify waits for other events of a file that was added.
func (l *Loop) Modify(fd int, events uint32) error {
	event := unix.EpollEvent{Events: events, Fd: int32(fd), Pad: l.sources[fd].generation}
	if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_MOD, fd, &event); err != nil {
		return fmt.Errorf("waiting for file %d: %w", fd, err)
	}
	return nil
}

// CloseFile closes a file of the loop's user that was added, or never was.
func (l *Loop) CloseFile(fd int) {
	if fd < len(l.sources) {
		l.sources[fd].ready = nil
	}
	unix.Close(fd) // takes it out of the kernel's set too, as nothing here is duplicated
}

// Timer calls Fire once when its time has come. The zero value with a Fire is ready to be set.
type Timer struct {
	Fire func()

	due   int64
	place int // in the heap, from 1; 0: it is not set
}

// Due is when the timer fires, or did last, by the loop's clock.
func (t *Timer) Due() int64 { return t.due }

// Set sets a timer to a time of the loop's clock, also if it was set to another.
func (l *Loop) Set(t *Timer, due int64) {
	t.due = due
	if t.place == 0 {
		heap.Push(&l.timers, t)
		return
	}
	heap.Fix(&l.timers, t.place-1)
}

// Unset keeps a timer from firing.
func (l *Loop) Unset(t *Timer) {
	if t.place > 0 {
		heap.Remove(&l.timers, t.place-1)
	}
}

// Fail ends the loop: Run returns the error.
func (l *Loop) Fail(err error) {
	if l.failure == nil {
		l.failure = err
	}
}

// Run waits and calls until the context is done, which is no error, or until something failed.
func (l *Loop) Run(ctx context.Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer context.AfterFunc(ctx, func() {
		_, _ = unix.Write(l.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // it can only be woken already
	})()
	for ctx.Err() == nil && l.failure == nil {
		l.fire()
		timeout, err := l.arm()
		if err != nil {
			return err
		}
		n, err := unix.EpollWait(l.epoll, l.events[:], timeout)
		if err != nil && err != unix.EINTR {
			return fmt.Errorf("waiting for events: %w", err)
		}
		for i := range max(0, n) {
			e := &l.events[i]
			if s := &l.sources[e.Fd]; s.ready != nil && s.generation == e.Pad {
				s.ready(e.Events)
			}
			// What is due does not wait until the whole batch is worked off.
			l.fire()
		}
	}
	return l.failure
}

// fire calls what is due, in the order of the times.
func (l *Loop) fire() {
	for len(l.timers) > 0 && l.timers[0].due <= l.Now() {
		heap.Pop(&l.timers).(*Timer).Fire()
	}
}

// arm sets the kernel's timer to the next time that is due, and says how long to wait beside it: 0, or -1 for ever.
func (l *Loop) arm() (timeout int, err error) {
	if l.failure != nil {
		return 0, nil // of what was called just now
	}
	if len(l.timers) == 0 {
		return -1, nil
	}
	due := l.timers[0].due
	left := due - l.Now()
	if left <= 0 {
		return 0, nil
	}
	if due == l.armed {
		return -1, nil
	}
	if err := unix.TimerfdSettime(l.timer, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(left)}, nil); err != nil {
		return 0, fmt.Errorf("setting the timer: %w", err)
	}
	l.armed = due
	return -1, nil
}

// timers is a heap by the time that is due.
type timers []*Timer

func (h timers) Len() int           { return len(h) }
func (h timers) Less(i, j int) bool { return h[i].due < h[j].due }
func (h timers) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i+1, j+1
}

func (h *timers) Push(x any) {
	t := x.(*Timer)
	*h = append(*h, t)
	t.place = len(*h)
}

func (h *timers) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	t.place = 0
	return t
}
