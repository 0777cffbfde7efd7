package plan

import (
	"math/rand/v2"
	"slices"

	"benchbook/internal/slice"
)

// drawOrder returns the order of repetitions: rounds with every trial once, each shuffled.
func (e *Experiment) drawOrder(trials []*Trial) []Step {
	var steps []Step
	random := rand.New(rand.NewPCG(uint64(e.Seed), 0))
	for r := range e.Most() {
		for _, i := range random.Perm(len(trials)) {
			steps = append(steps, Step{Trial: trials[i], Round: r + 1, Repetition: r + 1})
		}
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
