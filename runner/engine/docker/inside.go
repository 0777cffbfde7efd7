package docker

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"benchbook/runner/engine"
	"benchbook/runner/engine/kernel"
	"benchbook/runner/engine/netns"
)

// errElsewhere is what only the files of this machine's kernel tell, of a container that does not run under it.
var errElsewhere = errors.New("its kernel is that of another machine")

var (
	_ engine.Threaded  = (*running)(nil)
	_ engine.Queued    = (*running)(nil)
	_ engine.Metered   = (*running)(nil)
	_ engine.Networked = (*running)(nil)
	_ engine.Listening = (*running)(nil)
	_ engine.Listening = (*waiting)(nil)
)

// measure finds out how the container can be measured, once. It is called with the lock held.
func (r *running) measure(ctx context.Context) error {
	if r.meter != nil {
		return nil
	}
	m, err := r.engine.newMeter(ctx, r.id)
	if err != nil {
		return fmt.Errorf("measuring %s: %w", r.name, err)
	}
	r.meter = m
	if files, ok := m.(*kernel.Files); ok {
		r.network = files.Network(r.first, r.last)
	}
	return nil
}

// here gives the files of the kernel that the container runs under, if it is this machine's, for as long as use lasts.
func (r *running) here(ctx context.Context, use func(*kernel.Files) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.measure(ctx); err != nil {
		return err
	}
	files, ok := r.meter.(*kernel.Files)
	if !ok {
		return fmt.Errorf("measuring %s: %w", r.name, errElsewhere)
	}
	if err := use(files); err != nil {
		return fmt.Errorf("measuring %s: %w", r.name, err)
	}
	return nil
}

// CPU implements engine.Metered where the kernel's files can be read.
func (r *running) CPU(ctx context.Context) (used time.Duration, err error) {
	err = r.here(ctx, func(k *kernel.Files) (err error) {
		used, err = k.CPU()
		return err
	})
	return used, err
}

// Threads implements engine.Threaded where the kernel's files can be read.
func (r *running) Threads(ctx context.Context, only ...int) (threads map[int]time.Duration, err error) {
	err = r.here(ctx, func(k *kernel.Files) (err error) {
		threads, err = k.Threads(only...)
		return err
	})
	return threads, err
}

// Waits implements engine.Queued where the kernel's files can be read.
func (r *running) Waits(ctx context.Context) (waits map[int]time.Duration, err error) {
	err = r.here(ctx, func(k *kernel.Files) (err error) {
		waits, err = k.Waits()
		return err
	})
	return waits, err
}

// Ports implements engine.Networked where the kernel's files can be read.
func (r *running) Ports(ctx context.Context) (share float64, err error) {
	err = r.here(ctx, func(*kernel.Files) (err error) {
		share, err = r.network.Ports()
		return err
	})
	return share, err
}

// Network implements engine.Networked where the kernel's files can be read, by root.
func (r *running) Network(ctx context.Context) (network engine.Network, err error) {
	err = r.here(ctx, func(*kernel.Files) error {
		look, err := r.network.Look()
		network = look.Network()
		return err
	})
	return network, err
}

// nameServer is where an engine answers for names in a container: it listens there itself.
var nameServer = netip.AddrFrom4([4]byte{127, 0, 0, 11})

// Listeners implements engine.Listening.
func (r *running) Listeners(ctx context.Context) (open []netip.AddrPort, err error) {
	err = r.here(ctx, func(*kernel.Files) (err error) {
		open, err = r.network.Listeners()
		return err
	})
	if errors.Is(err, errElsewhere) {
		open, err = netns.ListenersBy(ctx, r.Exec)
	}
	return slices.DeleteFunc(open, func(l netip.AddrPort) bool { return l.Addr() == nameServer }), err
}

// Listeners implements engine.Listening.
func (w *waiting) Listeners(ctx context.Context) ([]netip.AddrPort, error) {
	return w.running.Listeners(ctx)
}
