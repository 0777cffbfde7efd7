package measure

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"benchbook/lab"
	"benchbook/notebook/plan"
	"benchbook/notebook/projects"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/images"
	"benchbook/runner/machines"
	"benchbook/runner/sysinfo"
	"benchbook/slice"
)

// A target is what an article is measured on: its machines, and the engine over all of them.
type target struct {
	host     sysinfo.Host
	machines map[string]*machines.Machine
	engine   engine.Engine // nil as long as nothing needs it
	outside  engine.Engine // puts load on what runs already; nil unless something needs it
	close    func()
	present  *images.Present // nil where nothing tells of images and programs
}

// targets are those of articles, by slug.
type targets map[string]*target

func (v targets) HostOf(slug string) sysinfo.Host { return v[slug].host }

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

// connectTargets finds what articles are measured on. Those that run on this machine alone share one target, whose
// engine is connected to when there is something to measure, or with the others. The machines of others are locked
// right away and identified: which results there are is known only then. Locks are taken in one global order to avoid
// deadlock: this machine, then engines by their identity. A machine that another run has is an error, or waited for.
func connectTargets(ctx context.Context, a *lab.Session, project *projects.Project, list []*lab.Article,
	plans map[string]*plan.Plan, this sysinfo.Host, doing string, wait bool) (all targets, err error) {
	s := &hostSession{app: a, hosts: map[hostKey]engine.Host{}, addresses: map[hostKey]string{},
		clusters: map[string]engine.Engine{},
		machines: map[hostKey]*machines.Machine{}}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	here := &target{host: this}
	elsewhere := slices.DeleteFunc(slices.Clone(list), func(c *lab.Article) bool { return !plans[c.Slug].UsesHosts() })
	if len(elsewhere) > 0 {
		unlock, err := lockThis(ctx, a, this, doing, wait)
		if err != nil {
			return nil, err
		}
		s.closing = append(s.closing, unlock)
		if len(elsewhere) < len(list) {
			if here.engine, err = s.connectHere(ctx, project); err != nil {
				return nil, err
			}
		}
	}
	if err := s.connectAll(ctx, project, elsewhere, plans); err != nil {
		return nil, err
	}
	if err := s.lock(ctx, here, doing, wait); err != nil {
		return nil, err
	}
	if err := s.identify(ctx); err != nil {
		return nil, err
	}
	all = targets{}
	for _, c := range list {
		all[c.Slug] = here
	}
	shared := map[string]*target{}
	for _, c := range elsewhere {
		p := plans[c.Slug]
		key := p.Cluster() + "\n" + strings.Join(p.HostNames(), "\n")
		if shared[key] == nil {
			if shared[key], err = s.target(p.Cluster(), p.HostNames(), this); err != nil {
				return nil, fmt.Errorf("article %s: %w", c.Slug, err)
			}
		}
		all[c.Slug] = shared[key]
	}
	return all, nil
}

// connectAll connects to the hosts of all articles that run on some.
func (m *hostSession) connectAll(ctx context.Context, project *projects.Project, list []*lab.Article,
	plans map[string]*plan.Plan) error {
	for _, c := range list {
		if err := m.connect(ctx, project, plans[c.Slug].Cluster(), plans[c.Slug].HostNames()); err != nil {
			return fmt.Errorf("article %s: %w", c.Slug, err)
		}
	}
	return nil
}

// A hostKey tells hosts apart: nodes have the same names in every cluster, which plan.Plan.Cluster names.
type hostKey struct{ cluster, name string }

// String names it for people.
func (k hostKey) String() string {
	if k.cluster == "" {
		return k.name
	}
	return k.name + " of " + k.cluster
}

// A hostSession has all machines that the articles of a run need beside this one: each is connected to, locked and
// identified once.
type hostSession struct {
	app       *lab.Session
	hosts     map[hostKey]engine.Host  // this machine, if it is one of several, has the empty name
	addresses map[hostKey]string       // as lab.AddressesOf has them
	clusters  map[string]engine.Engine // by the names in keys
	machines  map[hostKey]*machines.Machine
	closing   closers
}

// Close ends what was begun. It may be called twice.
func (m *hostSession) Close() { m.closing.close() }

// keys are the hosts in the order of their names.
func (m *hostSession) keys() []hostKey {
	return slices.SortedFunc(maps.Keys(m.hosts), func(a, b hostKey) int {
		return cmp.Or(cmp.Compare(a.cluster, b.cluster), cmp.Compare(a.name, b.name))
	})
}

// connect connects to those hosts of a plan that it has not yet. The empty name is this machine.
func (m *hostSession) connect(ctx context.Context, project *projects.Project, cluster string, names []string) error {
	missing := slices.DeleteFunc(slices.Clone(names),
		func(name string) bool { return m.hosts[hostKey{cluster, name}].Engine != nil })
	for name, address := range lab.AddressesOf(project, cluster, missing) {
		m.addresses[hostKey{cluster, name}] = address
	}
	if o, ok := lab.ClusterOf(project, cluster); ok {
		return m.connectCluster(ctx, cluster, o, missing)
	}
	add := func(name, address string, e engine.Engine) {
		m.hosts[hostKey{"", name}] = engine.Host{Name: name, Address: address, Engine: e}
		m.closing = append(m.closing, func() { _ = e.Close() }) // whatever was started there has been removed
	}
	if slices.Contains(missing, "") {
		e, err := m.app.Config.Engine(ctx, spec.DefaultEngine)
		if err != nil {
			return err
		}
		add("", "", e)
	}
	endpoints := lab.EndpointsOf(project, missing)
	for _, h := range project.Hosts {
		name := h.Name.Value
		o, used := endpoints[name]
		if !used {
			continue
		}
		e, err := m.app.Config.Endpoint(ctx, o)
		if err != nil {
			return fmt.Errorf("host %q: %w", name, err)
		}
		address, err := addressOf(ctx, h.Value)
		if err != nil {
			_ = e.Close() // nothing was started there
			return fmt.Errorf("host %q: %w", name, err)
		}
		add(name, address, e)
	}
	return nil
}

// connectHere connects to the engine of those articles of the project that run on this machine alone.
func (m *hostSession) connectHere(ctx context.Context, project *projects.Project) (engine.Engine, error) {
	e, err := m.app.Config.EngineOf(ctx, project)
	if err != nil {
		return nil, err
	}
	m.closing = append(m.closing, func() { _ = e.Close() }) // whatever was started there has been removed
	return e, nil
}

// connectCluster connects to a cluster, which hosts are nodes of.
func (m *hostSession) connectCluster(ctx context.Context, cluster string, o engine.Cluster, names []string) error {
	if m.clusters[cluster] == nil {
		o.Prefer = m.before(cluster, names)
		e, err := m.app.Config.InCluster(ctx, o)
		if err != nil {
			return ofCluster(cluster, err)
		}
		m.clusters[cluster] = e
		m.closing = append(m.closing, func() { _ = e.Close() }) // whatever was started there has been removed
	}
	for _, name := range names {
		m.hosts[hostKey{cluster, name}] = engine.Host{Name: name, Engine: m.clusters[cluster]}
	}
	return nil
}

// before are the nodes of a cluster that hosts were in the last session.
func (m *hostSession) before(cluster string, names []string) map[string][]string {
	nodes := map[string][]string{}
	for _, name := range names {
		cache, address := machines.HostCache(m.app.Config.Cache), m.addresses[hostKey{cluster, name}]
		host, ok := cache.Read(address)
		if ok && len(host.Nodes) > 0 {
			nodes[name] = host.Nodes
		}
	}
	return nodes
}

// ofCluster says of an error in which of the clusters under hosts it happened, if in one of those.
func ofCluster(cluster string, err error) error {
	if cluster == "" {
		return err
	}
	return fmt.Errorf("host %q: %w", cluster, err)
}

// engines are those of all hosts, each once.
func (m *hostSession) engines() (all []engine.Engine) {
	for _, key := range m.keys() {
		all = slice.Add(all, m.hosts[key].Engine)
	}
	return all
}

// lock takes all hosts for what is to be done, and with them the engine of articles that run on this machine alone, if
// there are any.
func (m *hostSession) lock(ctx context.Context, here *target, doing string, wait bool) error {
	var list []engine.Host
	for _, key := range m.keys() {
		h := m.hosts[key]
		h.Name = cmp.Or(key.cluster, h.Name) // which is taken as a whole
		list = append(list, h)
	}
	if here.engine != nil && m.app.Config.LockEngines {
		e, done, err := lockedEngine(ctx, m.app, here.engine)
		if err != nil {
			return err
		}
		m.closing = append(m.closing, done)
		list = append(list, engine.Host{Engine: e})
	}
	unlock, err := lockHosts(ctx, m.app, list, doing, wait)
	if err != nil {
		return err
	}
	m.closing = append(m.closing, unlock)
	return nil
}

// identify removes what earlier runs left on the hosts, and finds out what they are.
func (m *hostSession) identify(ctx context.Context) error {
	for _, e := range m.engines() {
		if err := sweep(ctx, m.app, e); err != nil {
			return err
		}
	}
	for _, key := range m.keys() {
		if key.name == "" {
			continue
		}
		machine, err := m.identifyOne(ctx, key, m.hosts[key].Engine)
		if err != nil {
			return err
		}
		m.machines[key] = machine
	}
	cache := machines.HostCache(m.app.Config.Cache)
	for _, key := range m.keys() {
		if key.name == "" {
			continue
		}
		host := m.machines[key].Host
		cache.Write(m.addresses[key], host)
		fmt.Fprintf(m.app.Stderr, "host %v: %s, %s\n", key, host.ID, host.Facts["host.cpu"])
	}
	return nil
}

// identifyOne finds out what a machine is.
func (m *hostSession) identifyOne(ctx context.Context, key hostKey, e engine.Engine) (*machines.Machine, error) {
	program, err := m.app.Config.Agent()
	if err != nil {
		return nil, err
	}
	var at engine.Location
	if m.clusters[key.cluster] != nil {
		at.Host = key.name
	}
	machine, err := machines.Connect(ctx, key.name, e, at, program)
	if err != nil {
		return nil, ofCluster(key.cluster, err)
	}
	m.closing = append(m.closing, func() {
		if err := machine.Close(ctx); err != nil {
			fmt.Fprintf(m.app.Stderr, "host %q: %v; benchbook clean removes what is left there\n", key.String(), err)
		}
	})
	return machine, nil
}

// target puts some of the hosts together. Closing one ends the hostSession, and so all of them.
func (m *hostSession) target(cluster string, names []string, this sysinfo.Host) (*target, error) {
	v := &target{machines: map[string]*machines.Machine{}, close: m.Close}
	var list []engine.Host
	var taken []*machines.Machine
	for _, name := range names {
		key := hostKey{cluster, name}
		list = append(list, m.hosts[key])
		if name == "" {
			continue
		}
		machine := m.machines[key]
		taken, v.machines[name] = append(taken, machine), machine
	}
	v.host = machines.Together(this, taken, slices.Contains(names, ""))
	if e := m.clusters[cluster]; e != nil {
		v.engine = e
		return v, nil
	}
	together, err := m.app.Config.Together(list...)
	if err != nil {
		return nil, err
	}
	v.engine = together
	return v, nil
}

// addressOf is the IP address at which other hosts reach one of the project: the one it has there, or that of its
// endpoint. One that only this machine reaches has none.
func addressOf(ctx context.Context, h projects.ProjectHost) (string, error) {
	name := h.Address.Value
	if name == "" {
		u, err := url.Parse(h.Docker.Value)
		if err != nil {
			return "", err
		}
		if name = u.Hostname(); name == "" || name == "localhost" || strings.HasPrefix(name, "127.") {
			return "", nil
		}
	}
	return engine.ResolveHost(ctx, name)
}
