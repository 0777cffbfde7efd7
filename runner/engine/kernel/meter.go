package kernel

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"benchbook/runner/engine"
	"benchbook/runner/proc"
)

// ErrElsewhere is the error of a service that runs under the kernel of another machine.
var ErrElsewhere = errors.New("its kernel is that of another machine")

// Meter measures a service by its Files, which it looks for when it is first asked. All errors name the service.
type Meter struct {
	service string
	find    func(context.Context) (*Files, error)

	mu      sync.Mutex
	files   *Files // nil until they were found
	missing error  // why they never will be
}

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

func (m *Meter) found(ctx context.Context) (*Files, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.missing != nil || m.files != nil {
		return m.files, m.missing
	}
	files, err := m.find(ctx)
	if errors.Is(err, ErrElsewhere) {
		m.missing = err
	}
	if err == nil {
		m.files = files
	}
	return m.files, err
}

// Usage implements engine.Container.
func (m *Meter) Usage(ctx context.Context, detail engine.Detail) (usage engine.Usage, err error) {
	files, err := m.found(ctx)
	if err == nil {
		usage, err = files.Usage(detail)
	}
	if err != nil {
		err = fmt.Errorf("measuring %s: %w", m.service, err)
	}
	return usage, err
}

// OOMKills returns how many processes were killed for lack of memory; -1 if unknown.
func (m *Meter) OOMKills(ctx context.Context) int64 {
	files, err := m.found(ctx)
	if err != nil {
		return -1
	}
	return files.OOMKills()
}

// CPUs returns the CPUs that the first process may run on, such as "2-3"; empty if unknown.
func (m *Meter) CPUs(ctx context.Context) string {
	files, err := m.found(ctx)
	if err != nil {
		return ""
	}
	return proc.Field(files.process+"/status", "Cpus_allowed_list")
}
