package measure

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/notebook/plan"
	"benchbook/runner"
	"benchbook/runner/engine"
	"benchbook/runner/images"
	"benchbook/runner/load"
	"benchbook/runner/machine"
)

// A site holds the machines that a job measures on, and their engines.
type site struct {
	this     machine.Host
	hosts    map[string]machine.Host     // host of each article, by slug
	machines map[string]*machine.Machine // remote machines, by name in plans; nil if all runs on this machine
	engine   engine.Engine               // nil until needed
	outside  engine.Engine               // engine for load on running servers; nil until needed
	prefer   map[string][]string         // nodes that the last run used, by machine name
	present  *images.Present             // images and programs of the engine; nil if unknown
}

func (s *site) engines() []engine.Engine {
	return slices.DeleteFunc([]engine.Engine{s.engine, s.outside}, func(e engine.Engine) bool { return e == nil })
}

// findHosts asks for consent and sets the host of each article. It connects to remote machines; without an engine, it
// takes them as of the last connection.
func (j *job) findHosts(ctx context.Context) (err error) {
	if j.this, err = j.Here(); err != nil {
		return err
	}
	j.hosts = map[string]machine.Host{}
	if j.flags.Engine == EngineNone {
		for _, c := range j.list {
			if j.hosts[c.Slug], err = j.HostOf(j.project, c); err != nil {
				return lab.Failure(err)
			}
		}
		return nil
	}
	// Ask before connecting to a cluster or reading secrets.
	if err := consent(j.Session, j.project, j.list, j.flags); err != nil {
		return err
	}
	j.closing = append(j.closing, j.AwaitOnInterrupt(ctx))
	if err := j.connectMachines(ctx); err != nil {
		return lab.Interrupted(ctx, err)
	}
	if j.machines == nil {
		j.present = &images.Present{Agent: j.Config.Agent, Connect: j.connected}
	}
	return nil
}

// connectMachines connects to the machine of a remote engine, or to nodes of a cluster, and sets the hosts of articles.
// It waits while another run uses them. Every run locks this machine before a cluster, so waiting cannot deadlock.
func (j *job) connectMachines(ctx context.Context) error {
	var nodes []string
	for _, c := range j.list {
		j.hosts[c.Slug] = j.this
		if c.Planned.UsesHosts() {
			nodes = slice.Add(nodes, c.Planned.HostNames()...)
		}
	}
	locked, addresses := j.this, lab.AddressesOf(j.project, nodes)
	if address := j.Config.AddressOf(j.project); address != "" {
		locked = machine.Host{ID: fmt.Sprintf("at-%x", sha256.Sum256([]byte(address)))[:12]}
		addresses = map[string]string{"": address}
	}
	if len(addresses) == 0 {
		return nil
	}
	if err := j.lockMachine(ctx, locked); err != nil {
		return err
	}
	cache := machine.Cache(j.Config.Cache)
	if err := j.connectElsewhere(ctx, cache, addresses); err != nil {
		return err
	}
	j.machines = map[string]*machine.Machine{}
	for _, name := range slices.Sorted(maps.Keys(addresses)) {
		m, err := j.connectMachine(ctx, name)
		if err != nil {
			return err
		}
		where := cmp.Or(name, addresses[name])
		j.closing = append(j.closing, func() {
			if err := m.Close(ctx); err != nil {
				fmt.Fprintf(j.Stderr, "host %s: %v; benchbook clean removes what is left there\n", where, err)
			}
		})
		j.machines[name] = m
		cache.Write("hosts", addresses[name], m.Host)
		if !j.flags.Quiet {
			fmt.Fprintf(j.Stderr, "host %s: %s, %s\n", where, m.Host.ID, m.Host.Facts["host.cpu"])
		}
	}
	for _, c := range j.list {
		if only := j.machines[""]; only != nil {
			j.hosts[c.Slug] = only.Host
		} else if c.Planned.UsesHosts() {
			others := map[string]machine.Host{}
			for _, name := range c.Planned.HostNames() {
				others[name] = j.machines[name].Host
			}
			j.hosts[c.Slug] = j.this.Together(others)
		}
	}
	return nil
}

// connectElsewhere connects to a remote engine, preferring the nodes of the last run, and removes leftovers of earlier
// runs there.
func (j *job) connectElsewhere(ctx context.Context, cache machine.Cache, addresses map[string]string) error {
	j.prefer = map[string][]string{}
	for name, address := range addresses {
		if host, ok := cache.Host(address); ok && len(host.Nodes) > 0 {
			j.prefer[name] = host.Nodes
		}
	}
	e, err := j.connected(ctx)
	if err != nil {
		return err
	}
	return sweep(ctx, j.Session, e)
}

// busyPause is the time between attempts to use a busy cluster.
const busyPause = time.Second

// connectMachine connects to a remote machine. It waits while another run uses the cluster.
func (j *job) connectMachine(ctx context.Context, name string) (*machine.Machine, error) {
	program, err := j.Config.Agent()
	if err != nil {
		return nil, err
	}
	for said := false; ; said = true {
		m, err := machine.Connect(ctx, name, j.engine, name, program)
		busy, isBusy := errors.AsType[*engine.BusyError](err)
		if !isBusy {
			return m, err
		}
		if !said {
			j.NoteWaiting(fmt.Errorf("the cluster: %w", busy))
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(busyPause):
		}
	}
}

// connected returns the engine of the project, and connects to it on the first call. The job closes it after everything
// that was started in it.
func (j *job) connected(ctx context.Context) (engine.Engine, error) {
	if j.engine == nil {
		e, err := j.Config.EngineOf(ctx, j.project, j.prefer)
		if err != nil {
			return nil, err
		}
		j.engine = e
		j.closing = append(j.closing, func() { _ = e.Close() })
	}
	return j.engine, nil
}

// connect connects to the engine that an experiment needs. An experiment with load on running servers does not need the
// engine that starts services.
func (j *job) connect(ctx context.Context, e *plan.Experiment) (err error) {
	switch {
	case e.Skipped != "":
	case !e.Outside || j.project.EngineName() == e.Engine:
		_, err = j.connected(ctx)
	case j.outside == nil:
		if j.outside, err = j.Config.Engine(ctx, e.Engine); err == nil {
			j.closing = append(j.closing, func() { _ = j.outside.Close() })
		}
	}
	return err
}

// lock connects to the engines that articles need, and locks this machine unless remote machines are locked instead.
func (j *job) lock(ctx context.Context, list []*lab.Article) error {
	for _, c := range list {
		for _, e := range c.Planned.Experiments {
			if err := j.connect(ctx, e); err != nil {
				return lab.Interrupted(ctx, err)
			}
		}
	}
	if !j.flags.Quiet {
		for _, e := range j.engines() {
			fmt.Fprintf(j.Stderr, "engine %s\n", e.Name())
		}
	}
	if j.machines != nil {
		return nil
	}
	if err := j.lockMachine(ctx, j.this); err != nil {
		return lab.Interrupted(ctx, err)
	}
	return nil
}

// lockMachine locks a machine until the job closes. Waiting runs print what this one measures.
func (j *job) lockMachine(ctx context.Context, h machine.Host) error {
	articles := phrase.List(lab.SlugsOf(j.list))
	if len(j.list) > 3 {
		articles = phrase.Count(len(j.list), "article")
	}
	unlock, err := j.Lock(ctx, h, fmt.Sprintf("measuring %s in profile %s", articles, j.flags.Profile))
	if err == nil {
		j.closing = append(j.closing, unlock)
	}
	return err
}

// takeFingerprints measures the speed of each machine, for a second each, and adds it to the facts of the hosts.
func (j *job) takeFingerprints(ctx context.Context) error {
	machines := j.machines
	if machines == nil {
		machines = map[string]*machine.Machine{"": {}}
	}
	for name, m := range machines {
		speed, err := m.Fingerprint(ctx)
		if err != nil {
			return lab.Interrupted(ctx, err)
		}
		for _, c := range j.list {
			if name == "" || slices.Contains(c.Planned.HostNames(), name) {
				h := j.hosts[c.Slug]
				h.Facts = maps.Clone(h.Facts)
				speed.AddTo(h.Facts, name)
				j.hosts[c.Slug] = h
			}
		}
	}
	return nil
}

// newRunner removes leftovers of earlier runs, which would disturb measurements, and returns a runner.
func (j *job) newRunner(ctx context.Context, p runner.Progress) (*runner.Runner, error) {
	for _, e := range j.engines() {
		if err := sweep(ctx, j.Session, e); err != nil {
			return nil, err
		}
	}
	agent := j.Config.Agent
	on := func(e engine.Engine) *runner.Runner {
		return &runner.Runner{Engine: e, Machines: j.machines, Progress: p, Agent: agent, Requests: &load.Requests{Agent: agent},
			Commands: &load.Commands{Agent: agent}, Tools: load.Tools(agent), Programs: &load.Programs{Agent: agent},
			Settler: j.Config.Settler, Cache: j.Config.Cache, Over: j.flags.Over}
	}
	r := on(j.engine)
	if j.outside != nil {
		r.Outside = on(j.outside)
		if j.machines[""] != nil { // these machines belong to the engine of services
			r.Outside.Machines = nil
		}
	}
	return r, nil
}

// runnerFor returns the runner, set to the host of an article.
func (j *job) runnerFor(c *lab.Article) *runner.Runner {
	j.runner.Host = j.hosts[c.Slug]
	if j.runner.Outside != nil {
		j.runner.Outside.Host = j.runner.Host
	}
	return j.runner
}

// sweep removes leftovers of earlier runs from an engine, and prints them.
func sweep(ctx context.Context, a *lab.Session, e engine.Engine) error {
	left, err := e.Sweep(ctx, false)
	if err != nil {
		return lab.Interrupted(ctx, fmt.Errorf("removing what earlier runs left behind: %w", err))
	}
	stuck := lab.StuckLeftovers(left)
	left = slices.DeleteFunc(left, func(l engine.Leftover) bool { return l.Problem != "" })
	if len(left) > 0 {
		fmt.Fprintf(a.Stderr, "removed %s of an earlier run that was killed or used --keep\n", lab.Leftovers(left))
	}
	if stuck != nil {
		fmt.Fprintf(a.Stderr, "warning: %v; this run is not affected\n", stuck)
	}
	return nil
}
