package plan

import (
	"slices"
	"strings"

	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// driver completes the program of the article that puts the load on.
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
	ok := d.image(&driver.Image, image{LoadName, "the driver", n, at, "", "remove driver"})
	if driver.Prints != spec.Summary { // requests are the default, and the same trial
		driver.Prints = ""
	}
	if !ok || len(driver.Command) == 0 {
		l.Driver = nil
	}
}

// checkDriver reports what a load asks for and a driver cannot do, or does not print.
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
