package local

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"benchbook/runner/engine"
	"benchbook/runner/engine/netns"
)

var (
	_ engine.Metered   = (*running)(nil)
	_ engine.Networked = (*running)(nil)
	_ engine.Listening = (*running)(nil)
)

// CPU implements engine.Metered.
func (r *running) CPU(context.Context) (time.Duration, error) {
	files, err := r.measured()
	if err != nil {
		return 0, err
	}
	used, err := files.CPU()
	if err != nil {
		return 0, fmt.Errorf("measuring %s: %w", r.service.Name, err)
	}
	return used, nil
}

// Ports implements engine.Networked.
func (r *running) Ports(context.Context) (float64, error) {
	n, err := r.inside()
	if err != nil {
		return 0, err
	}
	share, err := n.Ports()
	if err != nil {
		return 0, fmt.Errorf("measuring the ports of %s: %w", r.service.Name, err)
	}
	return share, nil
}

// Network implements engine.Networked.
func (r *running) Network(context.Context) (engine.Network, error) {
	n, err := r.inside()
	if err != nil {
		return engine.Network{}, err
	}
	look, err := n.Look()
	if err != nil {
		return engine.Network{}, fmt.Errorf("looking into the network of %s: %w", r.service.Name, err)
	}
	return look.Network(), nil
}

// Listeners implements engine.Listening.
func (r *running) Listeners(context.Context) ([]netip.AddrPort, error) {
	n, err := r.inside()
	if err != nil {
		return nil, err
	}
	return n.Listeners()
}

// inside is the network of the service or program, as its files tell of it.
func (r *running) inside() (*netns.Namespace, error) {
	files, err := r.measured()
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.inner == nil {
		r.inner = files.Network(netns.LocalPorts(r.service.Sysctls))
	}
	return r.inner, nil
}
