package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/source"
	"benchbook/runner/engine"
	"benchbook/runner/engine/docker"
	"benchbook/runner/images"
	"benchbook/runner/machines"
)

// unknownHosts stands for the ID of several machines of which one was never met from here: no record has it.
const unknownHosts = "not met yet"

// A target is what an article is measured on: its machines, and the engine over all of them.
type target struct {
	host     machines.Host
	machines map[string]*machines.Machine
	engine   engine.Engine
	close    func()
	present  *images.Present // nil where nothing tells of images and programs
}

// targets are those of articles, by slug.
type targets map[string]*target

func (v targets) hostOf(slug string) machines.Host { return v[slug].host }

// distinct lists them, each once.
func (v targets) distinct() []*target {
	var out []*target
	for _, one := range v {
		if !slices.Contains(out, one) {
			out = append(out, one)
		}
	}
	return out
}

// met reports whether machines of theirs were met. All that they need was taken for that, this machine too.
func (v targets) met() bool {
	return slices.ContainsFunc(v.distinct(), func(one *target) bool { return one.machines != nil })
}

func (v targets) close() {
	for _, one := range v.distinct() {
		if one.close != nil {
			one.close()
		}
	}
}

// endpointOf is how a host of the project is connected to.
func endpointOf(project *article.Project, h article.ProjectHost) docker.Options {
	o := docker.Options{Host: h.Docker.Value, TLS: h.TLS.Value}
	if o.TLS != "" && !filepath.IsAbs(o.TLS) {
		o.TLS = filepath.Join(project.Dir, o.TLS)
	}
	return o
}

// endpointsOf are the endpoints of hosts of the project, by their names.
func endpointsOf(project *article.Project, names []string) map[string]docker.Options {
	out := map[string]docker.Options{}
	for _, h := range project.Hosts {
		if slices.Contains(names, h.Name.Value) && h.Value.Kubernetes == nil {
			out[h.Name.Value] = endpointOf(project, h.Value)
		}
	}
	return out
}

// recordHost is what the results of an article are of: this machine, or those that it runs on as they were when they were last met.
func (a *session) hostOf(project *article.Project, c *chosen, this machines.Host) (machines.Host, error) {
	if len(project.Hosts) == 0 && project.Engine.V != article.Kubernetes {
		return this, nil
	}
	p, err := c.planned, error(nil)
	if p == nil {
		p, err = plan.New(project, c.doc, plan.Options{}, &source.Problems{}) // what is wrong with it is said elsewhere
	}
	if err != nil || !p.UsesHosts() {
		return this, err
	}
	addresses := addressesOf(project, p.Cluster(), p.HostNames())
	if address, ok := addresses[plan.LoadNode]; ok && p.Generators() > 1 {
		addresses[plan.LoadNode] = ofGenerators(address, p.Generators())
	}
	known, ok := this.Known(machines.HostCache(a.wiring.cache), addresses, slices.Contains(p.HostNames(), ""))
	if !ok {
		return machines.Host{ID: unknownHosts}, nil
	}
	return known, nil
}

// addressesOf are by what hosts are remembered from one hostSession to the next, by their names. They are those of a plan in a cluster, as
// plan.Plan.Cluster has it.
func addressesOf(project *article.Project, cluster string, names []string) map[string]string {
	out := map[string]string{}
	if o, ok := clusterOf(project, cluster); ok {
		for _, name := range names {
			labels := o.ServiceNodes
			if name == plan.LoadNode {
				labels = o.LoadNodes
			}
			out[name] = fmt.Sprintf("kubernetes %q %q %s %v", o.Context, o.Namespace, name, labels) // which is in the order of the labels
		}
		return out
	}
	for name, o := range endpointsOf(project, names) {
		out[name] = o.Host
	}
	return out
}

// ofGenerators is by what the nodes are remembered that so many generators are spread over, given the address of one node. How many nodes
// these are is known when they are met.
func ofGenerators(address string, n int) string {
	if n < 2 {
		return address
	}
	return fmt.Sprintf("%s for %d generators", address, n)
}

// clusterOf is how the cluster of a plan is connected to: the host of this name, or the project's own where there is none. It is false of a
// plan that runs in none.
func clusterOf(project *article.Project, name string) (engine.Cluster, bool) {
	if name == "" {
		return optionsOf(project, project.Cluster), project.Engine.V == article.Kubernetes
	}
	for _, h := range project.Hosts {
		if h.Name.Value == name && h.Value.Kubernetes != nil {
			return optionsOf(project, h.Value.Kubernetes), true
		}
	}
	return engine.Cluster{}, false
}

// optionsOf is how a cluster is connected to; nil is the current one of the user.
func optionsOf(project *article.Project, c *article.Cluster) engine.Cluster {
	o := engine.Cluster{Registry: project.Registry.Value}
	if c != nil {
		o.Context, o.Namespace = c.Context.Value, c.Namespace.Value
		o.ServiceNodes, o.LoadNodes = c.Nodes.Services.Map(), c.Nodes.Load.Map()
	}
	return o
}

// connectTargets finds what articles are measured on. Those that run on this machine alone share one target, whose engine is connected to when
// there is something to measure, or with the others. The machines of others are taken right away for what is to be done, and met: which
// results there are is known only then. This machine is taken with them, and first, and its engine in order with theirs, as app.lock does:
// two runs that took the same ones in different orders could wait for each other for ever. A machine that another run has is an error, or
// waited for.
func connectTargets(ctx context.Context, a *session, project *article.Project, list []*chosen, plans map[string]*plan.Plan, this machines.Host,
	doing string, wait bool) (all targets, err error) {
	met := &hostSession{app: a, hosts: map[hostKey]engine.Host{}, addresses: map[hostKey]string{}, clusters: map[string]engine.Engine{},
		generators: map[string][]int{}, machines: map[hostKey]*machines.Machine{}, further: map[string][]*machines.Machine{}}
	defer func() {
		if err != nil {
			met.close()
		}
	}()
	here, byHosts := &target{host: this}, map[string]*target{}
	usesHosts := func(c *chosen) bool { return plans[c.slug].UsesHosts() }
	if slices.ContainsFunc(list, usesHosts) {
		unlock, err := lockThis(ctx, a, this, doing, wait)
		if err != nil {
			return nil, err
		}
		met.closing = append(met.closing, unlock)
		if slices.ContainsFunc(list, func(c *chosen) bool { return !usesHosts(c) }) {
			if here.engine, err = met.connectHere(ctx, project); err != nil {
				return nil, err
			}
		}
	}
	for _, c := range list {
		if p := plans[c.slug]; p.UsesHosts() {
			met.generators[p.Cluster()] = append(met.generators[p.Cluster()], p.Generators())
		}
	}
	for _, c := range list {
		if p := plans[c.slug]; p.UsesHosts() {
			if err := met.connect(ctx, project, p.Cluster(), p.HostNames()); err != nil {
				return nil, fmt.Errorf("article %s: %w", c.slug, err)
			}
		}
	}
	if err := met.lock(ctx, here, doing, wait); err != nil {
		return nil, err
	}
	if err := met.meet(ctx); err != nil {
		return nil, err
	}
	all = targets{}
	for _, c := range list {
		p := plans[c.slug]
		if !p.UsesHosts() {
			all[c.slug] = here
			continue
		}
		key := fmt.Sprintf("%s\n%s\n%d", p.Cluster(), strings.Join(p.HostNames(), "\n"), p.Generators())
		if byHosts[key] == nil {
			if byHosts[key], err = met.target(p.Cluster(), p.HostNames(), p.Generators(), this); err != nil {
				return nil, fmt.Errorf("article %s: %w", c.slug, err)
			}
		}
		all[c.slug] = byHosts[key]
	}
	return all, nil
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

// A hostSession is of all machines that the articles of a run need beside this one: each is connected to, taken and met once.
type hostSession struct {
	app        *session
	hosts      map[hostKey]engine.Host  // this machine, if it is one of several, has the empty name
	addresses  map[hostKey]string       // as addressesOf has them
	clusters   map[string]engine.Engine // by the names in keys
	generators map[string][]int         // the most of a load, of each plan, by cluster
	machines   map[hostKey]*machines.Machine
	further    map[string][]*machines.Machine // nodes of loads beside the first, by cluster
	closing    []func()
}

// close ends what was begun, the last first. It may be called twice.
func (m *hostSession) close() {
	for _, one := range slices.Backward(m.closing) {
		one()
	}
	m.closing = nil
}

// keys are the hosts in the order of their names.
func (m *hostSession) keys() []hostKey {
	return slices.SortedFunc(maps.Keys(m.hosts), func(a, b hostKey) int {
		return cmp.Or(cmp.Compare(a.cluster, b.cluster), cmp.Compare(a.name, b.name))
	})
}

// connect connects to those hosts of a plan that it has not yet. The empty name is this machine.
func (m *hostSession) connect(ctx context.Context, project *article.Project, cluster string, names []string) error {
	missing := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return m.hosts[hostKey{cluster, name}].Engine != nil })
	for name, address := range addressesOf(project, cluster, missing) {
		m.addresses[hostKey{cluster, name}] = address
	}
	if o, ok := clusterOf(project, cluster); ok {
		return m.connectCluster(ctx, cluster, o, missing)
	}
	add := func(name, address string, e engine.Engine) {
		m.hosts[hostKey{"", name}] = engine.Host{Name: name, Address: address, Engine: e}
		m.closing = append(m.closing, func() { _ = e.Close() }) // whatever was started there has been removed
	}
	if slices.Contains(missing, "") {
		e, err := m.app.wiring.engine(ctx, article.Docker)
		if err != nil {
			return err
		}
		add("", "", e)
	}
	endpoints := endpointsOf(project, missing)
	for _, h := range project.Hosts {
		name := h.Name.Value
		o, used := endpoints[name]
		if !used {
			continue
		}
		e, err := m.app.wiring.endpoint(ctx, o)
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
func (m *hostSession) connectHere(ctx context.Context, project *article.Project) (engine.Engine, error) {
	e, err := m.app.wiring.engineOf(ctx, project)
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
		e, err := m.app.wiring.inCluster(ctx, o)
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

// before are the nodes of a cluster that hosts were when they were last met.
func (m *hostSession) before(cluster string, names []string) map[string][]string {
	nodes := map[string][]string{}
	for _, name := range names {
		cache, address := machines.HostCache(m.app.wiring.cache), m.addresses[hostKey{cluster, name}]
		host, ok := cache.Read(address)
		if name == plan.LoadNode {
			if all, met := cache.Read(ofGenerators(address, slices.Max(m.generators[cluster]))); met {
				host, ok = all, true
			}
		}
		if ok && len(host.Nodes) > 0 {
			nodes[name] = host.Nodes
		}
	}
	return nodes
}

// ofCluster says of an error in which of the clusters under hosts it was met, if in one of those.
func ofCluster(cluster string, err error) error {
	if cluster == "" {
		return err
	}
	return fmt.Errorf("host %q: %w", cluster, err)
}

// engines are those of all hosts, each once.
func (m *hostSession) engines() (all []engine.Engine) {
	for _, key := range m.keys() {
		if e := m.hosts[key].Engine; !slices.Contains(all, e) {
			all = append(all, e)
		}
	}
	return all
}

// lock takes all hosts for what is to be done, and with them the engine of articles that run on this machine alone, if there are any.
func (m *hostSession) lock(ctx context.Context, here *target, doing string, wait bool) error {
	var list []engine.Host
	for _, key := range m.keys() {
		h := m.hosts[key]
		h.Name = cmp.Or(key.cluster, h.Name) // which is taken as a whole
		list = append(list, h)
	}
	if here.engine != nil && m.app.wiring.lockEngines {
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

// meet removes what earlier runs left on the hosts, and finds out what they are.
func (m *hostSession) meet(ctx context.Context) error {
	for _, e := range m.engines() {
		if err := sweep(ctx, m.app, e); err != nil {
			return err
		}
	}
	for _, key := range m.keys() {
		if key.name == "" {
			continue
		}
		machine, err := m.meetOne(ctx, key, m.hosts[key].Engine)
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
	cache := machines.HostCache(m.app.wiring.cache)
	for _, key := range m.keys() {
		if key.name == "" {
			continue
		}
		all := []*machines.Machine{m.machines[key]}
		if m.clusters[key.cluster] != nil && key.name == plan.LoadNode {
			all = append(all, m.further[key.cluster]...)
			for _, n := range m.generators[key.cluster] {
				cache.Write(ofGenerators(m.addresses[key], n), m.ofLoad(key.cluster, n).Host)
			}
		}
		cache.Write(m.addresses[key], all[0].Host)
		for _, machine := range all {
			fmt.Fprintf(m.app.stderr, "host %v: %s, %s\n", hostKey{key.cluster, machine.Name}, machine.Host.ID, machine.Host.Facts["host.cpu"])
		}
	}
	return nil
}

// meetOne meets one machine.
func (m *hostSession) meetOne(ctx context.Context, key hostKey, e engine.Engine) (*machines.Machine, error) {
	program, err := m.app.wiring.agent()
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
			fmt.Fprintf(m.app.stderr, "host %q: %v; benchbook clean removes what is left there\n", key.String(), err)
		}
	})
	return machine, nil
}

// spread meets further nodes for the generators of loads in a cluster, until there is one for each generator or no more that can be had. All
// are of the class of the first. Their order is that of their names, whichever was met first: a run and its repeat have the same one.
func (m *hostSession) spread(ctx context.Context, cluster string) error {
	key := hostKey{cluster, plan.LoadNode}
	e, ok := m.clusters[cluster].(engine.Spreading)
	if !ok || m.machines[key] == nil {
		return nil
	}
	first, want := m.machines[key], slices.Max(m.generators[cluster])
	nodes := []*machines.Machine{first}
	for n := 2; len(nodes) < want; n++ {
		machine, err := m.meetOne(ctx, hostKey{cluster, e.Further(key.name, n)}, m.clusters[cluster])
		if errors.Is(err, engine.ErrNoFurther) {
			fmt.Fprintf(m.app.stderr, "host %v: %d generators are on %s, as no further node takes them\n", key, want, count(len(nodes), "node"))
			break
		}
		if err != nil {
			return err
		}
		if machine.Host.ID != first.Host.ID {
			fmt.Fprintf(m.app.stderr, "host %v: node %s is left out: it is %s, %s, and node %s is %s, %s; name nodes of one kind by their labels\n",
				key, machine.Node, machine.Host.ID, machine.Host.Facts["host.cpu"], first.Node, first.Host.ID, first.Host.Facts["host.cpu"])
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

// target puts some of the hosts together, for loads of at most so many generators. Closing one ends the hostSession, and so all of them.
func (m *hostSession) target(cluster string, names []string, generators int, this machines.Host) (*target, error) {
	v := &target{machines: map[string]*machines.Machine{}, close: m.close}
	var list []engine.Host
	var machines []*machines.Machine
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
		machines, v.machines[name] = append(machines, machine), machine
	}
	v.host = this.With(machines, slices.Contains(names, ""))
	if e := m.clusters[cluster]; e != nil {
		v.engine = e
		return v, nil
	}
	together, err := m.app.wiring.together(list...)
	if err != nil {
		return nil, err
	}
	v.engine = together
	return v, nil
}

// addressOf is the IP address at which other hosts reach one of the project: the one it has there, or that of its endpoint. One that only
// this machine reaches has none.
func addressOf(ctx context.Context, h article.ProjectHost) (string, error) {
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

// placed says on which CPUs of a host services and load of an experiment run: all of a host that was never met.
func (s *sheet) placed(e *plan.Experiment, host string) plan.Placement {
	cores := s.of.CoresOf(host)
	if len(cores) == 0 || e.Engine == article.Kubernetes {
		return plan.Placement{Services: "all", Load: "all"}
	}
	return e.Place(host, cores)
}

// placedLoad says on which CPUs the load or the command of a trial runs, likewise.
func (s *sheet) placedLoad(e *plan.Experiment, t *plan.Trial) string {
	cpus, _ := e.PlaceLoad(t, s.of.CoresOf(e.LoadHost(t)))
	return cmp.Or(cpus, "all")
}

// hereLine says what of an experiment that names no hosts runs on which CPUs.
func (s *sheet) hereLine(e *plan.Experiment) string {
	services, load, command := false, "", ""
	for _, t := range e.Trials {
		services = services || len(t.Services) > 0
		switch {
		case t.Load != nil:
			load = "load on CPU " + s.placed(e, "").Load
		case t.Command != nil && t.Command.Service == "":
			command = "command on CPU " + s.placedLoad(e, t)
		}
	}
	var what []string
	if services {
		what = append(what, "services on CPU "+s.placed(e, "").Services)
	}
	for _, words := range []string{load, command} {
		if words != "" {
			what = append(what, words)
		}
	}
	if len(what) == 0 {
		return s.host
	}
	return fmt.Sprintf("%s: %s, where the article names no others", s.host, strings.Join(what, ", "))
}

// hostLine says what of an experiment runs on one of its hosts.
func hostLine(e *plan.Experiment, host string, of machines.Host) string {
	var what []string
	add := func(name string) {
		if !slices.Contains(what, name) {
			what = append(what, name)
		}
	}
	for _, t := range e.Trials {
		for _, s := range t.Services {
			if e.HostOf(s.Name) == host {
				add(s.Name)
			}
		}
		switch {
		case e.LoadHost(t) != host:
		case t.Load != nil:
			add("the load")
		case t.Command != nil:
			add("the command")
		}
	}
	line := inSentence(what)
	if cpu := of.At(host).Facts["host.cpu"]; host != "" && cpu != "" {
		line += "; " + cpu + ", " + of.At(host).Facts["host.cores"]
	}
	return line
}

// examineHosts connects to every host of the project, and says what answers.
func examineHosts(ctx context.Context, a *session, project *article.Project) []finding {
	var out []finding
	for _, h := range project.Hosts {
		if !h.Value.Docker.IsZero() || h.Value.Kubernetes != nil { // check says what is wrong with others
			out = append(out, examineHost(ctx, a, project, h))
		}
	}
	return out
}

// connectHost connects to a host of the project.
func (w wiring) connectHost(ctx context.Context, project *article.Project, h article.ProjectHost) (engine.Engine, error) {
	if h.Kubernetes != nil {
		return w.inCluster(ctx, optionsOf(project, h.Kubernetes))
	}
	return w.endpoint(ctx, endpointOf(project, h))
}

func examineHost(ctx context.Context, a *session, project *article.Project, h article.Named[article.ProjectHost]) finding {
	s := finding{Name: "host " + h.Name.Value, Level: missing}
	e, err := a.wiring.connectHost(ctx, project, h.Value)
	if err != nil {
		s.Words, s.Remedy, _ = strings.Cut(err.Error(), ": ") // as errors of engines have it
		return s
	}
	defer e.Close()
	facts, err := e.Facts(ctx)
	if err != nil {
		s.Words, s.Remedy = err.Error(), "start its engine again"
		return s
	}
	s.Level, s.Words = fine, fmt.Sprintf("%s %s at %s, %s CPUs", e.Name(), facts["engine.version"], h.Value.Docker.Value, facts["engine.cpus"])
	if h.Value.Kubernetes != nil {
		s.Words = fmt.Sprintf("%s %s, namespace %s of context %s", e.Name(), facts["engine.version"], facts["engine.namespace"], facts["engine.context"])
	}
	if clocked, ok := e.(engine.Clocked); ok {
		if ahead, uncertain, err := clocked.Clock(ctx); err == nil {
			s.Words += fmt.Sprintf(", clock ahead by %v ± %v", ahead.Round(100*time.Microsecond), uncertain.Round(100*time.Microsecond))
		}
	}
	return s
}

// cleanCluster sweeps the namespace of a project's cluster, if it has one.
func cleanCluster(ctx context.Context, a *session, dryRun bool) (asked, found int, failed error) {
	project, err := article.OpenProject(a.dir)
	if err != nil || project.Engine.V != article.Kubernetes && project.Cluster == nil || a.wiring.cluster == nil {
		return 0, 0, nil
	}
	found, err = cleanEngine(ctx, a, "", func(ctx context.Context) (engine.Engine, error) {
		return a.wiring.cluster(ctx, optionsOf(project, project.Cluster))
	}, dryRun)
	switch {
	case err == nil:
		asked++
	case errors.Is(err, engine.ErrUnavailable):
		fmt.Fprintf(a.stderr, "not asked: %s\n", errorText(err))
	default:
		failed = failure(err)
	}
	return asked, found, failed
}

// cleanHosts sweeps the hosts of a project, if there is one.
func cleanHosts(ctx context.Context, a *session, dryRun bool) (asked, found int, failed error) {
	project, err := article.OpenProject(a.dir)
	if err != nil {
		return 0, 0, nil // engines can be cleaned from anywhere
	}
	for _, h := range project.Hosts {
		if h.Value.Docker.IsZero() && h.Value.Kubernetes == nil {
			continue
		}
		n, err := cleanEngine(ctx, a, h.Name.Value, func(ctx context.Context) (engine.Engine, error) {
			return a.wiring.connectHost(ctx, project, h.Value)
		}, dryRun)
		found += n
		switch {
		case err == nil:
			asked++
		case errors.Is(err, engine.ErrUnavailable):
			fmt.Fprintf(a.stderr, "not asked: host %q: %s\n", h.Name.Value, errorText(err))
		default:
			failed = a.both(failed, failure(fmt.Errorf("host %q: %w", h.Name.Value, err)))
		}
	}
	return asked, found, failed
}
