package plan

import (
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// driver reads the program of the article that puts the load on; nil without one that can be run. Problems
// without a place of their own are reported at at.
func (r *reader) driver(l *article.Load, at source.Pos) *spec.Driver {
	d := l.Driver
	if d == nil {
		return nil
	}
	if d.Command != nil {
		at = d.Command.Pos
	}
	r.checkDriver(l)
	built, ok := r.image(image{LoadName, "the driver", d.Image, d.Build, at, d.Tried, "", "remove driver"})
	if ok && len(words(d.Command)) == 0 && !d.Tried.Has("command") {
		r.problems.Add("missing-key", at, "the driver has no command").
			Hint = "add command: with the program and its arguments"
	}
	if !ok || len(words(d.Command)) == 0 {
		return nil
	}
	out := &spec.Driver{Image: built, Command: words(d.Command), Environment: r.variables(d.Environment),
		Configs: r.draft.configs.files(d.Configs)}
	if d.Prints.V == article.PrintsSummary { // requests are the default, and the same trial
		out.Prints = spec.Summary
	}
	return out
}

// checkDriver reports what a load asks for and a driver cannot do, or does not print.
func (r *reader) checkDriver(l *article.Load) {
	if l.Outside.V {
		r.contradiction(l.Outside.Text.Pos, "a driver runs in a container, which does not reach a target that runs already",
			"remove driver, or make the target a service")
	}
	isOther := func(t article.Target) bool {
		scheme, _, ok := strings.Cut(t.URL.Value, "://")
		return ok && scheme != "http" && scheme != "https"
	}
	if verify := r.keyOf("verify"); verify != nil && slices.ContainsFunc(l.Target, isOther) {
		r.contradiction(verify.Text.Pos, "answers are checked over HTTP, and a target has another scheme",
			"remove verify: the driver says which answers are right")
	}
	const hint = "remove prints, and print a line for each request"
	if l.Driver.Prints.V == article.PrintsSummary && !l.Rate.IsZero() {
		r.contradiction(l.Rate.Text.Pos, "a summary does not tell when requests were due, as rate needs it", hint)
	}
	if c := r.definition.Capacity; c != nil && l.Driver.Prints.V == article.PrintsSummary {
		r.contradiction(c.Pos, "a summary does not tell when requests were due, as a search for a capacity needs it", hint)
	}
}
