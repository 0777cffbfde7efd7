package claim

import (
	"math"
	"math/rand/v2"
	"slices"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
	"benchbook/slice"
)

// Mutate judges every claim on tables of made-up numbers, which exist in memory only: one that the claim asks for, the
// same reversed, shuffled and noisy, and others at random. A claim that all of them contradict can never be supported,
// and one that none of them contradicts cannot fail; both are problems. It gives the claims that tables can support,
// contradict and leave undecided.
//
// The plan is that of the full profile, and Check has found nothing wrong with the article. Claims about what is
// unavailable, or left out by the profile, have no verdict to be moved. The same article has the same tables.
func Mutate(doc *article.Document, p *plan.Plan, problems *source.Problems) (moved []*article.Claim) {
	for _, claim := range doc.Claims {
		m := mutation{d: dataset.WithoutRecords(doc, p), random: rand.New(rand.NewPCG(1, 1))}
		t, err := newTest(m.d, claim)
		if err != nil {
			continue // the profile leaves its cells out
		}
		m.survey(t)
		at := claim.Expect.Text.Pos
		switch supported, contradicted, measured := m.run(t); {
		case !measured:
		case supported && contradicted:
			if m.isOpened(t) {
				moved = append(moved, claim)
			}
		case supported:
			problems.Add("cannot-fail", at, "no made-up numbers contradict claim %q", claim.Name.Value).
				Hint = "claim something that could turn out to be wrong"
		default:
			problems.Add("cannot-hold", at, "no made-up numbers support claim %q", claim.Name.Value).
				Hint = "look for parts of it that contradict each other"
		}
	}
	return moved
}

// A point is one number of a table.
type point struct {
	cell   *dataset.Cell
	metric string
}

// A mutation tries tables of numbers on one claim.
type mutation struct {
	d      *dataset.Dataset // of its own, without records
	random *rand.Rand
	points []point           // that the claim is about, in its order
	wanted map[point]float64 // what the claim asks for
	centre map[string]float64
}

// How far numbers of tables lie apart, and how many tables there are at random.
const (
	hardly   = 1e-4 // one repetition from the next
	noisily  = 3
	clearly  = 1.5 // more than any smallest effect
	randomly = 100
	failures = 10_000 // of the million requests that repetitions with made-up failures attempt
)

// steps are the factors between numbers at random: from those that no claim tells apart to far apart.
var steps = []float64{1, 1.01, 1.1, clearly, 3, 10, 100, 10_000}

// survey finds the points of a claim, and a table that supports it as far as its parts do not contradict each other.
func (m *mutation) survey(t test) {
	m.wanted, m.centre = map[point]float64{}, map[string]float64{}
	for _, part := range leaves(t) {
		switch part := part.(type) {
		case limitTest:
			m.limit(part)
		case fewerTest:
			if name := part.a.metric.Name; !part.a.metric.Share {
				m.centre[name] = failures
			}
		}
	}
	for _, part := range leaves(t) {
		m.want(part)
	}
}

// limit notes what single values are compared with: numbers are made up around that.
func (m *mutation) limit(t limitTest) {
	limit := t.region.Hi
	if math.IsInf(limit, 1) {
		limit = t.region.Lo
	}
	if limit != 0 {
		m.centre[t.side.metric.Name] = limit
	}
}

func (m *mutation) want(t test) {
	switch t := t.(type) {
	case ratioTest:
		m.relate(t.a, t.b, inside(t.region))
	case ratiosTest:
		m.relate(t.under.a, t.under.b, 1)
		m.relate(t.over.a, t.over.b, inside(t.region))
	case fewerTest:
		m.relate(t.a, t.b, 1/steps[len(steps)-2])
	case limitTest:
		limit := m.around(t.side.metric.Name)
		factor := clearly
		if math.IsInf(t.region.Lo, -1) != (limit < 0) {
			factor = 1 / clearly
		}
		m.set(t.side, limit*factor)
	}
}

// inside is a ratio in a region.
func inside(r stats.Region) float64 {
	switch {
	case math.IsInf(r.Hi, 1):
		return r.Lo * clearly
	case r.Lo <= 0:
		return r.Hi / clearly
	}
	return math.Sqrt(r.Lo * r.Hi)
}

func (m *mutation) around(metric string) float64 {
	if c, ok := m.centre[metric]; ok {
		return c
	}
	return 1
}

// relate wants a to be so many times b, where not both are wanted already for the sake of earlier parts.
func (m *mutation) relate(a, b side, ratio float64) {
	value := func(s side) (float64, bool) {
		for _, c := range s.cells {
			if v, ok := m.wanted[point{c, s.metric.Name}]; ok {
				return v, true
			}
		}
		return m.around(s.metric.Name), false
	}
	y, isWanted := value(b)
	if x, ok := value(a); ok && !isWanted {
		y = x / ratio
	}
	m.set(b, y)
	m.set(a, y*ratio)
}

func (m *mutation) set(s side, v float64) {
	for _, c := range s.cells {
		p := point{c, s.metric.Name}
		m.points = slice.Add(m.points, p)
		if _, ok := m.wanted[p]; !ok {
			m.wanted[p] = v
		}
	}
}

// judge judges the claim on a table, whose repetitions lie apart by a spread.
func (m *mutation) judge(t test, table []float64, spread float64) stats.Verdict {
	for i, p := range m.points {
		p.cell.SetResult(p.metric, p.cell.MadeUp(p.metric, table[i], spread))
	}
	return t.judge(stats.DefaultAlpha).Verdict
}

// asked is the table that the claim asks for.
func (m *mutation) asked() []float64 {
	return slice.Map(m.points, func(p point) float64 { return m.wanted[p] })
}

// isOpened reports whether noise leaves the claim undecided on the table that it asks for.
func (m *mutation) isOpened(t test) bool { return m.judge(t, m.asked(), noisily) == stats.Inconclusive }

// run judges the claim on all tables until it was moved either way; it is not measured if no table gives it numbers.
func (m *mutation) run(t test) (supported, contradicted, measured bool) {
	try := func(table []float64) bool {
		switch m.judge(t, table, hardly) {
		case stats.Supported:
			supported, measured = true, true
		case stats.Contradicted:
			contradicted, measured = true, true
		case stats.Inconclusive:
			measured = true
		}
		return supported && contradicted
	}
	asked := m.asked()
	shuffled := slices.Clone(asked)
	m.random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	if try(asked) || try(m.reversed(asked)) || try(shuffled) {
		return
	}
	for range randomly {
		table := make([]float64, len(m.points))
		for i, p := range m.points {
			step := steps[m.random.IntN(len(steps))]
			if m.random.IntN(2) == 0 {
				step = 1 / step
			}
			table[i] = m.around(p.metric) * step
		}
		if try(table) || try(m.reversed(table)) {
			return
		}
	}
	return
}

// reversed has what was most as the least: each number as far beyond the centre of its metric as it was short of it.
func (m *mutation) reversed(table []float64) []float64 {
	out := make([]float64, len(table))
	for i, p := range m.points {
		c := m.around(p.metric)
		out[i] = c * c / table[i]
	}
	return out
}
