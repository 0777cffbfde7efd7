package plan

import (
	"slices"
	"strings"

	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// driver completes the program of the article that puts the load on. Problems without a place of their own are reported
// at at.
func (r *reader) driver(l *spec.Load, at source.Pos) {
	d, n := l.Driver, r.node.Under("load", "driver")
	if d == nil {
		return
	}
	if command := n.Under("command"); command != nil {
		at = command.Text.Pos
	}
	r.checkDriver(l)
	r.checkWrittenSecrets(n.Under("environment"))
	ok := r.image(&d.Image, image{LoadName, "the driver", n, at, "", "remove driver"})
	if d.Prints != spec.Summary { // requests are the default, and the same trial
		d.Prints = ""
	}
	if !ok || len(d.Command) == 0 {
		l.Driver = nil
	}
}

// checkDriver reports what a load asks for and a driver cannot do, or does not print.
func (r *reader) checkDriver(l *spec.Load) {
	load := r.node.Get("load")
	if l.Outside {
		r.contradiction(load.TextAt("outside").Pos,
			"a driver runs in a container, which does not reach a target that runs already",
			"remove driver, or make the target a service")
	}
	isOther := func(t source.Text) bool {
		scheme, _, ok := strings.Cut(t.Value, "://")
		return ok && scheme != "http" && scheme != "https"
	}
	if verify := load.Under("verify"); verify != nil && slices.ContainsFunc(targetsOf(load), isOther) {
		r.contradiction(verify.Text.Pos, "answers are checked over HTTP, and a target has another scheme",
			"remove verify: the driver says which answers are right")
	}
	const hint = "remove prints, and print a line for each request"
	if rate := load.Under("rate"); l.Driver.Prints == spec.Summary && rate != nil {
		r.contradiction(rate.Text.Pos, "a summary does not tell when requests were due, as rate needs it", hint)
	}
	if c := r.node.Under("capacity"); c != nil && l.Driver.Prints == spec.Summary {
		r.contradiction(c.Text.Pos, "a summary does not tell when requests were due, as a search for a capacity needs it", hint)
	}
}
