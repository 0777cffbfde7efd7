package measure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/runner/engine"
	"benchbook/runner/images"
	"benchbook/runner/machine"
)

// A target is what an article is measured on: its machines, and the engine over all of them.
type target struct {
	host     machine.Host
	machines map[string]*machine.Machine
	engine   engine.Engine // nil as long as nothing needs it
	outside  engine.Engine // puts load on what runs already; nil unless something needs it
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
// to when there is something to measure. A cluster is connected to, locked and identified right away: its results are
// known only then. This machine is locked before the cluster, by every run, to avoid deadlock. One that another run has
// is an error, or waited for.
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
	if len(names) == 0 {
		return all, nil
	}
	s := &clusterSession{app: a, machines: map[string]*machine.Machine{}}
	defer func() {
		if err != nil {
			s.closing.close()
		}
	}()
	unlock, err := lockThis(ctx, a, this, doing)
	if err != nil {
		return nil, err
	}
	s.closing = append(s.closing, unlock)
	if err := s.connect(ctx, project, names); err != nil {
		return nil, err
	}
	for _, c := range list {
		if p := plans[c.Slug]; p.UsesHosts() {
			all[c.Slug] = s.target(p.HostNames(), this)
		}
	}
	return all, nil
}

// clusterSession is a connection to a cluster whose nodes are locked and identified.
type clusterSession struct {
	app      *lab.Session
	engine   engine.Engine
	machines map[string]*machine.Machine // by the names of plan
	closing  closers
}

// connect connects to the project's cluster, removes what earlier runs left there, and finds out what the
// named nodes are.
func (s *clusterSession) connect(ctx context.Context, project *article.Project, names []string) error {
	cache, addresses := machine.Cache(s.app.Config.Cache), lab.AddressesOf(project, names)
	o := lab.OptionsOf(project, project.Cluster)
	o.Prefer = map[string][]string{} // the nodes of the last run
	for _, name := range names {
		if host, ok := cache.Host(addresses[name]); ok && len(host.Nodes) > 0 {
			o.Prefer[name] = host.Nodes
		}
	}
	e, err := s.app.Config.InCluster(ctx, o)
	if err != nil {
		return err
	}
	s.engine = e
	s.closing = append(s.closing, func() { _ = e.Close() }) // whatever was started there has been removed
	if err := sweep(ctx, s.app, e); err != nil {
		return err
	}
	program, err := s.app.Config.Agent()
	if err != nil {
		return err
	}
	for _, name := range names {
		m, err := s.meet(ctx, name, program)
		if err != nil {
			return err
		}
		s.closing = append(s.closing, func() {
			if err := m.Close(ctx); err != nil {
				fmt.Fprintf(s.app.Stderr, "host %q: %v; benchbook clean removes what is left there\n", name, err)
			}
		})
		s.machines[name] = m
		cache.Write("hosts", addresses[name], m.Host)
		fmt.Fprintf(s.app.Stderr, "host %v: %s, %s\n", name, m.Host.ID, m.Host.Facts["host.cpu"])
	}
	return nil
}

// busyPause is how often a cluster that another run has is tried again.
const busyPause = time.Second

// meet connects to a node, when no other run has the cluster.
func (s *clusterSession) meet(ctx context.Context, name string, program []byte) (*machine.Machine, error) {
	for isFirst := true; ; isFirst = false {
		m, err := machine.Connect(ctx, name, s.engine, name, program)
		busy, isBusy := errors.AsType[*engine.BusyError](err)
		if !isBusy {
			return m, err
		}
		if isFirst {
			s.app.NoteWaiting(fmt.Errorf("the cluster: %w", busy))
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(busyPause):
		}
	}
}

// target has the named nodes. Closing one ends the session, and so all of them.
func (s *clusterSession) target(names []string, this machine.Host) *target {
	v := &target{machines: map[string]*machine.Machine{}, engine: s.engine, close: s.closing.close}
	var taken []*machine.Machine
	for _, name := range names {
		v.machines[name] = s.machines[name]
		taken = append(taken, s.machines[name])
	}
	v.host = machine.Together(this, taken, slices.Contains(names, ""))
	return v
}
