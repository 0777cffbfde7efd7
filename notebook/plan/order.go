package plan

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/spec"
)

// allowsBlocks reports that the repetitions of a cell can be measured in a row on services that stay up: there are some,
// and no repetition changes them for the next.
//
// Source: docs/experiment.md#blocks.
func (e *outline) allowsBlocks(measured []*Trial) bool {
	return measured[0].Capacity == nil && !slices.ContainsFunc(measured, e.mayChangeServices) &&
		slices.ContainsFunc(measured, e.hasOwnServices)
}

// hasOwnServices reports whether a trial has services that are not shared.
func (e *outline) hasOwnServices(t *Trial) bool {
	return slices.ContainsFunc(t.Services, func(s *spec.Service) bool { return !slices.Contains(e.Shared, s.Name) })
}

// mayChangeServices reports whether a repetition of a trial may do more to its services than reading from them, or
// wants to see them start.
func (e *outline) mayChangeServices(t *Trial) bool {
	if t.Load == nil || len(t.Prepare) > 0 || len(t.Conclude) > 0 {
		return true // a command may do anything
	}
	readsLog := func(m Metric) bool { return m.Stream == "log" && !slices.Contains(e.Shared, m.Service) }
	if slices.ContainsFunc(e.Metrics, readsLog) {
		return true
	}
	changes := func(method string) bool {
		return method != "" && method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
	}
	return changes(t.Load.Method) ||
		slices.ContainsFunc(t.Load.Targets, func(target spec.Target) bool { return changes(target.Method) }) ||
		slices.ContainsFunc(t.Load.URLs(), func(url string) bool { return !strings.HasPrefix(url, "http") }) // of a database
}

// drawOrder returns the order of repetitions: rounds with every trial once, each shuffled; or, in blocks, up to each look
// trial by trial, the trials shuffled.
func (e *Experiment) drawOrder(trials []*Trial) []Step {
	var steps []Step
	random := rand.New(rand.NewPCG(uint64(e.Seed), 0))
	if !e.Blocks {
		for r := range e.Most() {
			for _, i := range random.Perm(len(trials)) {
				steps = append(steps, Step{Trial: trials[i], Round: r + 1, Repetition: r + 1})
			}
		}
		return steps
	}
	before := 0
	for _, look := range e.Looks {
		for _, i := range random.Perm(len(trials)) {
			for r := before; r < look; r++ {
				steps = append(steps, Step{Trial: trials[i], Round: r + 1, Repetition: r + 1})
			}
		}
		before = look
	}
	return steps
}

// Redraw gives experiments the order of another session, by seeds of their own.
func (p *Plan) Redraw(session int) {
	for _, e := range p.All {
		isMeasured := func(t *Trial) bool {
			return slices.ContainsFunc(e.Steps, func(s Step) bool { return s.Trial == t })
		}
		if measured := slice.Filter(e.Trials, isMeasured); len(measured) > 0 {
			e.Seed += int64(session)
			e.Steps = e.drawOrder(measured)
		}
	}
}
