package plan

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/article"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// loadName stands for the load where services have names.
const loadName = "load"

// Most of what a load may ask for.
const (
	maxConnections = 60_000 // of a generator: ports of one address, about
	maxThreads     = 1024   // of a generator
	maxGenerators  = 64
	maxRequests    = 1_000_000_000
)

func (p *planner) load(d *draft, at source.Pos) *spec.Load {
	l := d.definition.Load
	out := &spec.Load{
		Method: l.Method.Value, Body: l.Body.Value, Connections: l.Connections.V, Threads: l.Threads.V,
		Duration: l.Duration.V, Requests: l.Requests.V, Warmup: l.Warmup.V, Think: l.Think.V, Timeout: l.Timeout.V,
		Keepalive: l.Keepalive.V, CheckBefore: true, CPUSet: l.CPUSet.Value, Network: string(l.Network.V),
		Rate: float64(l.Rate.PerSecond.V), RateShare: float64(l.Rate.Share.V), RateOf: l.Rate.Of.Value,
	}
	d.places.cpusets[&out.CPUSet] = l.CPUSet
	if l.Generators.V > 1 { // one is what there is if nothing is said, and the same trial
		out.Generators = l.Generators.V
	}
	out.Headers = l.Headers.Map()
	if l.Failures.Expected {
		out.FailuresMax = 1
	} else {
		out.FailuresMax = float64(l.Failures.Max.V)
	}
	p.verify(l.Verify, out)
	p.tool(l, out)
	for _, s := range l.Stages {
		out.Stages = append(out.Stages, spec.Stage{Duration: s.Duration.V, Rate: float64(s.Rate.V), Connections: s.Connections.V})
	}
	open := !l.Rate.IsZero() || len(l.Stages) > 0 && l.Stages[0].Rate.Set() || d.definition.Capacity != nil
	switch {
	case open && l.Arrivals.Set():
		out.Arrivals = string(l.Arrivals.V)
	case open:
		out.Arrivals = string(article.ConstantArrivals)
	case l.Arrivals.Set():
		p.problems.Add("contradiction", l.Arrivals.Text.Pos, "in a closed loop requests do not arrive, clients send them").
			Hint = "add rate: with requests per second, or remove arrivals"
	}
	p.checkLoad(l)
	p.targets(l, out, names(d.definition.Services), at)
	return out
}

// besideLink reports a load that is to stand beside a service with a link, which it would pass by.
func (p *planner) besideLink(t *Trial, l *article.Load) {
	if l.Network.V != article.SharedNetwork {
		return
	}
	target, err := url.Parse(t.Load.Target)
	if err != nil {
		return // which was said
	}
	for _, s := range t.Services {
		if s != nil && s.Link != nil && s.Name == target.Hostname() {
			p.problems.Add("contradiction", l.Network.Text.Pos, "the load would stand behind the link of service %q, and not before it", s.Name).
				Hint = "remove network, or the link"
		}
	}
}

// checkLoad reports numbers that cannot be meant.
func (p *planner) checkLoad(l *article.Load) {
	between := func(v article.Value[int], what string, most int) {
		if v.Known() && (v.V < 1 || v.V > most) {
			p.problems.Add("wrong-value", v.Text.Pos, "%s has to be between 1 and %d, not %d", what, most, v.V)
		}
	}
	lasts := func(v article.Value[time.Duration], what string, zero bool) {
		if v.Known() && (v.V < 0 || v.V == 0 && !zero) {
			p.problems.Add("wrong-value", v.Text.Pos, "%s has to be more than 0", what)
		}
	}
	perSecond := func(v article.Value[article.PerSecond]) {
		if v.Known() && v.V <= 0 {
			p.problems.Add("wrong-value", v.Text.Pos, "rate has to be more than 0").
				Hint = "write a number per second, such as 500/s"
		}
	}
	generators := min(max(l.Generators.V, 1), maxGenerators)
	between(l.Connections, "connections", maxConnections*generators)
	between(l.Threads, "threads", maxThreads)
	between(l.Generators, "generators", maxGenerators)
	between(l.Requests, "requests", maxRequests)
	lasts(l.Duration, "duration", false)
	lasts(l.Warmup, "warmup", true)
	lasts(l.Think, "think", true)
	lasts(l.Timeout, "timeout", false)
	perSecond(l.Rate.PerSecond)
	for _, s := range l.Stages {
		lasts(s.Duration, "duration", false)
		perSecond(s.Rate)
		between(s.Connections, "connections", maxConnections*generators)
	}
	if m := l.Failures.Max; m.Known() && (m.V < 0 || m.V > 1) {
		p.problems.Add("wrong-value", m.Text.Pos, "max has to be a share of the requests").
			Hint = "write a percentage from 0% to 100%"
	}
	if l.Threads.Known() && l.Connections.Known() && l.Threads.V > l.Connections.V && l.Connections.V > 0 {
		p.problems.Add("contradiction", l.Threads.Text.Pos, "%d threads have only %d connections to share", l.Threads.V, l.Connections.V).
			Hint = "lower threads, or raise connections"
	}
	p.checkGenerators(l)
	p.checkCPUSet(l.CPUSet)
	method := func(t source.Text) {
		if t.Value != "" && !methodName.MatchString(t.Value) {
			p.problems.Add("wrong-value", t.Pos, "%q is no method of HTTP", t.Value).
				Hint = "methods are words in capitals, such as GET or POST"
		}
	}
	method(l.Method)
	for _, t := range l.Target {
		method(t.Method)
	}
}

// checkGenerators reports generators of which some would have nothing to do.
func (p *planner) checkGenerators(l *article.Load) {
	n, at := l.Generators.V, l.Generators.Text.Pos
	if !l.Generators.Known() || n < 2 || n > maxGenerators {
		return
	}
	most, known := l.Connections.V, l.Connections.Known() && l.Connections.V > 0
	for _, s := range l.Stages {
		known = known && (s.Connections.Known() || !s.Connections.Set())
		most = max(most, s.Connections.V)
	}
	switch threads := l.Threads; {
	case known && most < n:
		p.problems.Add("contradiction", at, "%d generators need as many connections, and the load has %d", n, most).
			Hint = "lower generators, or raise connections"
	case known && threads.Known() && threads.V <= most && threads.V*n > most:
		p.problems.Add("contradiction", threads.Text.Pos, "%d generators of %d threads need %d connections, and the load has %d",
			n, threads.V, n*threads.V, most).
			Hint = "lower threads or generators, or raise connections"
	}
	if r := l.Requests; r.Known() && r.V > 0 && r.V < n {
		p.problems.Add("contradiction", at, "%d generators need as many requests, and the load has %d", n, r.V).
			Hint = "lower generators, or raise requests"
	}
}

var methodName = regexp.MustCompile(`^[A-Z]+$`)

// verify reads what a right answer looks like.
func (p *planner) verify(v *article.Verify, out *spec.Load) {
	if v == nil {
		return
	}
	for _, s := range v.Status {
		p.status(s)
		out.Status = append(out.Status, s.V)
	}
	out.Contains, out.Match = v.Contains.Value, v.Match.Value
	if _, err := regexp.Compile(v.Match.Value); err != nil {
		p.problems.Add("bad-regex", v.Match.Pos, "match cannot be read: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: ")).
			Hint = "the syntax is that of Go and RE2"
	}
	if v.Length.Known() {
		n := int64(v.Length.V)
		out.Length = &n
		if n < 0 {
			p.problems.Add("wrong-value", v.Length.Text.Pos, "length has to be 0 or more bytes")
		}
	}
	out.JSON, out.WantHeaders = v.JSON.Map(), v.Headers.Map()
	if v.Before.Set() {
		out.CheckBefore = v.Before.V
	}
}

// tool reads which program puts the load on, and the words that are added to its command line.
func (p *planner) tool(l *article.Load, out *spec.Load) {
	if l.Tool.V != article.OwnTool {
		out.Tool = string(l.Tool.V)
	}
	if out.Tool != "" {
		out.Args = values(l.Args.For(l.Tool.V))
		p.checkTool(l)
		return
	}
	if len(l.Args.All) > 0 {
		p.problems.Add("contradiction", l.Args.All[0].Pos, "args are for another tool than our own").
			Hint = "add tool: with its name, or write args: {TOOL: [...]}"
	}
}

// targets checks that load goes to services of the experiment: a container reaches nothing else.
func (p *planner) targets(l *article.Load, out *spec.Load, services []string, at source.Pos) {
	if len(l.Target) == 0 && l.Tried.Has("target") {
		return
	}
	if len(l.Target) == 0 {
		p.problems.Add("missing-key", at, "the load has no target").Hint = "add target: http://SERVICE:PORT/"
		return
	}
	out.Target = l.Target[0].URL.Value
	for _, t := range l.Target {
		p.target(t.URL, l.Tool.V, services)
		if t.Weight.Known() && t.Weight.V <= 0 {
			p.problems.Add("wrong-value", t.Weight.Text.Pos, "weight has to be more than 0").
				Hint = "leave out a target that is not used"
		}
	}
	first := l.Target[0]
	if len(l.Target) == 1 && first.Method.IsZero() && first.Body.IsZero() && first.Headers == nil {
		return
	}
	for _, t := range l.Target {
		one := spec.Target{URL: t.URL.Value, Method: out.Method, Headers: out.Headers, Body: out.Body, Weight: 1}
		if !t.Method.IsZero() {
			one.Method = t.Method.Value
		}
		if t.Headers != nil {
			one.Headers = t.Headers.Map()
		}
		if !t.Body.IsZero() {
			one.Body = t.Body.Value
		}
		if t.Weight.Set() {
			one.Weight = t.Weight.V
		}
		out.Targets = append(out.Targets, one)
	}
	if len(out.Targets) == 1 {
		out.Method, out.Headers, out.Body, out.Targets = out.Targets[0].Method, out.Targets[0].Headers, out.Targets[0].Body, nil
	}
}

func (p *planner) target(t source.Text, tool article.Tool, services []string) {
	known := []string{"http", "https"}
	if driven := programOf(tool); driven != nil && len(driven.Schemes) > 0 {
		known = driven.Schemes
	}
	u, err := url.Parse(t.Value)
	if t.IsZero() || err != nil && strings.Contains(t.Value, "${{") {
		return // which was said when it was read, or filled in
	}
	if err != nil || u.Host == "" || !slices.Contains(known, u.Scheme) {
		p.problems.Add("wrong-value", t.Pos, "%q is no URL that a load can go to", t.Value).
			Hint = "write " + known[0] + "://SERVICE:PORT/path"
		return
	}
	if slices.Contains(services, u.Hostname()) {
		return
	}
	hint := source.Suggest(u.Hostname(), services)
	if hint == "" {
		hint = "the experiment has no services: add services: {" + u.Hostname() + ": …}; a load reaches nothing else"
	}
	p.problems.Add("unknown-service", t.Pos, "the load goes to %q, which is no service of the experiment", u.Hostname()).
		Hint = hint
}
