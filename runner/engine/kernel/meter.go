package kernel

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"benchbook/runner/engine"
)

// ErrElsewhere is that a service does not run under this machine's kernel, which therefore has no files of it.
var ErrElsewhere = errors.New("its kernel is that of another machine")

// Meter measures a service by its Files, which it looks for when it is first asked. All errors name the service.
type Meter struct {
	service string
	find    func(context.Context) (*Files, error)

	mu      sync.Mutex
	files   *Files // nil until they were found
	network *Namespace
	missing error // why they never will be
}

var _ interface {
	engine.Threaded
	engine.Queued
	engine.Metered
	engine.Listening
} = (*Meter)(nil)

// NewMeter measures a service. If find fails, it is called again the next time,
// unless the error is ErrElsewhere.
func NewMeter(service string, find func(context.Context) (*Files, error)) *Meter {
	return &Meter{service: service, find: find}
}

// Close ends measuring.
func (m *Meter) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.files != nil {
		m.files.Close()
	}
	m.files, m.missing = nil, errors.New("it has ended")
}

func (m *Meter) found(ctx context.Context) (*Files, *Namespace, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.missing != nil || m.files != nil {
		return m.files, m.network, m.missing
	}
	files, err := m.find(ctx)
	if errors.Is(err, ErrElsewhere) {
		m.missing = err
	}
	if err != nil {
		return nil, nil, err
	}
	m.files, m.network = files, files.Network()
	return m.files, m.network, nil
}

func measured[T any](ctx context.Context, m *Meter, read func(*Files, *Namespace) (T, error)) (value T,
	err error) {
	files, network, err := m.found(ctx)
	if err == nil {
		value, err = read(files, network)
	}
	if err != nil {
		return value, fmt.Errorf("measuring %s: %w", m.service, err)
	}
	return value, nil
}

func (m *Meter) Usage(ctx context.Context) (engine.Usage, error) {
	return measured(ctx, m, func(f *Files, _ *Namespace) (engine.Usage, error) { return f.Read(ctx) })
}

func (m *Meter) CPU(ctx context.Context) (time.Duration, error) {
	return measured(ctx, m, func(f *Files, _ *Namespace) (time.Duration, error) { return f.CPU() })
}

func (m *Meter) Threads(ctx context.Context, only ...int) (map[int]time.Duration, error) {
	return measured(ctx, m, func(f *Files, _ *Namespace) (map[int]time.Duration, error) {
		return f.Threads(only...)
	})
}

func (m *Meter) Waits(ctx context.Context) (map[int]time.Duration, error) {
	return measured(ctx, m, func(f *Files, _ *Namespace) (map[int]time.Duration, error) { return f.Waits() })
}

func (m *Meter) Listeners(ctx context.Context) ([]netip.AddrPort, error) {
	return measured(ctx, m, func(_ *Files, n *Namespace) ([]netip.AddrPort, error) { return n.Listeners() })
}
