package plan

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/expr"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// Remarks adds the warnings about the experiment: it can be measured, and its author should look at something.
func (e *Experiment) Remarks(problems *source.Problems) { problems.Merge(&e.remarks) }

// checkAxes remarks axes that nothing uses: their cells all measure the same.
func (e *outline) checkAxes(body *source.Node) {
	m := e.head.Matrix
	if m == nil {
		return
	}
	used := map[string]bool{}
	visitNames(body, "", func(_ string, _ *source.Node, s *expr.Selector) {
		if path := strings.Split(s.Name, "."); path[0] == "matrix" && len(path) > 1 {
			used[path[1]] = true
		}
	})
	for _, row := range m.Include { // a row that has the value of an axis says what else is so with it
		for _, f := range row.Fields {
			used[f.Name.Value] = true
		}
	}
	for _, axis := range m.Axes {
		name := axis.Name.Value
		if !used[name] && len(axis.Value) > 1 {
			e.remarks.Warn("unused-axis", axis.Name.Pos, "nothing uses axis %q, so its cells all measure the same", name).
				Hint = "write ${{ matrix." + name + " }} where they differ, or remove the axis"
		}
	}
}

// checkPort remarks a load on a port that its service does not expose: nothing waits until that answers.
func (e *outline) checkPort(t *Trial, l *article.Load) {
	for _, target := range l.Target {
		u, err := url.Parse(target.URL.Value)
		if err != nil || u.Port() == "" && u.Scheme != "http" && u.Scheme != "https" {
			continue
		}
		s, ok := t.service(u.Hostname())
		if port := portOf(u); ok && (len(s.Expose) > 0 || s.Ready.HasNoTest()) && !slices.Contains(s.Expose, port) {
			known := []string{"no port"}
			for i, p := range s.Expose {
				known = append(known[:i], strconv.Itoa(p))
			}
			e.remarks.Warn("port-not-exposed", target.URL.Pos, "the load goes to port %d of service %q, which exposes %s",
				port, s.Name, strings.Join(known, ", ")).Hint = "correct the port, or add it to expose, which is waited for"
		}
	}
}

// service finds a service of a trial by its name.
func (t *Trial) service(name string) (*spec.Service, bool) {
	i := slices.IndexFunc(t.Services, func(s *spec.Service) bool { return s.Name == name })
	if i < 0 {
		return nil, false
	}
	return t.Services[i], true
}

// portOf is the port of a URL, or that of its scheme; 0 if neither is known.
func portOf(u *url.URL) int {
	if port, err := strconv.Atoi(u.Port()); err == nil {
		return port
	}
	return map[string]int{"http": 80, "https": 443, "postgresql": 5432, "postgres": 5432}[strings.ToLower(u.Scheme)]
}
