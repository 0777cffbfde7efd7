package measure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/images"
	"benchbook/runner/machine"
)

// A target is what an article is measured on: its machines, and the engine over all of them.
type target struct {
	host     machine.Host
	machines map[string]*machine.Machine // those elsewhere, by the names of plan; nil if there is only this one
	engine   engine.Engine               // nil as long as nothing needs it
	outside  engine.Engine               // puts load on what runs already; nil unless something needs it
	close    func()
	present  *images.Present // nil where nothing tells of images and programs
}

// targets are those of articles, by slug.
type targets map[string]*target

func (v targets) HostOf(slug string) machine.Host { return v[slug].host }

// distinct lists them, each once.
func (v targets) distinct() []*target {
	var out []*target
	for _, one := range v {
		out = slice.Add(out, one)
	}
	return out
}

// Close closes all, each once.
func (v targets) Close() {
	for _, one := range v.distinct() {
		if one.close != nil {
			one.close()
		}
		if one.outside != nil {
			_ = one.outside.Close() // whatever was started has been removed
		}
	}
}

// each does something with each of the engines that are connected, until one has an error.
func (v *target) each(do func(engine.Engine) error) error {
	for _, e := range v.engines() {
		if err := do(e); err != nil {
			return err
		}
	}
	return nil
}

// engines are those that are connected.
func (v *target) engines() (all []engine.Engine) {
	for _, e := range []engine.Engine{v.engine, v.outside} {
		if e != nil {
			all = append(all, e)
		}
	}
	return all
}

// connectTargets finds what articles are measured on. Those on this machine share one target, whose engine is connected
// to when there is something to measure. An engine elsewhere and a cluster are connected to, locked and described right
// away: their results are known only then. This machine is locked before a cluster, by every run, to avoid deadlock. If
// another run has one of them, it is waited for.
func connectTargets(ctx context.Context, a *lab.Session, project *article.Project, list []*lab.Article,
	plans map[string]*plan.Plan, this machine.Host, doing string) (all targets, err error) {
	here := &target{host: this}
	all = targets{}
	var names []string
	for _, c := range list {
		all[c.Slug] = here
		if plans[c.Slug].UsesHosts() {
			names = slice.Add(names, plans[c.Slug].HostNames()...)
		}
	}
	address := a.Config.AddressOf(project)
	if len(names) == 0 && address == "" {
		return all, nil
	}
	s := &connection{app: a, machines: map[string]*machine.Machine{}}
	defer func() {
		if err != nil {
			s.closing.close()
		}
	}()
	if address != "" {
		if err := s.lock(ctx, machine.Host{ID: lab.LockIDOf(address)}, doing); err != nil {
			return nil, err
		}
		if err := s.connect(ctx, project, map[string]string{"": address}); err != nil {
			return nil, err
		}
		*here = *s.target([]string{""}, machine.Host{})
		return all, nil
	}
	if err := s.lock(ctx, this, doing); err != nil {
		return nil, err
	}
	if err := s.connect(ctx, project, lab.AddressesOf(project, names)); err != nil {
		return nil, err
	}
	for _, c := range list {
		if p := plans[c.Slug]; p.UsesHosts() {
			all[c.Slug] = s.target(p.HostNames(), this)
		}
	}
	return all, nil
}

// connection is a connection to an engine elsewhere or a cluster, whose machines are locked and described.
type connection struct {
	app      *lab.Session
	engine   engine.Engine
	machines map[string]*machine.Machine // by the names of plan
	closing  closers
}

func (s *connection) lock(ctx context.Context, host machine.Host, doing string) error {
	unlock, err := s.app.Lock(ctx, host, doing)
	if err == nil {
		s.closing = append(s.closing, unlock)
	}
	return err
}

// connect connects to the project's engine, removes what earlier runs left there, and describes the machines, whose
// addresses are given by their names.
func (s *connection) connect(ctx context.Context, project *article.Project, addresses map[string]string) error {
	cache := machine.Cache(s.app.Config.Cache)
	o := lab.OptionsOf(project, project.Cluster)
	o.Prefer = map[string][]string{} // the nodes of the last run
	for name, address := range addresses {
		if host, ok := cache.Host(address); ok && len(host.Nodes) > 0 {
			o.Prefer[name] = host.Nodes
		}
	}
	var err error
	if project.Engine.V.Can(spec.Nodes) {
		s.engine, err = s.app.Config.InCluster(ctx, o)
	} else {
		s.engine, err = s.app.Config.Engine(ctx, project.Engine.V)
	}
	if err != nil {
		return err
	}
	s.closing = append(s.closing, func() { _ = s.engine.Close() }) // what was started there has been removed
	if err := sweep(ctx, s.app, s.engine); err != nil {
		return err
	}
	program, err := s.app.Config.Agent()
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(addresses)) {
		m, err := s.machine(ctx, name, program)
		if err != nil {
			return err
		}
		where := cmp.Or(name, addresses[name])
		s.closing = append(s.closing, func() {
			if err := m.Close(ctx); err != nil {
				fmt.Fprintf(s.app.Stderr, "host %s: %v; benchbook clean removes what is left there\n", where, err)
			}
		})
		s.machines[name] = m
		cache.Write("hosts", addresses[name], m.Host)
		fmt.Fprintf(s.app.Stderr, "host %s: %s, %s\n", where, m.Host.ID, m.Host.Facts["host.cpu"])
	}
	return nil
}

// busyPause is the time between two attempts to use a cluster that another run has.
const busyPause = time.Second

// machine connects to a machine, and waits while another run has the cluster.
func (s *connection) machine(ctx context.Context, name string, program []byte) (*machine.Machine, error) {
	for said := false; ; said = true {
		m, err := machine.Connect(ctx, name, s.engine, name, program)
		busy, isBusy := errors.AsType[*engine.BusyError](err)
		if !isBusy {
			return m, err
		}
		if !said {
			s.app.NoteWaiting(fmt.Errorf("the cluster: %w", busy))
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(busyPause):
		}
	}
}

// target has the named machines. Closing one target ends the connection, and so all of them.
func (s *connection) target(names []string, this machine.Host) *target {
	v := &target{machines: map[string]*machine.Machine{}, engine: s.engine, close: s.closing.close}
	others := map[string]machine.Host{}
	for _, name := range names {
		v.machines[name] = s.machines[name]
		if name != "" {
			others[name] = s.machines[name].Host
		}
	}
	if only := v.machines[""]; only != nil {
		v.host = only.Host
	} else {
		v.host = this.Together(others, slices.Contains(names, ""))
	}
	return v
}
