package plan

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// load reads the load of a trial. Problems without a place of their own are reported at at.
func (r *reader) load(at source.Pos) *spec.Load {
	l := r.definition.Load
	out := &spec.Load{
		Method: l.Method.Value, Body: l.Body.Value, Connections: l.Connections.V, Threads: l.Threads.V,
		Duration: l.Duration.V, Requests: l.Requests.V, Warmup: l.Warmup.V, Think: l.Think.V, Timeout: l.Timeout.V,
		Keepalive: l.Keepalive.V, CheckBefore: l.Script.IsZero(), CPUSet: l.CPUSet.Value,
		Rate: float64(l.Rate.PerSecond.V), RateShare: float64(l.Rate.Share.V), RateOf: l.Rate.Of.Value,
		RateOwn: l.Rate.Own.V, Priority: string(l.Priority.V), Outside: l.Outside.V,
		Headers: l.Headers.Map(),
	}
	if l.Failures.V != "" {
		out.FailuresMax = 1
	}
	if l.Verify != nil {
		r.verify(l.Verify, out)
	}
	r.tool(l, out)
	out.Driver = r.driver(l, at)
	r.schedule(l, out)
	if l.Threads.Known() && l.Connections.Known() && l.Threads.V > l.Connections.V && l.Connections.V > 0 {
		r.contradiction(l.Threads.Text.Pos, fmt.Sprintf("%d threads have only %d connections to share", l.Threads.V,
			l.Connections.V), "lower threads, or raise connections")
	}
	if len(l.Target) > 0 {
		r.targets(l, out, at)
	} else if !l.Tried.Has("target") {
		r.problems.Add("missing-key", at, "the load has no target").Hint = "add target: http://SERVICE:PORT/"
	}
	return out
}

// schedule reads when requests are due, and what ends the window.
//
// Source: docs/load.md#start-and-end.
func (r *reader) schedule(l *article.Load, out *spec.Load) {
	seesRequests := out.Tool == "" && (out.Driver == nil || out.Driver.Prints != spec.Summary)
	out.Cut = out.Requests > 0 && !l.Drain.V && seesRequests
	switch open := !l.Rate.IsZero() || r.definition.Capacity != nil; {
	case open:
		out.Arrivals = string(cmp.Or(l.Arrivals.V, article.ConstantArrivals))
	case l.Arrivals.Set():
		r.contradiction(l.Arrivals.Text.Pos,
			"arrivals needs a rate: without one, clients send the next request after each answer",
			"add rate: with requests per second, or remove arrivals")
	}
}

// verify reads what a right answer looks like.
func (r *reader) verify(v *article.Verify, out *spec.Load) {
	for _, s := range v.Status {
		out.Status = append(out.Status, s.V)
	}
	out.Contains, out.Match = v.Contains.Value, v.Match.Value
	if _, err := regexp.Compile(v.Match.Value); err != nil {
		r.problems.Add("bad-regex", v.Match.Pos, "match cannot be read: %s",
			strings.TrimPrefix(err.Error(), "error parsing regexp: ")).Hint = "the syntax is that of Go and RE2"
	}
	if v.Length.Known() {
		n := int64(v.Length.V)
		out.Length = &n
	}
	out.CheckBefore = !v.Before.Set() || v.Before.V
}

// targets reads where requests go: to services of the experiment, as a container reaches nothing else, or to what runs
// already.
func (r *reader) targets(l *article.Load, out *spec.Load, at source.Pos) {
	if l.Outside.V {
		r.checkOutside(l)
	}
	for _, t := range l.Target {
		r.checkTarget(t.URL, l, at)
		target := spec.Target{URL: t.URL.Value, Method: cmp.Or(t.Method.Value, out.Method), Headers: out.Headers,
			Body: out.Body, Weight: 1}
		if !t.Body.IsZero() {
			target.Body = t.Body.Value
		}
		if t.Headers != nil {
			target.Headers = t.Headers.Map()
		}
		if t.Weight.Set() {
			target.Weight = t.Weight.V
		}
		out.Targets = append(out.Targets, target)
	}
	out.Target = out.Targets[0].URL
	if len(out.Targets) == 1 {
		out.Method, out.Headers, out.Body = out.Targets[0].Method, out.Targets[0].Headers, out.Targets[0].Body
		out.Targets = nil
	}
}

// checkOutside reports what contradicts a target that runs already.
func (r *reader) checkOutside(l *article.Load) {
	if len(r.definition.Services) > 0 {
		r.contradiction(l.Outside.Text.Pos, "the experiment has services, and its load goes to what runs already",
			"remove the services, or remove outside and name one of them in target")
	}
	if foreignTool(l.Tool.V) != nil {
		r.contradiction(l.Tool.Text.Pos, string(l.Tool.V)+" runs in a container, which does not reach a target that runs "+
			"already", "remove tool")
	}
}

// checkTarget reports a target that is neither the URL of a service nor of what the load may go to outside. The
// experiment begins at at.
func (r *reader) checkTarget(t source.Text, l *article.Load, at source.Pos) {
	known, services := []string{"http", "https"}, Names(r.definition.Services)
	if driven := foreignTool(l.Tool.V); driven != nil && len(driven.Schemes) > 0 {
		known = driven.Schemes
	}
	u, err := url.Parse(t.Value)
	if t.IsZero() || err != nil && isTemplate(t) {
		return // reported when it was decoded or filled in
	}
	if err != nil || u.Host == "" || l.Driver == nil && !slices.Contains(known, u.Scheme) || u.Scheme == "" {
		r.problems.Add("wrong-value", t.Pos, "invalid target URL %q", t.Value).
			Hint = "write " + known[0] + "://SERVICE:PORT/path"
		return
	}
	host := u.Hostname()
	switch {
	case l.Outside.V:
		r.checkRunning(t, u)
		return
	case slices.Contains(services, host), r.definition.Tried.Has("services"):
		return
	}
	r.unknownTarget(t, host, services, at)
}

// unknownTarget reports a target on a host that is not among the services, at the experiment if the target is a default
// or another experiment's.
func (r *reader) unknownTarget(t source.Text, host string, services []string, at source.Pos) {
	hint := cmp.Or(source.Suggest(host, services),
		"the experiment has no services: add services: {"+host+": …}; a load reaches nothing else")
	if article.IsLoopback(host) {
		hint = "add outside: true to the load if a server runs there already; otherwise name a service"
	}
	place := t.Pos
	if at.Source != nil && (place.Source != at.Source || place.Start < at.Start) {
		line, _ := place.Source.Position(place.Start)
		hint = fmt.Sprintf("%s:%d gives the target; give another one here, or add the service", place.Source.Path, line)
		place = at
	}
	r.problems.Add("unknown-service", place, "the load goes to %q, which is not a service of the experiment", host).
		Hint = hint
}

// checkRunning reports a target that runs already where no load may go, and a user in its URL.
func (r *reader) checkRunning(t source.Text, u *url.URL) {
	if host := u.Hostname(); !r.project.AllowsTarget(host) {
		r.problems.Add("not-allowed", t.Pos, "a load on %q is more than this project allows its articles", host).
			Hint = fmt.Sprintf("if that host is yours to put load on, add allow: {targets: [%q]} to %s", host,
			article.ProjectFile)
	}
	if u.User != nil {
		r.problems.Add("wrong-value", t.Pos, "the target %s has a user in it, who is not sent", u.Redacted()).
			Hint = "leave that out, and send the header Authorization: write it in headers"
	}
}
