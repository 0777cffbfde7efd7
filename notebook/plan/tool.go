package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/article"

	"benchbook/notebook/loadtool"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// tool reads which program puts the load on, and the words that are added to its command line.
func (r *reader) tool(l *article.Load, out *spec.Load) {
	problems := r.problems
	if l.Tool.V != article.OwnTool {
		out.Tool = string(l.Tool.V)
	}
	if script, ok := r.draft.configs[&l.Script]; ok {
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
			r.checkTool(l, foreign)
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

// loadKeys are the keys of a load that another tool needs flags for.
var loadKeys = []string{"method", "headers", "body", "connections", "threads", "duration", "requests", "start", "timeout",
	"keepalive", "think", "verify", "warmup", "rate", "arrivals", "script"}

// keyOf is the value under a key of the load; nil for one without a value that changes anything. A single target may
// have its own.
func (r *reader) keyOf(key string) *source.Node {
	l, load := r.definition.Load, r.node.Get("load")
	switch {
	case key == "warmup" && l.Warmup.V <= 0, key == "arrivals" && l.Arrivals.V != article.PoissonArrivals:
		return nil
	case key == "method" || key == "headers" || key == "body":
		target := load.Get("target")
		if target != nil && len(target.Items) == 1 {
			target = target.Items[0]
		}
		if own := target.Get(key); own != nil {
			return own
		}
	}
	return load.Get(key)
}

// checkTool reports what a load asks for and its tool cannot do.
func (r *reader) checkTool(l *article.Load, tool *loadtool.Tool) {
	refuse := func(rule string, at source.Pos, hint, message string) {
		r.problems.Add(rule, at, "%s", tool.Name+" "+message).Hint = hint
	}
	flags := r.checkKeys(l, tool, refuse)
	if len(l.Target) > 1 {
		refuse("no-flag", l.Target[1].Pos, "leave one target, or use tool: benchbook", "has no flag for several targets")
	}
	for _, t := range drawnIn(l) {
		refuse("no-flag", t.Pos, "write a fixed value, or use tool: benchbook",
			"has no flag for values that are drawn for every request")
	}
	if tool.Either && l.Requests.Set() && IsWritten(l.Duration.Text.Pos) {
		refuse("contradiction", l.Duration.Text.Pos, "remove duration or requests",
			"ends after a time or after a number of requests, not at whichever comes first")
	}
	for _, word := range l.Args.For(l.Tool.V) { // the record would contradict the command line
		flag, _, _ := strings.Cut(word.Value, "=")
		if key := flags[flag]; key != "" {
			refuse("contradiction", word.Pos, "remove it from args, and set it with "+key+":",
				"has "+flag+" for "+key+", which the load has already")
		}
	}
	r.checkDivision(l, tool)
	r.checkStatuses(l, tool)
}

// checkKeys reports keys of a load that its tool has no flag for, and gives the keys that have one by their flags.
// Built-in defaults without a flag are left out silently: the recorded command line shows that.
func (r *reader) checkKeys(l *article.Load, tool *loadtool.Tool,
	refuse func(rule string, at source.Pos, hint, message string)) map[string]string {
	flags := map[string]string{}
	for _, key := range loadKeys {
		n := r.keyOf(key)
		if n == nil {
			continue
		}
		flag, ok := tool.Flag(key)
		if word, _, _ := strings.Cut(flag, "="); word != "" && key != "headers" { // which may be given several times
			flags[word] = key
		}
		switch {
		case !IsWritten(n.Text.Pos):
		case !ok && !(key == "keepalive" && l.Keepalive.V): // which it does anyway
			refuse("no-flag", n.Text.Pos, "remove "+key+", or use another tool; flags of its own go into args",
				"has no flag for "+key)
		case !l.Script.IsZero() && slices.Contains(tool.ScriptSays, key):
			refuse("contradiction", n.Text.Pos, "remove "+key+", and let the script say it",
				"has no "+key+" with a script of the article")
		case slices.Contains(tool.Seconds, key):
			if d, err := time.ParseDuration(n.Text.Value); err == nil && d%time.Second != 0 {
				whole := d.Truncate(time.Second)
				refuse("wrong-value", n.Text.Pos, fmt.Sprintf("write %s or %s", whole, whole+time.Second),
					fmt.Sprintf("takes %s in whole seconds, not %s", key, n.Text.Value))
			}
		}
	}
	return flags
}

// checkDivision reports requests and connections that cannot be divided as the tool does.
func (r *reader) checkDivision(l *article.Load, tool *loadtool.Tool) {
	requests, connections, threads := l.Requests, l.Connections, l.Threads
	if tool.Even && connections.V > 0 && requests.V%connections.V != 0 {
		r.problems.Add("contradiction", requests.Text.Pos,
			"%s sends the same number of requests on every connection, and %d is not a multiple of %d", tool.Name, requests.V,
			connections.V).Hint = "write a multiple of connections"
	}
	if tool.EvenThreads && threads.V > 0 && connections.V >= threads.V && connections.V%threads.V != 0 {
		r.problems.Add("contradiction", threads.Text.Pos,
			"%s gives every thread the same number of connections, and %d is not a multiple of %d", tool.Name, connections.V,
			threads.V).Hint = "raise connections, or change threads"
	}
}

// checkStatuses reports answers that the tool always counts as failed.
func (r *reader) checkStatuses(l *article.Load, tool *loadtool.Tool) {
	if l.Verify == nil || !tool.HTTP {
		return
	}
	for _, status := range l.Verify.Status {
		if status.Known() && (status.V < 200 || status.V > 299) {
			r.problems.Add("no-flag", status.Text.Pos,
				"%s counts answers of status %d as failed, and has no flag to change that", tool.Name, status.V).
				Hint = "use tool: benchbook for such answers"
		}
	}
}

// drawnIn are the parts of requests that are drawn for each of them: all other templates were filled in.
func drawnIn(l *article.Load) []source.Text {
	texts, headers := []source.Text{l.Body}, l.Headers
	for _, t := range l.Target {
		texts, headers = append(texts, t.URL, t.Body), slices.Concat(headers, t.Headers)
	}
	for _, h := range headers {
		texts = append(texts, h.Value)
	}
	return slices.DeleteFunc(texts, func(t source.Text) bool { return !isTemplate(t) })
}
