package plan

import (
	"slices"
	"strings"
	"time"

	"benchbook/notebook/article"
	"benchbook/notebook/loadtool"
	"benchbook/notebook/source"
)

// programOf is how a tool is run; nil for our own generator, and for tools that we cannot run.
func programOf(name article.Tool) *loadtool.Program {
	tool, _ := loadtool.Find(string(name))
	return tool.Program
}

// checkTool reports what a load asks for that its tool has no flag for. What only our own defaults ask for is left out
// without a word: the line that is run says so.
func (p *planner) checkTool(l *article.Load) {
	name := l.Tool.V
	tool := programOf(name)
	if tool == nil || !l.Tool.Known() {
		return
	}
	keys := toolKeys(l)
	for _, k := range keys {
		if _, has := tool.Flags[k.name]; asked(k.at) && !has {
			p.problems.Add("no-flag", k.at, "%s has no flag for %s", name, k.name).
				Hint = "remove " + k.name + ", or use another tool; flags of its own go into args"
		}
	}
	if l.Generators.Known() && l.Generators.V > 1 {
		p.problems.Add("no-flag", l.Generators.Text.Pos, "what several runs of %s print cannot be put together: percentiles do not add up", name).
			Hint = "remove generators, or use tool: benchbook"
	}
	p.checkToolRequests(l, name)
	p.checkToolTimes(l, name, tool)
	p.checkToolEnd(l, name, tool)
	if _, has := tool.Flags["verify"]; has && l.Verify != nil {
		for _, status := range l.Verify.Status {
			if status.Known() && (status.V < 200 || status.V > 299) {
				p.problems.Add("no-flag", status.Text.Pos, "%s counts answers of status %d as failed, and has no flag to change that", name, status.V).
					Hint = "use tool: benchbook for such answers"
			}
		}
	}
	// Also where only a default has set it: otherwise the record would say something else than what was run.
	flags := map[string]string{} // keys by their flags
	for _, k := range keys {
		if flag := tool.Flags[k.name]; flag != "" && k.at.Source != nil {
			flags[flag] = k.name
		}
	}
	for _, word := range l.Args.For(name) {
		flag, _, _ := strings.Cut(word.Value, "=")
		if key := flags[flag]; key != "" && flag != "-H" {
			p.problems.Add("contradiction", word.Pos, "%s is the flag of %s for %s, which the load has already", flag, name, key).
				Hint = "remove it from args, and say it with " + key + ":"
		}
	}
}

// A toolKey is a key of a load with the place of its value, if it has one.
type toolKey struct {
	name string
	at   source.Pos
}

// toolKeys are the keys that are for a tool to do.
func toolKeys(l *article.Load) []toolKey {
	var headers, stages source.Pos
	if len(l.Headers) > 0 {
		headers = l.Headers[0].Name.Pos
	}
	if len(l.Stages) > 0 {
		stages = l.Stages[0].Pos
	}
	method, body := l.Method.Pos, l.Body.Pos
	if len(l.Target) == 1 { // which may say it for itself
		t := l.Target[0]
		if t.Method.Pos.Source != nil {
			method = t.Method.Pos
		}
		if t.Body.Pos.Source != nil {
			body = t.Body.Pos
		}
		if len(t.Headers) > 0 {
			headers = t.Headers[0].Name.Pos
		}
	}
	keys := []toolKey{{"method", method}, {"headers", headers}, {"body", body}, {"connections", l.Connections.Text.Pos},
		{"threads", l.Threads.Text.Pos}, {"duration", l.Duration.Text.Pos}, {"requests", l.Requests.Text.Pos},
		{"timeout", l.Timeout.Text.Pos}, {"keepalive", l.Keepalive.Text.Pos}, {"think", l.Think.Text.Pos}, {"stages", stages},
		{"verify", verifyAt(l.Verify)}}
	if l.Warmup.V > 0 {
		keys = append(keys, toolKey{"warmup", l.Warmup.Text.Pos})
	}
	if !l.Rate.IsZero() {
		keys = append(keys, toolKey{"rate", l.Rate.Text.Pos})
	}
	return keys
}

// verifyAt is the place of the first thing that is asked of answers.
func verifyAt(v *article.Verify) source.Pos {
	if v == nil {
		return source.Pos{}
	}
	at := []source.Pos{v.Contains.Pos, v.Match.Pos, v.Length.Text.Pos, v.Before.Text.Pos}
	for _, s := range v.Status {
		at = append(at, s.Text.Pos)
	}
	for _, list := range []article.Environment{v.JSON, v.Headers} {
		if len(list) > 0 {
			at = append(at, list[0].Name.Pos)
		}
	}
	i := slices.IndexFunc(at, func(p source.Pos) bool { return p.Source != nil })
	if i < 0 {
		return source.Pos{}
	}
	return at[i]
}

// asked says that somebody wrote a value, and not our own defaults.
func asked(at source.Pos) bool {
	return at.Source != nil && at.Source.Path != builtInName && at.Source.Path != quickName
}

// checkToolRequests reports requests that differ from each other: other tools send the same all the time.
func (p *planner) checkToolRequests(l *article.Load, name article.Tool) {
	if len(l.Target) > 1 {
		p.problems.Add("no-flag", l.Target[1].Pos, "%s has no flag for several targets", name).
			Hint = "leave one target, or use tool: benchbook"
	}
	texts := []source.Text{l.Body}
	add := func(headers article.Environment) {
		for _, h := range headers {
			texts = append(texts, h.Value)
		}
	}
	add(l.Headers)
	for _, t := range l.Target {
		texts = append(texts, t.URL, t.Body)
		add(t.Headers)
	}
	for _, t := range texts {
		if strings.Contains(t.Value, "${{") { // all others were filled in
			p.problems.Add("no-flag", t.Pos, "%s has no flag for values that are drawn for every request", name).
				Hint = "write a fixed value, or use tool: benchbook"
		}
	}
}

func (p *planner) checkToolTimes(l *article.Load, name article.Tool, tool *loadtool.Program) {
	for _, k := range []struct {
		name string
		v    article.Value[time.Duration]
	}{{"duration", l.Duration}, {"warmup", l.Warmup}, {"timeout", l.Timeout}} {
		if k.v.Known() && asked(k.v.Text.Pos) && k.v.V%time.Second != 0 && slices.Contains(tool.Seconds, k.name) {
			p.problems.Add("wrong-value", k.v.Text.Pos, "%s takes %s in whole seconds, not %s", name, k.name, k.v.Text.Value).
				Hint = "write " + k.v.V.Truncate(time.Second).String() + " or " + (k.v.V.Truncate(time.Second) + time.Second).String()
		}
	}
}

// checkToolEnd looks at when a run ends.
func (p *planner) checkToolEnd(l *article.Load, name article.Tool, tool *loadtool.Program) {
	_, timed := tool.Flags["duration"]
	if !timed && !l.Requests.Set() && l.Duration.Set() {
		p.problems.Add("missing-key", l.Tool.Text.Pos, "%s ends after a number of requests, and the load does not say how many", name).
			Hint = "add requests:"
	}
	if tool.Either && l.Requests.Set() && asked(l.Duration.Text.Pos) {
		p.problems.Add("contradiction", l.Duration.Text.Pos, "%s ends after a time or after a number of requests, not at whichever comes first", name).
			Hint = "remove duration or requests"
	}
	n, c := l.Requests, l.Connections
	if tool.Even && n.Known() && c.Known() && n.V > 0 && c.V > 0 && n.V%c.V != 0 {
		p.problems.Add("contradiction", n.Text.Pos, "%s sends the same number of requests on every connection, and %d is no multiple of %d",
			name, n.V, c.V).
			Hint = "write a multiple of connections"
	}
	if t := l.Threads; tool.EvenThreads && t.Known() && c.Known() && t.V > 0 && c.V%t.V != 0 && c.V >= t.V {
		p.problems.Add("contradiction", t.Text.Pos, "%s gives every thread the same number of connections, and %d is no multiple of %d",
			name, c.V, t.V).
			Hint = "raise connections, or change threads"
	}
}
