package plan

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/loadtool"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// load completes the load of a trial.
func (d *draft) load() *spec.Load {
	l, n := d.definition.Load, d.node.Get("load")
	if _, err := regexp.Compile(l.Match); err != nil {
		d.problems.Add("bad-regex", n.TextAt("verify", "match").Pos, "match cannot be read: %s",
			strings.TrimPrefix(err.Error(), "error parsing regexp: ")).Hint = "the syntax is that of Go and RE2"
	}
	if n.Under("verify", "before") == nil {
		l.CheckBefore = n.Under("verify") != nil || n.Under("script") == nil
	}
	d.tool(l)
	d.driver(l)
	d.schedule(l, n)
	if l.Threads > l.Connections && l.Connections > 0 {
		d.contradiction(n.TextAt("threads").Pos, fmt.Sprintf("%d threads have only %d connections to share", l.Threads,
			l.Connections), "lower threads, or raise connections")
	}
	if len(l.Targets) > 0 {
		d.targets(l, n)
	} else if !d.definition.HasTried(n, "target") {
		d.problems.Add("missing-key", d.at, "the load has no target").Hint = "add target: http://SERVICE:PORT/"
	}
	return l
}

// schedule completes the arrivals of requests, and what ends the window.
//
// Source: docs/load.md#start-and-end.
func (d *draft) schedule(l *spec.Load, n *source.Node) {
	seesRequests := l.Tool == "" && (l.Driver == nil || l.Driver.Prints != spec.Summary)
	l.Cut = l.Requests > 0 && !l.Drain && seesRequests
	if n.Under("rate") != nil || d.definition.Capacity != nil {
		l.Arrivals = cmp.Or(l.Arrivals, spec.ConstantArrivals)
	} else if l.Arrivals != "" {
		d.contradiction(n.TextAt("arrivals").Pos,
			"arrivals needs a rate: without one, clients send the next request after each answer",
			"add rate: with requests per second, or remove arrivals")
	}
}

// targetsOf returns the URLs of a load.
func targetsOf(load *source.Node) []source.Text {
	return slice.Map(load.Under("target").List(), func(n *source.Node) source.Text {
		if n.Kind == source.Map {
			return n.TextAt("url")
		}
		return n.TextAt()
	})
}

// targets checks the targets of a load, and fills in what they take from the load. A single target is stored in the
// fields of the load itself.
func (d *draft) targets(l *spec.Load, n *source.Node) {
	if l.Outside {
		d.checkOutside(l, n)
	}
	written := targetsOf(n)
	for i, item := range n.Under("target").List() {
		t := &l.Targets[i]
		d.checkTarget(written[i], l)
		t.Method = cmp.Or(t.Method, l.Method)
		if item.Under("body") == nil {
			t.Body = l.Body
		}
		if item.Under("headers") == nil {
			t.Headers = l.Headers
		}
		if item.Under("weight") == nil {
			t.Weight = 1
		}
	}
	l.Target = l.Targets[0].URL
	if len(l.Targets) == 1 {
		l.Method, l.Headers, l.Body = l.Targets[0].Method, l.Targets[0].Headers, l.Targets[0].Body
		l.Targets = nil
	}
}

// checkOutside reports services and tools, which a load with a target outside cannot have.
func (d *draft) checkOutside(l *spec.Load, n *source.Node) {
	if len(d.definition.Services) > 0 {
		d.contradiction(n.TextAt("outside").Pos, "the experiment has services, and its load goes to what runs already",
			"remove the services, or remove outside and name one of them in target")
	}
	if l.Tool != "" {
		d.contradiction(n.TextAt("tool").Pos, l.Tool+" runs in a container, which does not reach a target that runs "+
			"already", "remove tool")
	}
}

// checkTarget reports a target that is neither the URL of a service nor an allowed target outside.
func (d *draft) checkTarget(t source.Text, l *spec.Load) {
	known, services := []string{"http", "https"}, d.node.Get("services").Keys()
	if tool, ok := loadtool.Find(l.Tool); ok && len(tool.Schemes) > 0 {
		known = tool.Schemes
	}
	u, err := url.Parse(t.Value)
	if t.IsZero() || err != nil && isTemplate(t) {
		return // reported when it was decoded or filled in
	}
	if err != nil || u.Host == "" || d.node.Under("load", "driver") == nil && !slices.Contains(known, u.Scheme) || u.Scheme == "" {
		d.problems.Add("wrong-value", t.Pos, "invalid target URL %q", t.Value).
			Hint = "write " + known[0] + "://SERVICE:PORT/path"
		return
	}
	if host := u.Hostname(); l.Outside {
		d.checkRunning(t, u)
	} else if !slices.Contains(services, host) && !d.definition.HasTried(d.node, "services") {
		d.unknownTarget(t, host, services)
	}
}

// unknownTarget reports a target whose host is not a service. It points to the experiment if the target is from
// defaults or from another experiment.
func (d *draft) unknownTarget(t source.Text, host string, services []string) {
	hint := cmp.Or(source.Suggest(host, services),
		"the experiment has no services: add services: {"+host+": …}; a load reaches nothing else")
	if article.IsLoopback(host) {
		hint = "add outside: true to the load if a server runs there already; otherwise name a service"
	}
	place := t.Pos
	if place.Source != d.at.Source || place.Start < d.at.Start {
		line, _ := place.Source.Position(place.Start)
		hint = fmt.Sprintf("%s:%d gives the target; give another one here, or add the service", place.Source.Path, line)
		place = d.at
	}
	d.problems.Add("unknown-service", place, "the load goes to %q, which is not a service of the experiment", host).
		Hint = hint
}

// checkRunning reports a target outside that the project does not allow, or whose URL has a user.
func (d *draft) checkRunning(t source.Text, u *url.URL) {
	if host := u.Hostname(); !d.project.AllowsTarget(host) {
		d.problems.Add("not-allowed", t.Pos, "a load on %q is more than this project allows its articles", host).
			Hint = fmt.Sprintf("if that host is yours to put load on, add allow: {targets: [%q]} to %s", host,
			article.ProjectFile)
	}
	if u.User != nil {
		d.problems.Add("wrong-value", t.Pos, "the target %s has a user in it, who is not sent", u.Redacted()).
			Hint = "leave that out, and send the header Authorization: write it in headers"
	}
}
