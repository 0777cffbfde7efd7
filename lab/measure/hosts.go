package measure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"benchbook/lab"
	"benchbook/lab/terminal"
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
		clusters:   map[string]engine.Engine{},
		generators: map[string][]int{}, machines: map[hostKey]*machines.Machine{}, further: map[string][]*machines.Machine{}}
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
		key := fmt.Sprintf("%s\n%s\n%d", p.Cluster(), strings.Join(p.HostNames(), "\n"), p.Generators())
		if shared[key] == nil {
			if shared[key], err = s.target(p.Cluster(), p.HostNames(), p.Generators(), this); err != nil {
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
		p := plans[c.Slug]
		m.generators[p.Cluster()] = append(m.generators[p.Cluster()], p.Generators())
	}
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
	app        *lab.Session
	hosts      map[hostKey]engine.Host  // this machine, if it is one of several, has the empty name
	addresses  map[hostKey]string       // as lab.AddressesOf has them
	clusters   map[string]engine.Engine // by the names in keys
	generators map[string][]int         // the most of a load, of each plan, by cluster
	machines   map[hostKey]*machines.Machine
	further    map[string][]*machines.Machine // nodes of loads beside the first, by cluster
	closing    closers
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
		if name == plan.LoadNode {
			if all, met := cache.Read(lab.GeneratorsAddress(address, slices.Max(m.generators[cluster]))); met {
				host, ok = all, true
			}
		}
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
	// Where all services and one node of each load are is known now: the others are none of these.
	for _, cluster := range slices.Sorted(maps.Keys(m.clusters)) {
		if err := m.spread(ctx, cluster); err != nil {
			return err
		}
	}
	cache := machines.HostCache(m.app.Config.Cache)
	for _, key := range m.keys() {
		if key.name == "" {
			continue
		}
		all := []*machines.Machine{m.machines[key]}
		if m.clusters[key.cluster] != nil && key.name == plan.LoadNode {
			all = append(all, m.further[key.cluster]...)
			for _, n := range m.generators[key.cluster] {
				cache.Write(lab.GeneratorsAddress(m.addresses[key], n), m.ofLoad(key.cluster, n).Host)
			}
		}
		cache.Write(m.addresses[key], all[0].Host)
		for _, machine := range all {
			fmt.Fprintf(m.app.Stderr, "host %v: %s, %s\n", hostKey{key.cluster, machine.Name}, machine.Host.ID,
				machine.Host.Facts["host.cpu"])
		}
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

// spread identifies further nodes for the generators of loads in a cluster, until there is one for each generator or no
// more that can be had. All are of the class of the first. Their order is that of their names, whichever was met first:
// a run and its repeat have the same one.
func (m *hostSession) spread(ctx context.Context, cluster string) error {
	key := hostKey{cluster, plan.LoadNode}
	e, ok := m.clusters[cluster].(engine.Spreading)
	if !ok || m.machines[key] == nil {
		return nil
	}
	first, want := m.machines[key], slices.Max(m.generators[cluster])
	nodes := []*machines.Machine{first}
	for n := 2; len(nodes) < want; n++ {
		machine, err := m.identifyOne(ctx, hostKey{cluster, e.Further(key.name, n)}, m.clusters[cluster])
		if errors.Is(err, engine.ErrNoFurther) {
			fmt.Fprintf(m.app.Stderr, "host %v: %d generators are on %s, as no further node takes them\n", key, want,
				terminal.Count(len(nodes), "node"))
			break
		}
		if err != nil {
			return err
		}
		if machine.Host.ID != first.Host.ID {
			fmt.Fprintf(m.app.Stderr, "host %v: node %s is left out: it is %s, %s, and node %s is %s, %s; name nodes of one "+
				"kind by their labels\n", key, machine.Node, machine.Host.ID, machine.Host.Facts["host.cpu"], first.Node,
				first.Host.ID, first.Host.Facts["host.cpu"])
			if err := machine.Close(ctx); err != nil {
				return err
			}
			continue
		}
		nodes = append(nodes, machine)
	}
	slices.SortStableFunc(nodes, func(a, b *machines.Machine) int { return cmp.Compare(a.Node, b.Node) })
	var names []string
	for i, machine := range nodes {
		machine.Name = e.Further(key.name, i+1)
		names = append(names, machine.Node)
	}
	if want > 1 {
		e.Spread(key.name, names)
	}
	m.machines[key], m.further[cluster] = nodes[0], nodes[1:]
	return nil
}

// ofLoad is what puts the loads of a plan on in a cluster: as many nodes as there are for that many generators.
func (m *hostSession) ofLoad(cluster string, generators int) *machines.Machine {
	further := m.further[cluster]
	return m.machines[hostKey{cluster, plan.LoadNode}].Beside(further[:min(len(further), generators-1)])
}

// target puts some of the hosts together, for loads of at most so many generators. Closing one ends the hostSession,
// and so all of them.
func (m *hostSession) target(cluster string, names []string, generators int, this sysinfo.Host) (*target, error) {
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
		if m.clusters[cluster] != nil && name == plan.LoadNode {
			machine = m.ofLoad(cluster, generators)
		}
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
