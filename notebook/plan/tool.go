package plan

import (
	"slices"
	"strings"
	"time"

	"benchbook/notebook/article"

	"benchbook/notebook/loadtool"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// tool reads which program puts the load on, and the words that are added to its command line.
func (r *reading) tool(l *article.Load, out *spec.Load) {
	problems := r.problems
	if l.Tool.V != article.OwnTool {
		out.Tool = string(l.Tool.V)
	}
	if script, ok := r.configs[&l.Script]; ok {
		out.Script = &script
	}
	switch foreign := foreignTool(l.Tool.V); {
	case out.Tool == "" && !l.Script.IsZero():
		problems.Add("contradiction", l.Script.Pos, "a script is for k6 or wrk, and the load is put on by benchbook").
			Hint = "add tool: k6 or tool: wrk, or remove script"
	case out.Tool == "" && len(l.Args.All) > 0:
		problems.Add("contradiction", l.Args.All[0].Pos, "args are only for tools other than benchbook").
			Hint = "add tool: with its name, or write args: {TOOL: [...]}"
	case out.Tool != "":
		out.Args = article.Texts(l.Args.For(l.Tool.V))
		if foreign != nil && l.Tool.Known() {
			(&toolCheck{l, foreign, problems}).check()
		}
	}
}

// foreignTool returns the tool of a name; nil for our own generator.
func foreignTool(name article.Tool) *loadtool.Tool {
	if tool, ok := loadtool.Find(string(name)); ok {
		return &tool
	}
	return nil
}

// toolCheck reports keys of a load that its tool has no flag for. Built-in defaults without a flag are left out
// silently: the recorded command line shows that.
type toolCheck struct {
	*article.Load
	tool     *loadtool.Tool
	problems *source.Problems
}

func (c *toolCheck) check() {
	keys := c.keys()
	for _, k := range keys {
		_, has := c.tool.Flag(k.name)
		has = has || k.name == "keepalive" && c.Keepalive.V // which it does anyway
		switch {
		case IsWritten(k.at) && !has:
			c.problems.Add("no-flag", k.at, "%s has no flag for %s", c.tool.Name, k.name).
				Hint = "remove " + k.name + ", or use another tool; flags of its own go into args"
		case IsWritten(k.at) && !c.Script.IsZero() && slices.Contains(c.tool.ScriptSays, k.name):
			c.problems.Add("contradiction", k.at, "with a script of the article %s has no %s", c.tool.Name, k.name).
				Hint = "remove " + k.name + ", and let the script say it"
		}
	}
	c.requests()
	c.times()
	c.end()
	c.division()
	c.statuses()
	c.args(keys)
}

// A toolKey is a key of a load with the place of its value, if it has one.
type toolKey struct {
	name string
	at   source.Pos
}

// keys are those that a tool needs flags for.
func (c *toolCheck) keys() []toolKey {
	method, body, headers := c.Method.Pos, c.Body.Pos, firstName(c.Headers)
	if len(c.Target) == 1 { // which may have its own
		t := c.Target[0]
		method, body, headers = firstKnown(t.Method.Pos, method), firstKnown(t.Body.Pos, body),
			firstKnown(firstName(t.Headers), headers)
	}
	var warmup, poisson source.Pos
	if c.Warmup.V > 0 {
		warmup = c.Warmup.Text.Pos
	}
	if c.Arrivals.V == article.PoissonArrivals {
		poisson = c.Arrivals.Text.Pos
	}
	return []toolKey{{"method", method}, {"headers", headers}, {"body", body}, {"connections", c.Connections.Text.Pos},
		{"threads", c.Threads.Text.Pos}, {"duration", c.Duration.Text.Pos}, {"requests", c.Requests.Text.Pos},
		{"start", c.Start.Text.Pos},
		{"timeout", c.Timeout.Text.Pos}, {"keepalive", c.Keepalive.Text.Pos}, {"think", c.Think.Text.Pos},
		{"verify", verifyAt(c.Verify)}, {"warmup", warmup}, {"rate", c.Rate.Text.Pos},
		{"arrivals", poisson}, {"script", c.Script.Pos}}
}

// firstKnown is the first place that is known.
func firstKnown(places ...source.Pos) source.Pos {
	for _, at := range places {
		if at.Source != nil {
			return at
		}
	}
	return source.Pos{}
}

// verifyAt is the place of the first check of answers.
func verifyAt(v *article.Verify) source.Pos {
	if v == nil {
		return source.Pos{}
	}
	at := firstKnown(v.Contains.Pos, v.Match.Pos, v.Length.Text.Pos, v.Before.Text.Pos)
	for _, s := range v.Status {
		at = firstKnown(at, s.Text.Pos)
	}
	return firstKnown(at, firstName(v.JSON), firstName(v.Headers))
}

// requests reports requests that differ from each other: other tools repeat a single one.
func (c *toolCheck) requests() {
	if len(c.Target) > 1 {
		c.problems.Add("no-flag", c.Target[1].Pos, "%s has no flag for several targets", c.tool.Name).
			Hint = "leave one target, or use tool: benchbook"
	}
	for _, t := range c.texts() {
		if isTemplate(t) { // all others were filled in
			c.problems.Add("no-flag", t.Pos, "%s has no flag for values that are drawn for every request", c.tool.Name).
				Hint = "write a fixed value, or use tool: benchbook"
		}
	}
}

// texts are those that requests are made of.
func (c *toolCheck) texts() []source.Text {
	texts, headers := []source.Text{c.Body}, c.Headers
	for _, t := range c.Target {
		texts, headers = append(texts, t.URL, t.Body), slices.Concat(headers, t.Headers)
	}
	for _, h := range headers {
		texts = append(texts, h.Value)
	}
	return texts
}

// times reports fractions of seconds for tools that take whole ones.
func (c *toolCheck) times() {
	times := map[string]article.Value[time.Duration]{"duration": c.Duration, "warmup": c.Warmup, "timeout": c.Timeout}
	for _, name := range c.tool.Seconds {
		v := times[name]
		if whole := v.V.Truncate(time.Second); whole != v.V && IsWritten(v.Text.Pos) {
			c.problems.Add("wrong-value", v.Text.Pos, "%s takes %s in whole seconds, not %s", c.tool.Name, name, v.Text.Value).
				Hint = "write " + whole.String() + " or " + (whole + time.Second).String()
		}
	}
}

// end reports ends of a run that the tool does not have.
func (c *toolCheck) end() {
	if c.tool.Either && c.Requests.Set() && IsWritten(c.Duration.Text.Pos) {
		c.problems.Add("contradiction", c.Duration.Text.Pos,
			"%s ends after a time or after a number of requests, not at whichever comes first", c.tool.Name).
			Hint = "remove duration or requests"
	}
}

// division reports requests and connections that cannot be divided as the tool does.
func (c *toolCheck) division() {
	requests, connections, threads := c.Requests, c.Connections, c.Threads
	if connections.V <= 0 {
		return // unknown, or reported already
	}
	if c.tool.Even && requests.V > 0 && requests.V%connections.V != 0 {
		c.problems.Add("contradiction", requests.Text.Pos,
			"%s sends the same number of requests on every connection, and %d is not a multiple of %d", c.tool.Name, requests.V,
			connections.V).Hint = "write a multiple of connections"
	}
	if c.tool.EvenThreads && threads.V > 0 && connections.V%threads.V != 0 && connections.V >= threads.V {
		c.problems.Add("contradiction", threads.Text.Pos,
			"%s gives every thread the same number of connections, and %d is not a multiple of %d", c.tool.Name, connections.V,
			threads.V).Hint = "raise connections, or change threads"
	}
}

// statuses reports answers that the tool always counts as failed.
func (c *toolCheck) statuses() {
	if !c.tool.HTTP || c.Verify == nil {
		return
	}
	for _, status := range c.Verify.Status {
		if status.Known() && (status.V < 200 || status.V > 299) {
			c.problems.Add("no-flag", status.Text.Pos,
				"%s counts answers of status %d as failed, and has no flag to change that", c.tool.Name, status.V).
				Hint = "use tool: benchbook for such answers"
		}
	}
}

// args reports flags of a tool that a key has set already, even by default: otherwise the record would contradict the
// command line.
func (c *toolCheck) args(keys []toolKey) {
	flags := map[string]string{} // keys by their flags
	for _, k := range keys {
		if flag, _ := c.tool.Flag(k.name); flag != "" && k.at.Source != nil {
			flag, _, _ = strings.Cut(flag, "=")
			flags[flag] = k.name
		}
	}
	headers, _ := c.tool.Flag("headers") // which may be given several times
	for _, word := range c.Args.For(c.Tool.V) {
		flag, _, _ := strings.Cut(word.Value, "=")
		if key := flags[flag]; key != "" && flag != headers {
			c.problems.Add("contradiction", word.Pos, "%s is the flag of %s for %s, which the load has already", flag,
				c.tool.Name, key).Hint = "remove it from args, and set it with " + key + ":"
		}
	}
}
