package machines

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"

	"benchbook/runner/sysinfo"
)

// machineName is the name of our program on another machine, among what is started there.
const machineName = "host"

// A Machine is another one than this, that something is measured on: what it is, and a program of ours that tells about
// it.
type Machine struct {
	Host  sysinfo.Host
	Name  string // in the project
	Node  string // what its engine calls it; empty if that does not tell
	space engine.Space
	agent engine.Container
	ahead time.Duration // of its clock, before ours
}

// Connect starts our program, whose bytes are given, on the machine of an engine, and asks it what it is on. At is
// where that is, of an engine that has several; none of another one. Until Close the program runs there, reads what the
// machine is doing ten times a second, and does nothing else unless it is asked.
func Connect(ctx context.Context, name string, e engine.Engine, at engine.Location, program []byte) (m *Machine,
	err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("connecting to host %q: %w", name, err)
		}
	}()
	image, err := e.Prepare(ctx, engine.Image{Executable: &engine.Executable{Name: agent.Name, Data: program}}, io.Discard)
	if err != nil {
		return nil, err
	}
	space, err := e.Open(ctx, "hosts")
	if err != nil {
		return nil, err
	}
	m = &Machine{Name: name, space: space}
	m.agent, err = space.Start(ctx, engine.Service{Image: image, Location: at,
		Service: spec.Service{Name: machineName, Command: []string{agent.Host, sysinfo.TellWatch},
			Ready: spec.Ready{Log: sysinfo.WatchReady}}})
	if sited, ok := m.agent.(engine.Sited); ok && err == nil {
		m.Node = sited.Node()
	}
	if err == nil {
		err = m.ask(ctx, func(answer []byte) error { return json.Unmarshal(answer, &m.Host) }, sysinfo.TellDescription)
	}
	if m.Node != "" {
		m.Host.Nodes = []string{m.Node}
	}
	if err == nil {
		err = m.setClock(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, m.Close(ctx))
	}
	return m, nil
}

// Close ends our program there.
func (m *Machine) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeGrace)
	defer cancel()
	return m.space.Close(ctx)
}

// maxAnswer is how much of what our program said is in an error, in bytes.
const maxAnswer = 1 << 10

// closeGrace is how long ending it may last.
const closeGrace = 30 * time.Second

func (m *Machine) ask(ctx context.Context, read func([]byte) error, args ...string) error {
	exit, err := m.agent.Exec(ctx, engine.Command{Args: append([]string{"/" + agent.Name, agent.Host}, args...)})
	if err == nil && exit.Code != 0 {
		// Where a command could not be started, engines say why in the place of its output.
		err = fmt.Errorf("it ended with status %d: %s", exit.Code,
			engine.LastLines(strings.TrimSpace(string(exit.Stderr)+string(exit.Stdout)), maxAnswer))
	}
	if err == nil {
		err = read(exit.Stdout)
	}
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("asking host %q to %s: %w", m.Name, args[0], err)
	}
	return err
}

// setClock finds out how far its clock is ahead of ours.
func (m *Machine) setClock(ctx context.Context) (err error) {
	if clocked, ok := m.agent.(engine.Clocked); ok {
		m.ahead, _, err = clocked.Clock(ctx)
	}
	return err
}

// settle lets the machine come to rest, which takes longer after it was disturbed; longest is as in Settler.
func (m *Machine) settle(ctx context.Context, disturbed bool, longest time.Duration) (*record.Before, error) {
	after := sysinfo.AfterRest
	if disturbed {
		after = sysinfo.AfterDisturbance
	}
	var before record.Before
	err := m.ask(ctx, func(answer []byte) error { return json.Unmarshal(answer, &before) }, sysinfo.TellRest, after,
		longest.String())
	return &before, err
}

// readings are what it did since a moment of our clock, in times of our clock.
func (m *Machine) readings(ctx context.Context, from time.Time) (out sysinfo.HostReadings, err error) {
	err = m.ask(ctx, func(answer []byte) error {
		decoder := json.NewDecoder(bytes.NewReader(answer))
		for {
			var r sysinfo.HostUsage
			if err := decoder.Decode(&r); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			r.At = r.At.Add(-m.ahead)
			out = append(out, r)
		}
	}, sysinfo.TellReadings, strconv.FormatInt(from.Add(m.ahead).UnixNano(), 10))
	return out, err
}

// Together is a host together with machines that something is measured on; here says that it is one of them.
func Together(h sysinfo.Host, machines []*Machine, here bool) sysinfo.Host {
	if len(machines) == 0 {
		return h
	}
	others := map[string]sysinfo.Host{}
	for _, m := range machines {
		others[m.Name] = m.Host
	}
	return h.Together(others, here)
}

// Known is what Hosts of a cache say of other machines, together with this one: with the ID that their results are
// recorded under. It is false if one of them has never been met from here.
func Known(h sysinfo.Host, cache HostCache, endpoints map[string]string, here bool) (sysinfo.Host, bool) {
	others := map[string]sysinfo.Host{}
	for name, endpoint := range endpoints {
		other, ok := cache.Read(endpoint)
		if !ok {
			return sysinfo.Host{}, false
		}
		others[name] = other
	}
	return h.Together(others, here), true
}
