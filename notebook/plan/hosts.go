package plan

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/parts"
	"benchbook/notebook/placing"
	"benchbook/notebook/projects"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// HostOf is the host that a service runs on; empty for this machine.
func (e *Experiment) HostOf(service string) string { return e.Hosts[service] }

// LoadHost is the host that the load or command of a trial runs on; empty for this machine.
func (e *Experiment) LoadHost(t *Trial) string {
	if t.Command != nil && t.Command.Service != "" {
		return e.HostOf(t.Command.Service)
	}
	return e.Hosts[parts.LoadName]
}

// HostNames are the hosts that the experiment uses, sorted; this machine is the empty name.
func (e *Experiment) HostNames() []string {
	var names []string
	for _, t := range e.Trials {
		if t.Unavailable != "" {
			continue
		}
		names = append(names, e.LoadHost(t))
		for _, s := range t.Services {
			names = append(names, e.HostOf(s.Name))
		}
	}
	return sortedSet(names)
}

func sortedSet(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// UsesHosts says that some experiment of the plan runs on more than this machine.
func (p *Plan) UsesHosts() bool {
	return slices.ContainsFunc(p.All, func(e *Experiment) bool { return len(e.Hosts) > 0 })
}

// HostNames are the hosts of all experiments of the article, sorted; this machine is the empty name. Experiments that a
// run leaves out count: their results stand on the same page.
func (p *Plan) HostNames() []string {
	var names []string
	for _, e := range p.All {
		names = append(names, e.HostNames()...)
	}
	return sortedSet(names)
}

// Cluster is the host whose cluster the article is measured in; empty for the project's own cluster, and for machines.
func (p *Plan) Cluster() string {
	name := ""
	for _, e := range p.All {
		name = cmp.Or(name, e.Cluster)
	}
	return name
}

// Peers are the services on other hosts that a service connects to: those that it depends on. An empty name stands for
// the load, with its targets, or for the command, with all services that expose ports, as nothing tells which it asks.
func (e *Experiment) Peers(t *Trial, service string) []string {
	var all []string
	from := e.HostOf(service)
	switch {
	case service != "":
		if s, ok := t.service(service); ok {
			all = s.DependsOn
		}
	case t.Load != nil:
		from = e.LoadHost(t)
		for _, target := range t.Load.URLs() {
			if u, err := url.Parse(target); err == nil {
				if s, ok := t.service(u.Hostname()); ok {
					all = append(all, s.Name)
				}
			}
		}
	case t.Command != nil && t.Command.Service == "":
		from = e.LoadHost(t)
		for _, s := range t.Services {
			if len(s.Expose) > 0 {
				all = append(all, s.Name)
			}
		}
	}
	return sortedSet(slices.DeleteFunc(slices.Clone(all), func(name string) bool { return e.HostOf(name) == from }))
}

// IsPeer says that something on another host connects to a service in any trial: shared services are started once.
func (e *Experiment) IsPeer(service string) bool {
	return slices.ContainsFunc(e.Trials, func(t *Trial) bool {
		connects := func(s *spec.Service) bool { return slices.Contains(e.Peers(t, s.Name), service) }
		return slices.Contains(e.Peers(t, ""), service) || slices.ContainsFunc(t.Services, connects)
	})
}

// service finds a service of a trial by its name.
func (t *Trial) service(name string) (*spec.Service, bool) {
	i := slices.IndexFunc(t.Services, func(s *spec.Service) bool { return s.Name == name })
	if i < 0 {
		return nil, false
	}
	return t.Services[i], true
}

// The nodes of a cluster, which are the hosts of an experiment on the engine kubernetes.
const (
	ServiceNode = "services"
	LoadNode    = "load"
)

// clusterOf is the first host of an experiment that is a cluster; nil if none is.
func clusterOf(e *outline, hosts []article.Named[projects.ProjectHost]) *article.Named[projects.ProjectHost] {
	for _, h := range e.head.Hosts {
		for i := range hosts {
			if hosts[i].Name.Value == h.Value.Value && hosts[i].Value.Engine().Can(spec.Nodes) {
				return &hosts[i]
			}
		}
	}
	return nil
}

// placeOnNodes puts all services of an experiment that runs in a cluster on one node of it, and the load on another,
// unless it is to share the network of a service.
func (p *planner) placeOnNodes(e *outline) {
	if e.Skipped != "" {
		return
	}
	if p.engine().Can(spec.Hosts) && !e.Outside {
		if cluster := clusterOf(e, p.project.Hosts); cluster != nil {
			e.Cluster, e.Engine, e.Hosts = cluster.Name.Value, cluster.Value.Engine(), nil
		}
	}
	if !e.Engine.Can(spec.Nodes) {
		return
	}
	for _, d := range e.drafts {
		if d.definition == nil {
			continue
		}
		if e.Hosts == nil {
			e.Hosts = map[string]string{parts.LoadName: LoadNode}
		}
		for _, s := range d.definition.Services {
			e.Hosts[s.Name.Value] = ServiceNode
		}
		if l := d.definition.Load; l != nil && l.Network.V == placing.SharedNetwork {
			e.Hosts[parts.LoadName] = ServiceNode
		}
	}
}

// checkPlaces reports what does not work between two machines, at the hosts of the experiment.
func (p *planner) checkPlaces(e *outline) {
	if len(e.head.Hosts) == 0 {
		return
	}
	for _, h := range e.head.Hosts {
		if !slices.Contains(parts.Names(p.project.Hosts), h.Value.Value) {
			return // reported already
		}
	}
	refuse := func(message, hint string) {
		p.problems.Add("across-hosts", e.head.Hosts[0].Name.Pos, "%s", message).Hint = hint
	}
	if e.Outside {
		refuse("the load of what runs already is put on from this machine", "remove hosts")
		return
	}
	if engine := p.engine(); !engine.Can(spec.Hosts) {
		where := "everything on this machine"
		if engine.Can(spec.Nodes) {
			where = "all services on one node of a cluster, and the load on another"
		}
		refuse(fmt.Sprintf("the engine %s runs %s", engine, where), "remove hosts, or use the engine docker")
		return
	}
	if e.Cluster != "" {
		e.checkWithinCluster(refuse)
		return
	}
	for _, t := range e.Trials {
		if t.Unavailable == "" {
			e.checkTrialPlaces(t, refuse)
		}
	}
}

// checkWithinCluster reports parts of an experiment in a cluster that are to run elsewhere: pods reach nothing outside,
// and are not reached from there.
func (e *outline) checkWithinCluster(refuse func(message, hint string)) {
	named := map[string]string{}
	for _, h := range e.head.Hosts {
		named[h.Name.Value] = h.Value.Value
	}
	hasLoad := slices.ContainsFunc(e.Trials, func(t *Trial) bool {
		return t.Load != nil || t.Command != nil && t.Command.Service == ""
	})
	for _, name := range slices.Sorted(maps.Keys(e.Hosts)) {
		if named[name] == e.Cluster || name == parts.LoadName && !hasLoad {
			continue
		}
		what := "service " + strconv.Quote(name)
		if name == parts.LoadName {
			what = "the load or command"
		}
		refuse(fmt.Sprintf("%s is on %s, and host %q is a cluster, which runs all of an experiment or nothing", what,
			hostWords(named[name]), e.Cluster),
			fmt.Sprintf("write %s: %s in hosts, or name no cluster", name, e.Cluster))
	}
}

// checkClusters reports an article whose experiments run in different clusters, or only in part in one: the results of
// a page are those of one set of machines.
func checkClusters(outlines []*outline, problems *source.Problems) {
	var first *outline
	for _, e := range outlines {
		if e.Skipped != "" || len(e.Trials) == 0 {
			continue
		}
		first = cmp.Or(first, e)
		if e.Engine.Can(spec.Nodes) != first.Engine.Can(spec.Nodes) && e.Outside != first.Outside {
			problems.Add("across-hosts", e.Pos, "experiments %q and %q: one has a target that runs already and its load on "+
				"this machine, the other runs in a cluster", first.Name, e.Name).
				Hint = "make them two articles: the results of an article are those of one set of machines"
			return
		}
		if e.Cluster == first.Cluster {
			continue
		}
		inside, other := e, first
		if e.Cluster == "" {
			inside, other = first, e
		}
		elsewhere := "does not"
		if other.Cluster != "" {
			elsewhere = fmt.Sprintf("in the cluster %q", other.Cluster)
		}
		problems.Add("across-hosts", inside.head.Hosts[0].Name.Pos,
			"experiment %q runs in the cluster %q, and experiment %q %s",
			inside.Name, inside.Cluster, other.Name, elsewhere).
			Hint = "run both there, or make them two articles: the results of an article are those of one set of machines"
		return
	}
}

// checkTrialPlaces reports what a trial does between two machines and does not work there.
func (e *outline) checkTrialPlaces(t *Trial, refuse func(message, hint string)) {
	peers := e.Peers(t, "")
	if t.Load != nil && t.Load.Network == string(placing.SharedNetwork) {
		for _, name := range peers {
			refuse(fmt.Sprintf("the load shares the network of service %q, which is on another host", name),
				"run both on one host, or remove network")
		}
	}
	e.checkPublished(t, refuse)
	if t.Load == nil {
		return
	}
	for _, target := range t.Load.URLs() {
		u, err := url.Parse(target)
		if err != nil || !slices.Contains(peers, u.Hostname()) {
			continue
		}
		s, _ := t.service(u.Hostname())
		if port := portOf(u); len(s.Expose) > 0 && !slices.Contains(s.Expose, port) {
			refuse(fmt.Sprintf("the load requests port %d of service %q from another host, but the service does not expose it",
				port,
				s.Name),
				fmt.Sprintf("add %d to expose", port))
		}
	}
}

// checkPublished reports services that are asked for from another host and cannot be reached there.
func (e *outline) checkPublished(t *Trial, refuse func(message, hint string)) {
	published := map[string]string{} // services by host and port
	for _, s := range t.Services {
		if !e.IsPeer(s.Name) {
			continue
		}
		what := "service " + strconv.Quote(s.Name)
		switch {
		case s.Scale > 1:
			refuse(what+" is scaled but requested from another host, where a name has one address",
				"run both on one host, or remove scale")
		case len(s.Expose) == 0:
			refuse(what+" exposes no port but is requested from another host",
				"add expose: with its ports, which are published on its host")
		}
		for _, port := range s.Expose {
			key := fmt.Sprintf("%s %d", e.HostOf(s.Name), port)
			if other, taken := published[key]; taken {
				refuse(fmt.Sprintf("services %q and %q on one host both expose port %d, and are requested from another one", other,
					s.Name, port), "give them different ports, or run one of them on a host of its own")
			}
			published[key] = s.Name
		}
	}
}

// portOf is the port of a URL, or that of its scheme; 0 if neither is known.
func portOf(u *url.URL) int {
	if port, err := strconv.Atoi(u.Port()); err == nil {
		return port
	}
	return map[string]int{"http": 80, "https": 443, "postgresql": 5432, "postgres": 5432,
		"redis": 6379}[strings.ToLower(u.Scheme)]
}
