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

// tool completes the load tool of a load, and the arguments that are added to its command line.
func (d *draft) tool(l *spec.Load) {
	load := d.node.Get("load")
	if l.Tool == article.OwnTool {
		l.Tool = ""
	}
	args := load.Under("args")
	switch {
	case l.Tool == "" && load.Under("script") != nil:
		d.contradiction(load.TextAt("script").Pos, "a script is for k6 or wrk, and the load is put on by benchbook",
			"add tool: k6 or tool: wrk, or remove script")
	case l.Tool == "" && args != nil && args.Kind != source.Map && len(args.List()) > 0:
		d.contradiction(args.List()[0].Text.Pos, "args are only for tools other than benchbook",
			"add tool: with its name, or write args: {TOOL: [...]}")
	case l.Tool != "":
		l.Args = article.Texts(argsOf(load, l.Tool))
		tool, _ := loadtool.Find(l.Tool)
		d.checkTool(l, &tool)
	}
}

// argsOf returns the arguments for the command line of a tool.
func argsOf(load *source.Node, tool string) []source.Text {
	args := load.Under("args")
	if args != nil && args.Kind == source.Map {
		args = args.Under(tool)
	}
	return texts(args)
}

// contradiction reports two values that exclude each other.
func (p *planner) contradiction(at source.Pos, message, hint string) {
	p.problems.Add("contradiction", at, "%s", message).Hint = hint
}

// loadKeys are the keys of a load that a tool other than benchbook needs flags for.
var loadKeys = []string{"script", "method", "headers", "body", "connections", "threads", "duration", "requests", "timeout",
	"keepalive", "think", "verify", "warmup", "rate", "arrivals"}

// keyOf returns the value of a key of the load, or of its single target; nil if the key has no effect.
func (d *draft) keyOf(key string) *source.Node {
	load := d.node.Get("load")
	switch {
	case key == "warmup" && d.definition.Load.Warmup <= 0,
		key == "arrivals" && load.TextAt(key).Value != spec.PoissonArrivals:
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

func (d *draft) checkTool(l *spec.Load, tool *loadtool.Tool) {
	for _, key := range loadKeys {
		if n := d.keyOf(key); n != nil {
			d.checkToolKey(l, tool, key, n)
		}
	}
	load := d.node.Get("load")
	for _, word := range argsOf(load, l.Tool) {
		d.checkToolWord(tool, word)
	}
	if targets := load.Under("target").List(); len(targets) > 1 {
		d.noFlag(tool, targets[1].Text.Pos, "several targets", "leave one target, or use tool: benchbook")
	}
	if at := load.TextAt("duration").Pos; tool.Either && load.Under("requests") != nil && IsWritten(at) {
		d.contradiction(at, tool.Name+" ends after a time or after a number of requests, not at whichever "+
			"comes first", "remove duration or requests")
	}
	if tool.Even && l.Connections > 0 && l.Requests%l.Connections != 0 {
		d.contradiction(load.TextAt("requests").Pos, fmt.Sprintf("%s sends the same number of requests on every connection, and %d is "+
			"not a multiple of %d", tool.Name, l.Requests, l.Connections), "write a multiple of connections")
	}
}

// checkToolWord reports an argument that sets the flag of a key again: the record would contradict the command line.
func (d *draft) checkToolWord(tool *loadtool.Tool, word source.Text) {
	name, _, _ := strings.Cut(word.Value, "=")
	for _, key := range loadKeys {
		flag, _ := tool.Flag(key)
		if flag, _, _ = strings.Cut(flag, "="); flag == name && flag != "" && key != "headers" && d.keyOf(key) != nil {
			d.contradiction(word.Pos, tool.Name+" has "+flag+" for "+key+", which the load has already",
				"remove it from args, and set it with "+key+":")
			return // report it once: wrk has one flag for several keys
		}
	}
}

func (d *draft) noFlag(tool *loadtool.Tool, at source.Pos, what, hint string) {
	d.problems.Add("no-flag", at, "%s has no flag for %s", tool.Name, what).Hint = hint
}

// checkToolKey checks the value n of a key of the load. Built-in defaults without a flag are left out silently, as the
// recorded command line shows.
func (d *draft) checkToolKey(l *spec.Load, tool *loadtool.Tool, key string, n *source.Node) {
	_, ok := tool.Flag(key)
	length, err := time.ParseDuration(n.Text.Value)
	switch {
	case !IsWritten(n.Text.Pos):
	case !ok && !(key == "keepalive" && l.Keepalive): // every tool keeps connections alive
		d.noFlag(tool, n.Text.Pos, key, "remove "+key+", or use another tool; flags of its own go into args")
	case d.node.Under("load", "script") != nil && slices.Contains(tool.ScriptSays, key):
		d.contradiction(n.Text.Pos, tool.Name+" has no "+key+" with a script of the article",
			"remove "+key+", and let the script say it")
	case slices.Contains(tool.Seconds, key) && err == nil && length%time.Second != 0:
		d.problems.Add("wrong-value", n.Text.Pos, "%s takes %s in whole seconds, not %s", tool.Name, key, n.Text.Value).
			Hint = fmt.Sprintf("write %s or %s", length.Truncate(time.Second), length.Truncate(time.Second)+time.Second)
	}
}

// driver completes the driver of a load.
func (d *draft) driver(l *spec.Load) {
	driver, n, at := l.Driver, d.node.Under("load", "driver"), d.at
	if driver == nil {
		return
	}
	if command := n.Under("command"); command != nil {
		at = command.Text.Pos
	}
	d.checkDriver(l)
	d.checkWrittenSecrets(n.Under("environment"))
	d.image(&driver.Image, image{LoadName, "the driver", n, at, "", "remove driver"})
	if driver.Prints != spec.Summary { // the default is left out of the key
		driver.Prints = ""
	}
}

// checkDriver reports what a load needs and a driver cannot do, or does not print.
func (d *draft) checkDriver(l *spec.Load) {
	load := d.node.Get("load")
	if l.Outside {
		d.contradiction(load.TextAt("outside").Pos,
			"a driver runs in a container, which does not reach a target that runs already",
			"remove driver, or make the target a service")
	}
	isOther := func(t source.Text) bool {
		scheme, _, ok := strings.Cut(t.Value, "://")
		return ok && scheme != "http" && scheme != "https"
	}
	if verify := load.Under("verify"); verify != nil && slices.ContainsFunc(targetsOf(load), isOther) {
		d.contradiction(verify.Text.Pos, "answers are checked over HTTP, and a target has another scheme",
			"remove verify: the driver says which answers are right")
	}
	for what, n := range map[string]*source.Node{"rate": load.Under("rate"), "a search for a capacity": d.node.Under("capacity")} {
		if n != nil && l.Driver.Prints == spec.Summary {
			d.contradiction(n.Text.Pos, "a summary does not tell when requests were due, as "+what+" needs it",
				"remove prints, and print a line for each request")
		}
	}
}
