package measure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"benchbook/lab"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/images"
	"benchbook/runner/machine"
)

// A target is the machines that an article is measured on, and the engine that spans them.
type target struct {
	host     machine.Host
	machines map[string]*machine.Machine // machines elsewhere, by their names in plans; nil for this machine
	engine   engine.Engine               // nil until something needs it
	outside  engine.Engine               // puts load on servers that run already; nil unless something needs it
	close    func()
	present  *images.Present // the images and programs of the engine; nil if unknown
}

// targets are the targets of articles, by slug.
type targets map[string]*target

// distinct returns each target once.
func (v targets) distinct() (out []*target) {
	for _, one := range v {
		if !slices.Contains(out, one) {
			out = append(out, one)
		}
	}
	return out
}

// Close closes each target once.
func (v targets) Close() {
	for _, one := range v.distinct() {
		if one.close != nil {
			one.close()
		}
		if one.outside != nil {
			_ = one.outside.Close() // everything that was started has been removed
		}
	}
}

// lock locks this machine, unless all machines are elsewhere and locked already.
func (v targets) lock(ctx context.Context, a *lab.Session, this machine.Host, doing string) (unlock func(), err error) {
	if slices.ContainsFunc(v.distinct(), func(one *target) bool { return one.machines != nil }) {
		return func() {}, nil
	}
	if unlock, err = a.Lock(ctx, this, doing); err != nil {
		return nil, lab.Interrupted(ctx, err)
	}
	return unlock, nil
}

// sweep removes what earlier runs left in all engines: nothing can be measured beside it.
func (v targets) sweep(ctx context.Context, a *lab.Session) error {
	for _, one := range v.distinct() {
		for _, e := range one.engines() {
			if err := sweep(ctx, a, e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v *target) engines() []engine.Engine {
	return slices.DeleteFunc([]engine.Engine{v.engine, v.outside}, func(e engine.Engine) bool { return e == nil })
}

// connected returns the engine of a target, and connects to the engine of the project if it has none.
func (v *target) connected(ctx context.Context, a *lab.Session, project *article.Project) (engine.Engine, error) {
	if v.engine == nil {
		e, err := a.Config.EngineOf(ctx, project)
		if err != nil {
			return nil, err
		}
		v.engine, v.close = e, func() { _ = e.Close() } // everything that was started has been removed
	}
	return v.engine, nil
}

// connect connects a target to the engines that a plan needs. A load on servers that run already needs no engine that
// starts services.
func (v *target) connect(ctx context.Context, a *lab.Session, project *article.Project, p *plan.Plan) (err error) {
	for _, e := range p.Experiments {
		switch {
		case e.Skipped != "":
		case !e.Outside || project.Engine.V == e.Engine:
			_, err = v.connected(ctx, a, project)
		case v.outside == nil:
			v.outside, err = a.Config.Engine(ctx, e.Engine)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (v targets) printEngines(w io.Writer) {
	for _, one := range v.distinct() {
		for _, e := range one.engines() {
			fmt.Fprintf(w, "engine %s\n", e.Name())
		}
	}
}

// connectTargets returns the targets of articles. Articles on this machine share a target, whose engine is connected
// later, if there is something to measure. An engine elsewhere or a cluster is connected, locked and described at once,
// as only then its results are known. If another run uses it, this one waits. Every run locks this machine before a
// cluster, so waiting cannot deadlock.
func connectTargets(ctx context.Context, a *lab.Session, project *article.Project, list []*lab.Article,
	plans map[string]*plan.Plan, this machine.Host, doing string) (all targets, err error) {
	here := &target{host: this}
	all = targets{}
	names := map[string]bool{}
	for _, c := range list {
		all[c.Slug] = here
		if plans[c.Slug].UsesHosts() {
			for _, name := range plans[c.Slug].HostNames() {
				names[name] = true
			}
		}
	}
	address := a.Config.AddressOf(project)
	if len(names) == 0 && address == "" {
		return all, nil
	}
	locked, addresses := this, lab.AddressesOf(project, slices.Sorted(maps.Keys(names)))
	if address != "" {
		locked, addresses = machine.Host{ID: lab.LockIDOf(address)}, map[string]string{"": address}
	}
	s := &connection{app: a, machines: map[string]*machine.Machine{}}
	unlock, err := a.Lock(ctx, locked, doing)
	if err != nil {
		return nil, err
	}
	s.closing = append(s.closing, unlock)
	if err := s.connect(ctx, project, addresses); err != nil {
		s.closing.close()
		return nil, err
	}
	if address != "" {
		*here = *s.target([]string{""}, machine.Host{})
		return all, nil
	}
	for _, c := range list {
		if p := plans[c.Slug]; p.UsesHosts() {
			all[c.Slug] = s.target(p.HostNames(), this)
		}
	}
	return all, nil
}

// connection is a connection to an engine elsewhere or a cluster, whose machines are described.
type connection struct {
	app      *lab.Session
	engine   engine.Engine
	machines map[string]*machine.Machine // by their names in plans
	closing  closers
}

// connect connects to the project's engine, removes what earlier runs left there, and describes the machines at the
// given addresses by name.
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
	s.closing = append(s.closing, func() { _ = s.engine.Close() }) // everything that was started there has been removed
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

// busyPause is the time between two attempts to use a cluster that another run uses.
const busyPause = time.Second

// machine connects to a machine, and waits while another run uses the cluster.
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

// target returns a target of the named machines. Closing any target of a connection closes the connection.
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

// takeFingerprints adds the speed of each machine to the facts of the host, in a second for each.
func (v *target) takeFingerprints(ctx context.Context) error {
	machines := v.machines
	if machines == nil {
		machines = map[string]*machine.Machine{"": {}}
	}
	v.host.Facts = maps.Clone(v.host.Facts)
	for name, m := range machines {
		speed, err := m.Fingerprint(ctx)
		if err != nil {
			return lab.Interrupted(ctx, err)
		}
		speed.AddTo(v.host.Facts, name)
	}
	return nil
}
