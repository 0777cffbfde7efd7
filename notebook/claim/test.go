package claim

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
)

// Form is the kind of a test.
//
// Source: docs/claims.md#forms.
type Form string

const (
	Compared Form = "compared" // a > b; also the geometric means of two lists
	Multiple Form = "multiple" // ratio(a, b) > k, a > k * b
	Near     Form = "near"     // same(a, b), within(a, b, 10%), about(a, b, k)
	Gap      Form = "gap"      // ratio(a, b) > ratio(c, d): four sides
	Limit    Form = "limit"    // a < 100ms: one side
	Fewer    Form = "fewer"    // fewer(a, b)
	Pairs    Form = "pairs"    // every: two sides, which are lists; a part for each pair
	All      Form = "all"      // and: the sides are in the parts
)

// Test is a claim, or a part of one, with its form and cells.
type Test struct {
	Form    Form
	Op      expr.Op // between the sides, or between a value and its limit; "" for forms without one
	Sides   []Side
	What    string       // in words: "throughput, async over sync"
	Region  stats.Region // where the effect must lie, in its unit; for Fewer, above the smallest difference that matters
	IsRatio bool         // the effect is the ratio of two sides, or the quotient of two such ratios

	delta float64 // the smallest effect
	parts []Test  // of Pairs and All

	sessions  []Test // the test in other sessions
	isSession bool   // judged as one of several sessions
	looks     int    // at its cells in known runs; the records may have more
}

// Side is one side of a test: a metric of a cell or of a list of them.
type Side struct {
	Metric  record.Metric
	Cells   []*dataset.Cell
	Written *expr.Selector // as the claim writes it
	Geomean bool           // of the cells' geometric mean
}

func (s Side) isSearched() bool { return record.IsSearched(s.Metric.Name) }

// leaves calls visit for each part without parts, with the level at which it can decide the test alone.
func (t Test) leaves(alpha float64, visit func(Test, float64)) {
	if len(t.parts) == 0 {
		visit(t, alpha)
	}
	for _, part := range t.parts {
		part.leaves(alpha/float64(len(t.parts)), visit)
	}
}

// leafSides returns the sides of all leaves.
func (t Test) leafSides() (sides []Side) {
	t.leaves(1, func(leaf Test, _ float64) { sides = append(sides, leaf.Sides...) })
	return sides
}

// cells returns the cells of all leaves; some may occur twice.
func (t Test) cells() []*dataset.Cell { return cellsOf(t.leafSides()) }

func cellsOf(sides []Side) []*dataset.Cell {
	return slices.Concat(slice.Map(sides, func(s Side) []*dataset.Cell { return s.Cells })...)
}

// isSearched reports whether all values come from searches, which no repetition changes.
func (t Test) isSearched() bool {
	return !slices.ContainsFunc(t.leafSides(), func(s Side) bool { return !s.isSearched() })
}

// Judge judges the test at the level for the looks at its cells. Effects keep their usual intervals.
//
// Source: docs/method.md#number-of-looks.
func (t Test) Judge() Judgement {
	usual := t.judge(stats.DefaultAlpha)
	usual.Level = stats.DefaultAlpha
	level := dataset.LookLevel(max(t.looks, dataset.LookCount(t.cells())))
	if level == stats.DefaultAlpha || t.isSearched() {
		return usual
	}
	j := t.judge(level)
	j.showEffectsOf(&usual, level)
	j.Level = level
	return j
}

// showEffectsOf gives a judgement at a stricter level, and its parts, the effects at the usual level.
func (j *Judgement) showEffectsOf(usual *Judgement, level float64) {
	strict := j.Effect
	j.Effect = usual.Effect
	for i := range j.Parts {
		j.Parts[i].showEffectsOf(&usual.Parts[i], level)
	}
	switch {
	case j.Verdict != stats.Inconclusive:
	case len(j.Parts) > 0:
		j.Needed, j.Reason = undecidedParts(j.Parts)
	case usual.Verdict != stats.Inconclusive && strict != nil && strict.Interval != nil &&
		strings.Contains(j.Reason, includesLimit):
		j.Reason = strings.Replace(j.Reason, includesLimit, " at the stricter level"+includesLimit, 1)
		j.Strict = &StrictInterval{*strict.Interval, level}
	}
}

// judge judges the test at the level alpha.
func (t Test) judge(alpha float64) Judgement {
	j := Judgement{Test: t}
	if len(t.parts) > 0 {
		j.judgeParts(alpha)
		return j
	}
	j.note()
	sides, ok := j.measured()
	switch {
	case !ok:
	case t.isSearched():
		j.judgeSearched()
	case t.Form == Limit:
		j.judgeLimit(alpha)
	case t.Form == Fewer:
		j.judgeFewer(alpha)
	default:
		j.judgeRatio(sides, alpha)
	}
	j.judgeSessions(alpha)
	return j
}

// note sets the marks of the sides, and the noise floor of a ratio. Each ratio of a gap has its own floor.
func (j *Judgement) note() {
	cells := cellsOf(j.Sides)
	j.Marks = dataset.Marks(cells...)
	var late []string
	for pair := range slices.Chunk(j.Sides, 2) {
		cells := cellsOf(pair)
		isOther := func(s Side) bool { return !record.IsTime(s.Metric.Name) }
		if !slices.ContainsFunc(pair, isOther) && dataset.LoadsDiffer(cells, j.delta) {
			j.mark(dataset.MarkLoads)
		}
		if !j.IsRatio || pair[0].isSearched() {
			continue
		}
		floor := 0.0
		for _, s := range pair {
			for _, c := range s.Cells {
				f, mark := c.Experiment.Floor(s.Metric.Name, cells...)
				floor, late = max(floor, f), append(late, mark)
			}
		}
		j.Floor = math.Hypot(j.Floor, floor)
	}
	for _, s := range j.Sides {
		j.mark(dataset.LeftOutOf(s.Metric.Name, s.Cells...)...)
	}
	j.mark(late...)
}

// mark adds marks without duplicates or empty ones.
func (j *Judgement) mark(marks ...string) {
	j.Marks = slice.Add(j.Marks, slice.Filter(marks, func(m string) bool { return m != "" })...)
}

// measured returns the values of the cells on each side. If a cell has none it returns false, and sets the reason in j.
func (j *Judgement) measured() (sides [][]stats.Cell, ok bool) {
	j.isExact = true
	for _, s := range j.Sides {
		var results []dataset.Result
		for _, c := range s.Cells {
			r := c.Metric(s.Metric.Name)
			if r.Missing != "" {
				j.Verdict, j.Reason = stats.NotMeasured, dataset.WhyMissing(c, r)
				j.Invalid = len(c.Records) > 0 && c.Validity().For(s.Metric.Name).Level == validity.Invalid
				return nil, false
			}
			results = append(results, r)
		}
		j.isExact = j.isExact && !s.Geomean && results[0].Estimate.Kind == stats.Exact
		sides = append(sides, slice.Map(results, dataset.Result.Cell))
	}
	return sides, true
}

// Why the verdict on a measured claim is open.
const (
	includesLimit = " includes the limit of the claim"
	reasonLimit   = "the interval" + includesLimit
	// a ratio is nearer to a limit than the noise floor, or a value lies on it
	reasonOnLimit   = "it is on its limit, whatever the number of repetitions"
	reasonOneSearch = "one search is one repetition: search again, with run --sessions 2"
)

// decide sets the verdict by an interval. If more repetitions narrow it, needed returns how many would decide, as in
// package stats: 0 if no number would, more than stats.MaxRepetitions if too many would be needed.
func (j *Judgement) decide(interval stats.Interval, narrows bool, needed func() int) {
	if j.Verdict = stats.Judge(interval, j.Region); j.Verdict != stats.Inconclusive {
		return
	}
	j.Reason = reasonLimit
	if !narrows {
		return
	}
	switch n := needed(); {
	case n == 0:
		j.Reason = reasonOnLimit
	case n > stats.MaxRepetitions:
		j.Reason += fmt.Sprintf(", and more than %d repetitions would be needed to change that", stats.MaxRepetitions)
	default:
		j.Needed = n
	}
}

// rejectTooFew reports whether a side has too few valid repetitions for a verdict, and if so makes j inconclusive.
func (j *Judgement) rejectTooFew(repetitions ...int) bool {
	for i, n := range repetitions {
		if n < stats.MinRepetitions {
			j.Verdict = stats.Inconclusive
			j.Reason = fmt.Sprintf("there %s %s of %s, and a verdict needs %d", phrase.Verb(n, "is", "are"),
				phrase.Count(n, "valid repetition"), j.name(i), stats.MinRepetitions)
			return true
		}
	}
	return false
}

// judgeRatio judges whether the ratio of two sides, or the quotient of two such ratios, lies in the region.
//
// Source: docs/method.md#ratios and docs/method.md#claims-as-regions.
func (j *Judgement) judgeRatio(sides [][]stats.Cell, alpha float64) {
	c, err := j.compare(sides, alpha)
	if err != nil && !errors.Is(err, stats.ErrTooFew) {
		j.Verdict, j.Reason = stats.Inconclusive, "there is no ratio: "+dataset.NoRatio(err, slices.Concat(sides...), j.cellName)
		return
	}
	if j.isExact {
		c.Interval, c.SE = stats.Interval{Lo: c.Ratio, Hi: c.Ratio}, 0
	}
	effect := dataset.RatioOf(c)
	effect.What, effect.Cells = j.What, cellsOf(j.Sides)
	j.Effect, j.se, j.span = &effect, c.SE, c.Range()
	if j.isExact {
		effect.Kind, effect.Interval, j.span = stats.Exact, nil, stats.Interval{}
	}
	if j.rejectTooFew(slice.Map(sides, fewest)...) {
		return
	}
	j.decide(c.Interval, !c.IsDisturbed(), func() int {
		return stats.Needed(c, j.Region, j.Floor, alpha, j.plannedLooks())
	})
}

// fewest returns the fewest repetitions of any cell.
func fewest(cells []stats.Cell) int {
	return slices.Min(slice.Map(cells, func(c stats.Cell) int { return len(c.Values) }))
}

// compare returns the ratio of the sides, its interval widened by the noise floor. Errors are as for stats.Ratio.
func (j *Judgement) compare(sides [][]stats.Cell, alpha float64) (c stats.Comparison, err error) {
	switch {
	case j.Sides[0].Geomean:
		c, err = stats.RatioOfMeans(sides[0], sides[1], alpha)
	case j.Form == Gap:
		c, err = stats.RatioOfRatios(sides[0][0], sides[1][0], sides[2][0], sides[3][0], alpha)
	default:
		c, err = stats.Ratio(sides[0][0], sides[1][0], alpha)
	}
	c.Interval = c.Widen(j.Floor, alpha)
	return c, err
}

// judgeLimit judges whether one value lies beyond a limit.
//
// Source: docs/method.md#claims-as-regions.
func (j *Judgement) judgeLimit(alpha float64) {
	s := j.Sides[0]
	r := s.Cells[0].Metric(s.Metric.Name)
	e, _ := r.At(alpha) // it has a value, so it has an estimate
	effect := dataset.EstimateQuantity(s.Metric, s.Cells[0], e)
	j.Effect = &effect
	if j.rejectTooFew(e.N) {
		return
	}
	j.se, j.span = limitError(r, e, alpha)
	// The interval of a share shrinks with attempts rather than with repetitions, and bounds do not shrink.
	narrows := !r.IsErrorShare() && !slices.Contains(r.Disturbed(), true)
	j.decide(e.ClaimInterval(), narrows, func() int {
		needed, _ := stats.CellNeeded(r.Cell(), j.Region, alpha, j.plannedLooks())
		return needed
	})
}

// limitError returns the standard error of a value at a level, and the range that a disturbance leaves open.
func limitError(r dataset.Result, e stats.Estimate, alpha float64) (se float64, span stats.Interval) {
	switch {
	case e.Kind == stats.Exact:
		return 0, span
	case r.IsErrorShare():
		return e.Interval.StandardError(alpha), span
	}
	cell := r.Cell()
	if b := cell.Bounds; b != (stats.Interval{}) {
		span = stats.Interval{Lo: e.Centre * b.Lo, Hi: e.Centre * b.Hi}
	}
	se, _ = cell.StandardError()
	return se, span
}

// judgeFewer judges whether a smaller share of attempts fails on the first side, by a difference that matters.
//
// Source: docs/method.md#fewer-failures.
func (j *Judgement) judgeFewer(alpha float64) {
	var counts [2]stats.FailureCounts
	for i, s := range j.Sides {
		if counts[i] = s.Cells[0].Metric(s.Metric.Name).Failures; len(counts[i].Attempted) == 0 {
			j.Verdict = stats.NotMeasured
			j.Reason = j.name(i) + ": it is not known how many requests were attempted"
			return
		}
	}
	f, err := stats.Fewer(counts[0], counts[1], j.Region.Lo, alpha)
	if err != nil {
		j.Verdict, j.Reason = stats.NotMeasured, err.Error()
		return
	}
	j.Effect = &dataset.Quantity{Number: f.D, Unit: "1", Share: true, Kind: stats.NoInterval, N: min(f.NA, f.NB),
		What: j.What, Cells: cellsOf(j.Sides)}
	if j.Effect.N >= stats.MinRepetitions {
		j.Effect.Interval, j.Effect.Kind = &f.Interval, stats.WiderOfTwo
	}
	j.se = f.SE
	if j.rejectTooFew(f.NA, f.NB) {
		return
	}
	if j.Verdict = f.Verdict; j.Verdict == stats.Inconclusive {
		j.Reason = undecidedFewer(f, counts, j.Region.Lo)
	}
}

// undecidedFewer says how far apart the shares can be, and what so few repetitions cannot show.
func undecidedFewer(f stats.FewerFailures, counts [2]stats.FailureCounts, by float64) string {
	words := fmt.Sprintf("the shares of failures differ by at most %s of attempts",
		phrase.Percent(max(math.Abs(f.Interval.Lo), math.Abs(f.Interval.Hi))))
	if by > 0 && f.Interval.Hi < by {
		words += fmt.Sprintf("; a verdict on less than %s needs %d repetitions", phrase.Percent(by), stats.MinContradicted)
	}
	failed := func(n int64) bool { return n > 0 }
	if !slices.ContainsFunc(counts[0].Failed, failed) && !slices.ContainsFunc(counts[1].Failed, failed) {
		words += fmt.Sprintf("; bursts in less than %s of the repetitions would not be seen",
			phrase.Percent(min(1, 3/float64(min(f.NA, f.NB)))))
	}
	return words
}

// judgeSearched judges whether a value that a search found, or the ratio of two, lies in the region. It uses the
// intervals of the searches, which no noise floor widens.
//
// Source: docs/method.md#claims-as-regions and docs/method.md#capacities.
func (j *Judgement) judgeSearched() {
	var results []dataset.Result
	for _, s := range j.Sides {
		r := s.Cells[0].Metric(s.Metric.Name)
		if r.Estimate.Kind != stats.BySearch {
			r.Missing = strings.Join(r.Marks, "; ")
			j.Verdict, j.Reason = stats.NotMeasured, dataset.WhyMissing(s.Cells[0], r)
			return
		}
		results = append(results, r)
	}
	effect := dataset.EstimateQuantity(j.Sides[0].Metric, j.Sides[0].Cells[0], results[0].Estimate)
	reason := "the limit lies in the range that the search left open"
	if j.Form != Limit {
		effect = dataset.SearchedRatio(results[0], results[1])
		effect.Cells, effect.What = cellsOf(j.Sides), j.What
		reason = "the two search results are too close together, or unbounded"
	}
	if dataset.Finite(effect.Number) {
		j.Effect, j.span = &effect, *effect.Interval
	}
	if j.Verdict = stats.Judge(*effect.Interval, j.Region); j.Verdict == stats.Inconclusive {
		j.Reason = reason
	}
}

// judgeParts judges whether all parts are true.
//
// Source: docs/method.md#several-comparisons.
func (j *Judgement) judgeParts(alpha float64) {
	var parts []stats.Part
	for _, part := range j.parts {
		p := part.judge(alpha)
		j.Parts = append(j.Parts, p)
		j.Invalid = j.Invalid || p.Invalid
		j.Floor = max(j.Floor, p.Floor)
		j.mark(p.Marks...)
		parts = append(parts, func(level float64) stats.Verdict {
			if level == alpha {
				return p.Verdict
			}
			return part.judge(level).Verdict
		})
	}
	verdicts := slice.Map(j.Parts, func(p Judgement) stats.Verdict { return p.Verdict })
	j.Mostly = j.Form == Pairs && stats.MostlyHolds(verdicts)
	switch j.Verdict = stats.AllOf(parts...)(alpha); j.Verdict {
	case stats.NotMeasured:
		j.Reason = j.Parts[slices.Index(verdicts, stats.NotMeasured)].Reason
	case stats.Inconclusive:
		j.Needed, j.Reason = undecidedParts(j.Parts)
	}
	j.mergeLimits()
}

// mergeLimits merges limits of one value, joined by "and", into one effect and region.
func (j *Judgement) mergeLimits() {
	first := j.Parts[0]
	isOther := func(p Judgement) bool { return p.Form != Limit || p.What != first.What || p.Effect == nil }
	if j.Form != All || slices.ContainsFunc(j.Parts, isOther) {
		return
	}
	j.What, j.Sides, j.Effect, j.Region = first.What, first.Sides, first.Effect, first.Region
	for _, p := range j.Parts {
		j.Region.Lo, j.Region.Hi = max(j.Region.Lo, p.Region.Lo), min(j.Region.Hi, p.Region.Hi)
	}
}

// undecidedParts returns the repetitions at which every open part has an even chance to be decided, 0 if unknown, and a
// sentence that counts the open parts.
func undecidedParts(parts []Judgement) (needed int, reason string) {
	open := slice.Filter(parts, func(p Judgement) bool { return p.Verdict == stats.Inconclusive })
	if len(open) == 0 {
		return 0, fmt.Sprintf("no part is decided at the stricter level that %d parts ask for", len(parts))
	}
	least := slices.MinFunc(open, func(a, b Judgement) int { return cmp.Compare(a.Needed, b.Needed) })
	if least.Needed > 0 {
		needed = slices.MaxFunc(open, func(a, b Judgement) int { return cmp.Compare(a.Needed, b.Needed) }).Needed
	}
	first := open[0].What
	if open[0].Needed == 0 {
		first += ": " + open[0].Reason
	}
	return needed, fmt.Sprintf("%d of %s undecided, the first: %s", len(open), phrase.Count(len(parts), "part"), first)
}

// plannedLooks returns the looks that the plans of all sides share.
func (t Test) plannedLooks() []int {
	cells := cellsOf(t.Sides)
	return slice.Filter(cells[0].Experiment.Plan.Looks, func(look int) bool {
		return !slices.ContainsFunc(cells, func(c *dataset.Cell) bool { return !slices.Contains(c.Experiment.Plan.Looks, look) })
	})
}

// name returns a side in words, distinct from the side it is compared with.
func (t Test) name(i int) string {
	var others []*dataset.Cell
	if other := i ^ 1; other < len(t.Sides) {
		others = t.Sides[other].Cells
	}
	names := slice.Map(t.Sides[i].Cells, func(c *dataset.Cell) string { return dataset.NameOf(c, others...) })
	if t.Sides[i].Geomean {
		return "geometric mean of " + strings.Join(names, ", ")
	}
	return strings.Join(names, ", ")
}

// cellName returns in words the cell with this index among the cells of all sides.
func (t Test) cellName(number int) string {
	for i, s := range t.Sides {
		if !s.Geomean && number == 0 {
			return t.name(i)
		}
		if number < len(s.Cells) {
			return s.Cells[number].Name()
		}
		number -= len(s.Cells)
	}
	return ""
}

// words describes the effect of the test.
func (t Test) words() string {
	metric := func(i int) string { return t.Sides[i].Metric.InWords() }
	isSame := func(a, b int) bool { return t.Sides[a].Metric.Name == t.Sides[b].Metric.Name }
	// ratio describes the ratio of a side to the next, after the metric.
	ratio := func(i int) string {
		if isSame(i, i+1) {
			return fmt.Sprintf("%s, %s over %s", metric(i), t.name(i), t.name(i+1))
		}
		return fmt.Sprintf("%s, %s over %s, %s", metric(i), t.name(i), metric(i+1), t.name(i+1))
	}
	switch {
	case t.Form == Limit:
		return metric(0) + ", " + t.name(0)
	case t.Form == Fewer && t.Sides[0].Metric.Share:
		return fmt.Sprintf("%s, %s minus %s", metric(0), t.name(1), t.name(0))
	case t.Form == Fewer:
		return fmt.Sprintf("%s, %s minus %s, of attempts", metric(0), t.name(1), t.name(0))
	case t.Form == Gap && isSame(0, 2):
		return ratio(0) + ", against " + t.name(2) + " over " + t.name(3)
	case t.Form == Gap:
		return ratio(0) + ", against " + ratio(2)
	case t.Form == Pairs:
		return metric(0) + ", " + phrase.Count(len(t.parts), "pair")
	case t.Form == All:
		return "all of " + phrase.Count(len(t.parts), "part")
	}
	return ratio(0)
}
