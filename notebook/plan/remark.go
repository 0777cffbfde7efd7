package plan

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/expr"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// Remarks adds the warnings about the experiment: it can be measured, and its author should look at something.
func (e *Experiment) Remarks(problems *source.Problems) { problems.Merge(&e.remarks) }

// checkAxes warns about axes that nothing uses: their cells all measure the same.
func (e *outline) checkAxes(body *source.Node) {
	if e.head.Matrix == nil {
		return
	}
	used := map[string]bool{}
	visitNames(body, func(_ string, _ source.Text, s *expr.Selector) {
		if path := strings.Split(s.Name, "."); path[0] == "matrix" && len(path) > 1 {
			used[path[1]] = true
		}
	})
	for _, row := range e.head.Matrix.Include { // its fields belong to the axis values that it names
		for _, f := range row.Fields {
			used[f.Name.Value] = true
		}
	}
	for _, axis := range e.head.Matrix.Axes {
		name := axis.Name.Value
		if !used[name] && len(axis.Value) > 1 {
			e.remarks.Warn("unused-axis", axis.Name.Pos, "nothing uses axis %q, so its cells all measure the same", name).
				Hint = "write ${{ matrix." + name + " }} where they differ, or remove the axis"
		}
	}
}

// checkPort warns about a load on a port that its service does not expose: nothing waits until that answers.
func (e *outline) checkPort(t *Trial, load *source.Node) {
	for _, target := range targetsOf(load) {
		u, err := url.Parse(target.Value)
		if err != nil {
			continue
		}
		port, err := strconv.Atoi(u.Port())
		if err != nil {
			port = map[string]int{"http": 80, "https": 443}[u.Scheme]
		}
		s := t.service(u.Hostname())
		if port == 0 || s == nil || slices.Contains(s.Expose, port) || len(s.Expose) == 0 && !s.Ready.HasNoTest() {
			continue
		}
		exposed := "no port"
		if len(s.Expose) > 0 {
			exposed = strings.Join(slice.Map(s.Expose, strconv.Itoa), ", ")
		}
		e.remarks.Warn("port-not-exposed", target.Pos, "the load goes to port %d of service %q, which exposes %s",
			port, s.Name, exposed).Hint = "correct the port, or add it to expose, which is waited for"
	}
}

// service returns a service of the trial, or nil.
func (t *Trial) service(name string) *spec.Service {
	found, _ := slice.Find(t.Services, func(s *spec.Service) bool { return s.Name == name })
	return found
}
