package docker

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"benchbook/runner/engine"
	"benchbook/runner/machine"
)

// errElsewhere is the error of a container that runs under the kernel of another machine.
var errElsewhere = errors.New("its kernel is that of another machine")

// meter reads the control group of a container, which it finds when it is first asked.
type meter struct {
	find func(context.Context) (*machine.Group, error)

	mu    sync.Mutex
	group *machine.Group // nil until it was found
	never error          // why it never will be
}

func (m *meter) found(ctx context.Context) (*machine.Group, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.group != nil || m.never != nil {
		return m.group, m.never
	}
	group, err := m.find(ctx)
	if errors.Is(err, errElsewhere) {
		m.never = err
	}
	if err == nil {
		m.group = group
	}
	return m.group, err
}

// Usage returns what the container of a name has used.
func (m *meter) Usage(ctx context.Context, name string, detail engine.Detail) (usage engine.Usage, err error) {
	group, err := m.found(ctx)
	if err == nil {
		usage, err = group.Usage(detail)
	}
	if err != nil {
		err = fmt.Errorf("measuring %s: %w", name, err)
	}
	return usage, err
}

// OOMKills returns how many processes were killed for lack of memory, -1 if unknown.
func (m *meter) OOMKills(ctx context.Context) int64 {
	group, err := m.found(ctx)
	if err != nil {
		return -1
	}
	return group.OOMKills()
}

// CPUs returns the CPUs that the first process may run on, such as "2-3"; empty if unknown.
func (m *meter) CPUs(ctx context.Context) string {
	group, err := m.found(ctx)
	if err != nil {
		return ""
	}
	return group.CPUs()
}

// Close closes the files.
func (m *meter) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.group != nil {
		m.group.Close()
	}
	m.group, m.never = nil, errors.New("it has ended")
}
