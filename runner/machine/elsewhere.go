package machine

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"benchbook/internal/files"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
)

// A Machine is a machine to measure on. The zero Machine is this one; Connect connects to others.
type Machine struct {
	Host Host
	Name string // in the project; empty for the only machine of an engine

	space engine.Space
	agent engine.Container // nil on this machine
	clock clock
}

// A clock estimates how far the clock of another machine is ahead of ours.
type clock struct {
	ahead time.Duration
	at    time.Time // time of the estimate
}

// drift is how much two clocks may diverge, as a share of elapsed time.
const drift = 1e-4

// update improves the estimate with an answer that was sent at went by the other clock and arrived by ours. The answer
// with the shortest transit is the best. The time of the request is not used: starting the command that answers takes a
// tenth of a second or more, its answer only milliseconds.
func (c *clock) update(went, arrived time.Time) {
	ahead := went.Sub(arrived)
	if age := arrived.Sub(c.at); c.at.IsZero() || ahead >= c.ahead-time.Duration(drift*float64(age)) {
		*c = clock{ahead, arrived}
	}
}

// Connect starts our program on the machine of an engine, or on one of its nodes, and asks it to describe the machine.
// The program runs until Close, reads the machine ten times a second, and answers requests.
func Connect(ctx context.Context, name string, e engine.Engine, node string, program []byte) (m *Machine, err error) {
	m = &Machine{Name: name}
	defer func() {
		if err != nil {
			err = fmt.Errorf("connecting to host %q: %w", name, errors.Join(err, m.Close(ctx)))
		}
	}()
	image, err := e.Prepare(ctx, engine.Image{Executable: &engine.Executable{Name: agent.Name, Data: program}}, io.Discard)
	if err != nil {
		return nil, err
	}
	if m.space, err = e.Open(ctx, "hosts"); err != nil {
		return nil, err
	}
	service := spec.Service{Name: "host", Command: []string{agent.Host, Watch}, Ready: spec.Ready{Log: Watching}}
	if node == "" { // on cluster nodes, containers are read differently
		service.Volumes = []spec.Volume{{Type: spec.BindVolume, Source: "/sys/fs/cgroup", Host: "/sys/fs/cgroup",
			Target: "/" + watchedGroups, ReadOnly: true}}
	}
	m.agent, err = m.space.Start(ctx, engine.Service{Service: service, Image: image, Host: node, Ours: true})
	if err != nil {
		return nil, err
	}
	if err := m.ask(ctx, &m.Host, askHost); err != nil {
		return nil, err
	}
	state, err := m.agent.State(ctx)
	if err != nil {
		return nil, err
	}
	if state.Node != "" {
		m.Host.Nodes = []string{state.Node}
	}
	facts, err := e.Facts(ctx)
	m.Host.ID += "." + identityOf(facts["engine.id"], state.Node)
	return m, err
}

// Fingerprint measures the machine for one second.
func (m *Machine) Fingerprint(ctx context.Context) (f Fingerprint, err error) {
	if m.IsHere() {
		return TakeFingerprint(ctx)
	}
	err = m.ask(ctx, &f, askSpeed)
	return f, err
}

// closeGrace is how long stopping our program may take.
const closeGrace = 30 * time.Second

// Close stops our program on the machine.
func (m *Machine) Close(ctx context.Context) error {
	if m.space == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeGrace)
	defer cancel()
	return m.space.Close(ctx)
}

// IsHere reports whether this is the machine that benchbook runs on.
func (m *Machine) IsHere() bool { return m.agent == nil }

// Ahead returns how far the machine's clock is ahead of ours, as of the last answer.
func (m *Machine) Ahead() time.Duration { return m.clock.ahead }

// maxAnswer limits the program output in an error, in bytes.
const maxAnswer = 1 << 10

// ask sends a request to our program on the machine and decodes the answer into value.
func (m *Machine) ask(ctx context.Context, value any, args ...string) error {
	exit, err := m.agent.Exec(ctx, engine.Command{Args: append([]string{"/" + agent.Name, agent.Host}, args...)})
	arrived := time.Now()
	if err == nil && exit.Code != 0 {
		err = fmt.Errorf("it ended with status %d: %s", exit.Code,
			engine.LastLines(strings.TrimSpace(string(exit.Stderr)+string(exit.Stdout)), maxAnswer))
	}
	a := answer{Value: value}
	if err == nil {
		err = json.Unmarshal(exit.Stdout, &a)
	}
	if err == nil {
		m.clock.update(a.Went, arrived)
	}
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("asking host %q to %s: %w", m.Name, args[0], err)
	}
	return err
}

func (m *Machine) settle(ctx context.Context, noise func(context.Context) Noise,
	longest time.Duration) (r record.Before, err error) {
	if m.IsHere() {
		return settle(ctx, noise, longest)
	}
	err = m.ask(ctx, &r, askRest, longest.String())
	return r, err
}

// longestUntilRead limits how long Readings waits for the end of its window, which has passed unless a clock was set.
const longestUntilRead = time.Second

// Readings returns the readings of another machine that cover begin to end, in our clock's time.
func (m *Machine) Readings(ctx context.Context, begin, end time.Time) (out Readings, err error) {
	if err := engine.Sleep(ctx, min(time.Until(end.Add(2*readingEvery)), longestUntilRead)); err != nil {
		return nil, err
	}
	from := begin.Add(m.clock.ahead - time.Second)
	err = m.ask(ctx, &out, askReadings, strconv.FormatInt(from.UnixNano(), 10))
	for i := range out {
		out[i].At = out[i].At.Add(-m.clock.ahead)
	}
	return out, err
}

// A Cache is a folder that stores information about other machines and images. An empty Cache stores nothing.
type Cache string

// Host returns the description of a machine from the last connection, by the endpoint of its engine.
func (c Cache) Host(endpoint string) (Host, bool) {
	var h Host
	return h, c.Read("hosts", endpoint, &h) && h.ID != ""
}

// Hosts combines h with the cached descriptions of other machines, given by name and endpoint, as Together does. It is
// not ok if one of them is not cached.
func (c Cache) Hosts(h Host, endpoints map[string]string) (_ Host, ok bool) {
	others := map[string]Host{}
	for name, endpoint := range endpoints {
		if others[name], ok = c.Host(endpoint); !ok {
			return Host{}, false
		}
	}
	return h.Together(others), true
}

// Read reads the value of a key in a folder of the cache, and reports whether there was one.
func (c Cache) Read(folder, key string, value any) bool {
	data, err := os.ReadFile(c.file(folder, key))
	return c != "" && err == nil && json.Unmarshal(data, value) == nil
}

// Write stores a value, ignoring errors.
func (c Cache) Write(folder, key string, value any) {
	if data, err := json.Marshal(value); c != "" && err == nil {
		_ = files.Write(c.file(folder, key), data) // on failure it is determined again
	}
}

func (c Cache) file(folder, key string) string {
	return filepath.Join(string(c), folder, fmt.Sprintf("%x.json", sha256.Sum256([]byte(key))))
}
