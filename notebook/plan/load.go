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
		Keepalive: l.Keepalive.V, CheckBefore: true, CPUSet: l.CPUSet.Value, Network: string(l.Network.V),
		Rate: float64(l.Rate.PerSecond.V), RateShare: float64(l.Rate.Share.V), RateOf: l.Rate.Of.Value,
		RateOwn: l.Rate.Own.V, Priority: string(l.Priority.V), Outside: l.Outside.V,
		Headers: l.Headers.Map(), FailuresMax: float64(l.Failures.Max.V),
	}
	if l.Failures.Expected {
		out.FailuresMax = 1
	}
	if l.Verify != nil {
		verify(l.Verify, out, r.problems)
	}
	r.tool(l, out)
	out.Driver = r.driver(l, at)
	startAndEnd(l, out, r.problems)
	open := !l.Rate.IsZero() || r.definition.Capacity != nil
	switch {
	case open && l.Arrivals.Set():
		out.Arrivals = string(l.Arrivals.V)
	case open:
		out.Arrivals = string(article.ConstantArrivals)
	case l.Arrivals.Set():
		r.problems.Add("contradiction", l.Arrivals.Text.Pos,
			"arrivals needs a rate: without one, clients send the next request after each answer").
			Hint = "add rate: with requests per second, or remove arrivals"
	}
	checkLoad(l, r.problems)
	if len(l.Target) > 0 {
		r.targets(l, out, at)
	} else if !l.Tried.Has("target") {
		r.problems.Add("missing-key", at, "the load has no target").Hint = "add target: http://SERVICE:PORT/"
	}
	return out
}

// startAndEnd says how clients start and what ends the window. The tool or driver must be known.
//
// Source: docs/load.md#start-and-end.
func startAndEnd(l *article.Load, out *spec.Load, problems *source.Problems) {
	isTold := out.Tool == "" && (out.Driver == nil || out.Driver.Prints != spec.Summary) // what becomes of each
	out.Cut = out.Requests > 0 && !l.Drain.V && isTold
	out.AtOnce = l.Start.V == article.StartAtOnce && !l.Drain.V
	if l.Start.V == article.StaggeredStart && l.Drain.V && out.Requests > 0 {
		problems.Add("contradiction", l.Start.Text.Pos, "with drain all of the work is there at once, so clients start at "+
			"once").Hint = "remove start, or drain"
	}
}

func checkLoad(l *article.Load, problems *source.Problems) {
	if l.Threads.Known() && l.Connections.Known() && l.Threads.V > l.Connections.V && l.Connections.V > 0 {
		problems.Add("contradiction", l.Threads.Text.Pos, "%d threads have only %d connections to share", l.Threads.V,
			l.Connections.V).Hint = "lower threads, or raise connections"
	}
}

// verify reads what a right answer looks like.
func verify(v *article.Verify, out *spec.Load, problems *source.Problems) {
	for _, s := range v.Status {
		out.Status = append(out.Status, s.V)
	}
	out.Contains, out.Match = v.Contains.Value, v.Match.Value
	if _, err := regexp.Compile(v.Match.Value); err != nil {
		problems.Add("bad-regex", v.Match.Pos, "match cannot be read: %s",
			strings.TrimPrefix(err.Error(), "error parsing regexp: ")).Hint = "the syntax is that of Go and RE2"
	}
	if v.Length.Known() {
		n := int64(v.Length.V)
		out.Length = &n
	}
	out.JSON, out.WantHeaders = v.JSON.Map(), v.Headers.Map()
	if v.Before.Set() {
		out.CheckBefore = v.Before.V
	}
}

// targets reads where requests go: to services of the experiment, as a container reaches nothing else, or to what runs
// already.
func (r *reader) targets(l *article.Load, out *spec.Load, at source.Pos) {
	if l.Outside.V {
		r.checkOutside(l)
	}
	for _, t := range l.Target {
		r.checkTarget(t.URL, l, at)
		out.Targets = append(out.Targets, target(t, out))
	}
	out.Target = out.Targets[0].URL
	if len(out.Targets) == 1 {
		out.Method, out.Headers, out.Body = out.Targets[0].Method, out.Targets[0].Headers, out.Targets[0].Body
		out.Targets = nil
	}
}

// target is one kind of request: what it leaves out is as the load says.
func target(t article.Target, l *spec.Load) spec.Target {
	out := spec.Target{URL: t.URL.Value, Method: l.Method, Headers: l.Headers, Body: l.Body, Weight: 1}
	if !t.Method.IsZero() {
		out.Method = t.Method.Value
	}
	if t.Headers != nil {
		out.Headers = t.Headers.Map()
	}
	if !t.Body.IsZero() {
		out.Body = t.Body.Value
	}
	if t.Weight.Set() {
		out.Weight = t.Weight.V
	}
	return out
}

// checkOutside reports what contradicts a target that runs already.
func (r *reader) checkOutside(l *article.Load) {
	contradicts := func(at source.Pos, words, hint string) {
		r.problems.Add("contradiction", at, "%s", words).Hint = hint
	}
	if list := r.definition.Services; len(list) > 0 {
		contradicts(l.Outside.Text.Pos, "the experiment has services, and its load goes to what runs already",
			"remove the services, or remove outside and name one of them in target")
	}
	if l.Network.Known() {
		contradicts(l.Network.Text.Pos, "a target that runs already has no network to share", "remove network")
	}
	if driven := foreignTool(l.Tool.V); driven != nil {
		contradicts(l.Tool.Text.Pos, string(l.Tool.V)+" runs in a container, which does not reach a target that runs already",
			"remove tool")
	}
}

// checkRunning reports a target that runs already where no load may go, or as somebody who is not sent.
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

// checkTarget reports a target that is neither the URL of a service nor of what the load may go to outside. The
// experiment begins at at.
func (r *reader) checkTarget(t source.Text, l *article.Load, at source.Pos) {
	known, services, problems := []string{"http", "https"}, Names(r.definition.Services), r.problems
	if driven := foreignTool(l.Tool.V); driven != nil && len(driven.Schemes) > 0 {
		known = driven.Schemes
	}
	u, err := url.Parse(t.Value)
	if t.IsZero() || err != nil && isTemplate(t) {
		return // reported when it was decoded or filled in
	}
	if err != nil || u.Host == "" || l.Driver == nil && !slices.Contains(known, u.Scheme) || u.Scheme == "" {
		problems.Add("wrong-value", t.Pos, "invalid target URL %q", t.Value).
			Hint = "write " + known[0] + "://SERVICE:PORT/path"
		return
	}
	if l.Outside.V {
		r.checkRunning(t, u)
		return
	}
	host := u.Hostname()
	if slices.Contains(services, host) || r.definition.Tried.Has("services") {
		return
	}
	hint := source.Suggest(host, services)
	if article.IsLoopback(host) {
		hint = "add outside: true to the load if a server runs there already; otherwise name a service"
	}
	hint = cmp.Or(hint, "the experiment has no services: add services: {"+host+": …}; a load reaches nothing else")
	place, elsewhere := placeFor(t.Pos, at)
	problems.Add("unknown-service", place, "the load goes to %q, which is not a service of the experiment",
		host).Hint = cmp.Or(elsewhere, hint)
}

// placeFor returns where an experiment that begins at begin shows a fault of a value: at the value, or at begin if the
// value is a default or another experiment's, with a hint that says where the value is.
func placeFor(value, begin source.Pos) (at source.Pos, hint string) {
	if begin.Source == nil || value.Source == begin.Source && value.Start >= begin.Start {
		return value, ""
	}
	line, _ := value.Source.Position(value.Start)
	return begin, fmt.Sprintf("%s:%d gives the target; give another one here, or add the service", value.Source.Path, line)
}
