package compare

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/dataset"
	"benchbook/notebook/phrase"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// Sides are two sets of records of one article, A before and B after, both laid over the article as it stands now.
type Sides struct {
	A, B        *dataset.Dataset
	Experiments []string // only these; all for none
	// Axis is what tells the two sides apart where A and B are one set: its value is From in A, and To in B.
	Axis, From, To string
}

// partner is the cell of side B that a cell of side A is compared with; nil for none.
func (s *Sides) partner(a *dataset.Cell, b *dataset.Experiment) *dataset.Cell {
	isPartner := func(o *dataset.Cell) bool { return o.Trial.Name == a.Trial.Name }
	if s.Axis != "" {
		if !hasValue(a, s.Axis, s.From) {
			return nil
		}
		name := plan.WithoutAxis(a.Trial.Parameters, s.Axis)
		isPartner = func(o *dataset.Cell) bool {
			return hasValue(o, s.Axis, s.To) && plan.WithoutAxis(o.Trial.Parameters, s.Axis) == name
		}
	}
	if i := slices.IndexFunc(b.Cells, isPartner); i >= 0 {
		return b.Cells[i]
	}
	return nil
}

func hasValue(c *dataset.Cell, axis, value string) bool {
	return slices.Contains(c.Trial.Parameters, record.Parameter{Name: axis, Value: value})
}

// ChangeOptions choose what is compared.
type ChangeOptions struct {
	Metrics     []string // only these; the key metrics of each experiment for none
	Also        []string // beside those
	AcrossHosts bool     // compare numbers of hosts that differ in processor or cores, and mark them
}

// A Change is what became of one metric of one cell from A to B.
type Change struct {
	Article string        // slug
	A, B    *dataset.Cell // the same trial on either side
	Metric  record.Metric
	ResultA dataset.Result
	ResultB dataset.Result
	// B/A - 1 of the centres, or in Points; the interval is at 95 % and widened by Floor; nil if there is none
	Effect *dataset.Quantity
	// Effect is B - A in the metric's unit, by the intervals of either side: there may be no failures at all
	Points bool
	// of no change beyond Floor and smallest effect, corrected for the cells of the metric and for looks; 1
	// where there is none
	P          float64
	Floor      float64     // the larger noise floor of both sides
	HasFloor   bool        // it was measured on one side at least, which it is not for what no noise floor widens
	NoFloor    string      // why it was measured on neither side; empty otherwise
	Verdict    stats.Shift // of all cells of the metric together
	Reason     string      // why the numbers are not comparable, or what they say where no difference is shown
	Unchanged  bool        // both sides are the same repetitions
	Marks      []string    // what readers have to know, in sentences
	Refused    bool        // there are numbers on both sides that must not be compared, for Reason
	mayCompare bool        // both sides have numbers, and nothing forbids to compare them
	looks      int         // of the side that is judged for more
	axis       string      // that tells the sides apart; empty where they are two sets of records
}

// ExperimentName is the experiment with its article, as it is named on the command line.
func (c *Change) ExperimentName() string { return c.Article + "#" + c.A.Experiment.Plan.Name }

// Trial is what the trial is called on both sides.
func (c *Change) Trial() string {
	if c.axis == "" {
		return c.A.Trial.Name
	}
	return cmp.Or(plan.WithoutAxis(c.A.Trial.Parameters, c.axis), c.A.Experiment.Plan.Name)
}

// Name is what people call the cell on both sides.
func (c *Change) Name() string {
	if c.axis == "" {
		return c.A.Name()
	}
	var others []string
	for _, p := range c.A.Trial.Parameters {
		if p.Name != c.axis {
			others = append(others, p.Name)
		}
	}
	if len(others) == 0 {
		return c.A.Experiment.Plan.Name
	}
	return c.A.Name(others...)
}

// CellName is the cell with its experiment and article.
func (c *Change) CellName() string { return c.ExperimentName() + " " + c.Trial() }

// Compare says of every cell that both plans have how its metrics changed from A to B. The order is that of the
// sides, and in them by experiment, metric and cell.
//
// Verdicts are corrected for the number of cells of a metric, over all sides together. A verdict of better or worse
// is what a claim would say: the change goes beyond noise floor and smallest effect. Failures, of which there may be
// none, are compared by the intervals of both sides. Numbers are not compared where the meaning of samples differs,
// or processor or cores of the hosts.
//
// The error is for a metric that no experiment has.
//
// Source: docs/method.md#ratios, docs/method.md#claims-as-regions, docs/method.md#several-comparisons,
// docs/method.md#number-of-looks, docs/method.md#rank-groups, docs/method.md#the-noise-floor and
// docs/validity.md#checks.
func Compare(sides []Sides, o ChangeOptions) ([]Change, error) {
	var out []Change
	byMetric := map[string][]int{} // changes of each metric
	found := map[string]bool{}
	for _, s := range sides {
		for _, e := range s.A.Experiments {
			other, ok := s.B.Experiment(e.Plan.Name)
			if !ok || len(s.Experiments) > 0 && !slices.Contains(s.Experiments, e.Plan.Name) {
				continue
			}
			for _, m := range metricsOfBoth(e, other, o, found) {
				for _, a := range e.Cells {
					b := s.partner(a, other)
					if b == nil || a.Trial.Unavailable != "" {
						continue
					}
					byMetric[m.Name] = append(byMetric[m.Name], len(out))
					c := newChange(s.A.Doc.Slug, a, b, m, o)
					c.axis = s.Axis
					out = append(out, c)
				}
			}
		}
	}
	for _, name := range slices.Concat(o.Metrics, o.Also) {
		if !found[name] && len(sides) > 0 {
			return nil, unknownIn(sides, name)
		}
	}
	for _, indices := range byMetric {
		if err := judgeTogether(out, indices); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// unknownIn says that no experiment has a metric, with the nearest.
func unknownIn(sides []Sides, name string) error {
	hint := ""
	for _, s := range sides {
		for _, e := range s.A.Experiments {
			if h := e.SuggestMetric(name); hint == "" || dataset.IsNear(h) && !dataset.IsNear(hint) {
				hint = h
			}
		}
	}
	return fmt.Errorf("no metric %q in what is compared: %s", name, hint)
}

// metricsOfBoth are the metrics by which two sides of an experiment are compared; those asked for by name are noted
// as found.
func metricsOfBoth(a, b *dataset.Experiment, o ChangeOptions, found map[string]bool) []record.Metric {
	var list []record.Metric
	add := func(m record.Metric) {
		if !slices.ContainsFunc(list, func(o record.Metric) bool { return o.Name == m.Name }) {
			list = append(list, m)
		}
	}
	if len(o.Metrics) == 0 {
		for _, m := range slices.Concat(a.KeyMetrics(), b.KeyMetrics()) {
			if !dataset.IsUnmeasured(m.Name, slices.Concat(a.Cells, b.Cells)) {
				add(m)
			}
		}
	}
	for _, name := range slices.Concat(o.Metrics, o.Also) {
		m, ok := a.Metric(name)
		if _, known := record.LookupMetric(name); !ok || a.Measured().Command && !known && !a.Has(name) && !b.Has(name) {
			continue // programs may print anything, but neither side did
		}
		found[name] = true
		add(m)
	}
	return list
}

// newChange lays the two sides of a cell beside each other, without comparing them.
func newChange(article string, a, b *dataset.Cell, m record.Metric, o ChangeOptions) Change {
	c := Change{Article: article, A: a, B: b, Metric: m, ResultA: a.Metric(m.Name), ResultB: b.Metric(m.Name), P: 1,
		Points: record.CountsFailures(m.Name), Verdict: stats.NotComparable}
	if c.ResultA.Metric.Unit == "" {
		c.Metric.Unit = c.ResultB.Metric.Unit
	}
	if a.RateGives(m.Name) && b.RateGives(m.Name) {
		c.Metric.Better = "" // another rate is no merit
	}
	c.mark()
	refusal, mark := refused(a, b, o.AcrossHosts)
	if mark != "" {
		c.Marks = append(c.Marks, mark)
	}
	missing := missingFrom(c.ResultA.Missing, c.ResultB.Missing)
	unitA, unitB := c.ResultA.Metric.Unit, c.ResultB.Metric.Unit
	switch {
	case sameRepetitions(a, b):
		c.Unchanged, c.Reason, c.Marks = true, "both sides are the same repetitions", nil
	case missing != "":
		c.Reason = missing
	case refusal != "":
		c.Refused, c.Reason = true, refusal
	case unitA != unitB:
		c.Reason = fmt.Sprintf("A is in %s and B in %s", unitA, unitB)
	default:
		c.mayCompare = true
	}
	return c
}

// mark notes what readers have to know of either side.
func (c *Change) mark() {
	for _, s := range c.sides() {
		if s.cell.State == dataset.Stale || s.cell.State == dataset.Partial {
			c.Marks = append(c.Marks, fmt.Sprintf("%s: %s", s.name, s.cell.State))
		}
		for _, mark := range s.result.Marks {
			c.Marks = append(c.Marks, s.name+": "+mark)
		}
	}
	c.Marks = onBothSides(c.Marks)
	if !c.Points && !record.IsSearched(c.Metric.Name) && len(c.A.Records) > 0 && len(c.B.Records) > 0 {
		c.floors()
	}
	c.looks = 1
	if !record.IsSearched(c.Metric.Name) {
		c.looks = dataset.LookCount([]*dataset.Cell{c.A, c.B})
	}
	if record.IsTime(c.Metric.Name) && dataset.LoadsDiffer([]*dataset.Cell{c.A, c.B}, stats.DefaultSmallestEffect) {
		c.Marks = append(c.Marks, dataset.MarkLoads)
	}
}

// A changeSide is one side of a change.
type changeSide struct {
	name   string
	cell   *dataset.Cell
	result *dataset.Result
}

func (c *Change) sides() [2]changeSide {
	return [2]changeSide{{"A", c.A, &c.ResultA}, {"B", c.B, &c.ResultB}}
}

// missingFrom says what is missing on either side; empty if nothing is.
func missingFrom(a, b string) string {
	return join(onBothSides([]string{sideMark("A", a), sideMark("B", b)})...)
}

// sideMark is what is said of one side, if anything is.
func sideMark(side, words string) string {
	if words == "" {
		return ""
	}
	return side + ": " + words
}

// onBothSides joins what is said of A and of B in the same words.
func onBothSides(marks []string) []string {
	var out []string
	for _, m := range marks {
		words, isA := strings.CutPrefix(m, "A: ")
		rest, isB := strings.CutPrefix(m, "B: ")
		switch {
		case isA && slices.Contains(marks, "B: "+words):
			out = append(out, "A and B: "+words)
		case isB && slices.Contains(marks, "A: "+rest):
		default:
			out = append(out, m)
		}
	}
	return out
}

// floors takes the larger noise floor of both sides.
func (c *Change) floors() {
	var without []string
	why := ""
	for _, s := range c.sides() {
		f, together := s.cell.Experiment.Floor(c.Metric.Name, s.cell)
		c.Floor = max(c.Floor, f.F)
		if f.Missing == "" && !together {
			c.Marks = append(c.Marks, s.name+": "+dataset.MarkFloorPair)
		}
		if f.Missing == "" {
			c.HasFloor = true
		} else {
			without, why = append(without, s.name), f.Missing
		}
	}
	switch len(without) {
	case 1:
		c.Marks = append(c.Marks, without[0]+": "+dataset.MarkNoFloor)
	case 2:
		c.NoFloor, c.Marks = why, append(c.Marks, dataset.MarkNoFloor)
	}
}

func sameRepetitions(a, b *dataset.Cell) bool {
	return len(a.Records) > 0 && slices.EqualFunc(a.Records, b.Records, func(x, y *record.Record) bool {
		return x.Run == y.Run && x.Key == y.Key && x.Repetition == y.Repetition && x.Host == y.Host &&
			x.Profile == y.Profile &&
			x.Started.Equal(y.Started)
	})
}

// refused says why numbers of two cells must not be compared, if that is so, and else what marks them. Records that
// do not tell of processor and cores are of hosts that have to be the same.
func refused(a, b *dataset.Cell, acrossHosts bool) (why, mark string) {
	if len(a.Records) == 0 || len(b.Records) == 0 {
		return "", ""
	}
	ra, rb := a.Records[0], b.Records[0]
	if x, y := semanticsOf(ra), semanticsOf(rb); x != y {
		return fmt.Sprintf("what samples mean has changed: version %s in A, %s in B", cmp.Or(x, "unknown"),
			cmp.Or(y, "unknown")), ""
	}
	mark = otherEngine(ra, rb)
	if ra.Host == rb.Host {
		return "", mark
	}
	if why = unlike(ra, rb); why == "" {
		return "", join("different hosts of the same processor and cores", mark)
	}
	if acrossHosts {
		return "", join(why, mark)
	}
	return why, ""
}

// unlike says in what the hosts of two records differ, each of which may be several machines; empty if all have the
// same processor and cores.
func unlike(a, b *record.Record) string {
	for _, f := range []struct{ fact, is string }{{"host.cpu", "processors"}, {"host.cores", "cores"}} {
		x, y := OfMachines(a, f.fact), OfMachines(b, f.fact)
		switch {
		case x == "" || y == "":
			return fmt.Sprintf("the hosts differ, %s in A and %s in B, and the records do not say how", a.Host, b.Host)
		case x != y:
			return fmt.Sprintf("the hosts have different %s: %s in A, %s in B", f.is, x, y)
		}
	}
	return ""
}

// OfMachines is a fact about all machines of a record, in the order of their names; empty if nothing tells of any.
func OfMachines(r *record.Record, fact string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(r.Facts)) {
		if host, of, other := ofOtherHost(name); of == fact {
			words := r.Facts[name]
			if other {
				words += " on host " + host
			}
			all = append(all, words)
		}
	}
	return strings.Join(all, ", ")
}

// otherEngine says that two records were measured by different engines, if they were: what is around a service costs
// it something, and is another thing in each.
func otherEngine(a, b *record.Record) string {
	x, y := a.Facts["engine.name"], b.Facts["engine.name"]
	if x == y || x == "" || y == "" {
		return ""
	}
	return fmt.Sprintf("different engines: %s in A, %s in B", x, y)
}

// join puts marks behind each other that are there.
func join(marks ...string) string {
	return strings.Join(slices.DeleteFunc(marks, func(mark string) bool { return mark == "" }), "; ")
}

func semanticsOf(r *record.Record) string {
	in, _ := slice.Find(r.Inputs, func(in record.Input) bool { return in.Name == "semantics" })
	return in.Digest
}

// judgeTogether gives the verdicts on all cells of a metric.
func judgeTogether(changes []Change, indices []int) error {
	var compared []*Change
	for _, i := range indices {
		if changes[i].mayCompare {
			compared = append(compared, &changes[i])
		}
	}
	if len(compared) == 0 {
		return nil
	}
	if record.IsSearched(compared[0].Metric.Name) {
		for _, c := range compared {
			c.judgeSearched()
		}
		return nil
	}
	if compared[0].Points {
		for _, c := range compared {
			c.judgePoints(len(compared))
		}
		return nil
	}
	var cells []stats.BeforeAfter
	for _, c := range compared {
		cells = append(cells, stats.BeforeAfter{Before: c.ResultA.Cell(), After: c.ResultB.Cell(), Floor: c.Floor,
			Looks: c.looks})
	}
	found, err := stats.Changes(cells, stats.DefaultAlpha, stats.DefaultSmallestEffect)
	if err != nil {
		return fmt.Errorf("comparing %s: %w", compared[0].Metric.Name, err)
	}
	n := 0
	for _, f := range found {
		if f.Err == nil {
			n++
		}
	}
	for i, c := range compared {
		c.judgeRatio(found[i], n)
	}
	return nil
}

// judgeRatio gives the verdict on a ratio, one of n that were judged together.
func (c *Change) judgeRatio(f stats.Change, n int) {
	if f.Err != nil && !errors.Is(f.Err, stats.ErrTooFew) {
		c.Reason = "there is no ratio: " + dataset.NoRatio(f.Err, []stats.Cell{c.ResultA.Cell(), c.ResultB.Cell()},
			func(i int) string { return []string{"A", "B"}[i] })
		return
	}
	effect := dataset.RatioOf(f.Comparison, true)
	effect.Cells, effect.What = []*dataset.Cell{c.A, c.B}, c.Metric.InWords()+", B over A"
	c.Effect, c.P = &effect, f.AdjustedP
	if f.Err != nil {
		c.Reason = tooFewOf(c.ResultA, c.ResultB)
		return
	}
	if f.Shifted {
		c.Verdict = stats.ShiftOf(f.Ratio > 1, stats.Direction(c.Metric.Better))
		return
	}
	c.Verdict = stats.NotShown
	smallest := phrase.Percent(stats.DefaultSmallestEffect)
	beyond := stats.Greater(stats.DefaultSmallestEffect)
	switch {
	case stats.Judge(f.Interval, stats.Within(stats.DefaultSmallestEffect)) == stats.Supported:
		c.Reason = "the same within " + smallest
	case f.Interval.Lo > beyond.Lo || f.Interval.Hi < 1/beyond.Lo:
		c.Reason = c.corrected(n)
	case !f.Interval.Contains(1):
		c.Reason = "a difference, but possibly no more than " + smallest
	}
}

func tooFewOf(a, b dataset.Result) string {
	side, n := "A", len(a.Values)
	if n >= stats.MinRepetitions {
		side, n = "B", len(b.Values)
	}
	return fmt.Sprintf("%s has %s, and a verdict needs %d", side, phrase.Plural(n, "valid repetition"),
		stats.MinRepetitions)
}

// corrected says what keeps a change from being shown that lies beyond its limit by the printed interval: that it is
// one of n, and that its runs were looked at several times.
func (c *Change) corrected(n int) string {
	switch {
	case c.looks > 1 && n > 1:
		return fmt.Sprintf("it would be shown for a single cell and a single look at the data, but not for one of %d cells "+
			"with %d looks", n, c.looks)
	case c.looks > 1:
		return fmt.Sprintf("it would be shown with a single look at the data, but not with %d", c.looks)
	}
	return fmt.Sprintf("it would be shown for a single cell, but not for one of %d", n)
}

// judgePoints gives the verdict on failures, one of n that are judged together, by whether the intervals of both
// sides lie apart.
//
// Source: docs/method.md#claims-as-regions, fewer errors.
func (c *Change) judgePoints(n int) {
	alpha := stats.DefaultAlpha / float64(n*c.looks)
	printed, err := c.points(stats.DefaultAlpha)
	if err != nil {
		c.Reason = err.Error()
		return
	}
	effect := dataset.Quantity{Number: c.ResultB.Estimate.Centre - c.ResultA.Estimate.Centre,
		Unit: cmp.Or(c.Metric.Unit, "1"), Share: c.Metric.Share,
		Kind: stats.NoInterval, N: min(c.ResultA.Estimate.N, c.ResultB.Estimate.N), Cells: []*dataset.Cell{c.A, c.B},
		Step: max(c.ResultA.Step(), c.ResultB.Step()), What: c.Metric.InWords() + ", B less A"}
	c.Effect = &effect
	if effect.N < stats.MinRepetitions {
		c.Reason = tooFewOf(c.ResultA, c.ResultB)
		return
	}
	effect.Interval, effect.Kind = &printed, c.ResultA.Estimate.Kind
	judged, err := c.points(alpha)
	switch {
	case err != nil:
		c.Reason = err.Error()
	case judged.Contains(0):
		c.Verdict = stats.NotShown
		if !printed.Contains(0) {
			c.Reason = c.corrected(n)
		}
	default:
		c.Verdict = stats.ShiftOf(judged.Lo > 0, stats.Direction(c.Metric.Better))
	}
}

// points is between which values B - A lies if either side lies in its interval at level alpha. It contains 0 unless
// the two lie apart.
func (c *Change) points(alpha float64) (stats.Interval, error) {
	a, err := c.ResultA.At(alpha)
	if err != nil {
		return stats.Interval{}, err
	}
	b, err := c.ResultB.At(alpha)
	if err != nil {
		return stats.Interval{}, err
	}
	x, y := a.ClaimInterval(), b.ClaimInterval()
	return stats.Interval{Lo: y.Lo - x.Hi, Hi: y.Hi - x.Lo}, nil
}

// interval is that of Effect at another level than the printed one, which looks make stricter still; false
// if there is none.
func (c *Change) interval(alpha float64) (stats.Interval, bool) {
	alpha /= float64(c.looks)
	if c.Effect == nil || c.Effect.Interval == nil {
		return stats.Interval{}, false
	}
	if record.IsSearched(c.Metric.Name) {
		return *c.Effect.Interval, !math.IsInf(c.Effect.Interval.Hi, 0)
	}
	if c.Points {
		i, err := c.points(alpha)
		return i, err == nil
	}
	r, err := stats.Ratio(c.ResultB.Cell(), c.ResultA.Cell(), alpha)
	i := r.Widen(c.Floor, alpha)
	return stats.Interval{Lo: i.Lo - 1, Hi: i.Hi - 1}, err == nil && !math.IsInf(i.Hi, 0)
}

// judgeSearched gives the verdict on what searches found on either side: a change that the intervals of both leave no
// doubt of.
//
// Source: docs/method.md#capacities.
func (c *Change) judgeSearched() {
	effect := dataset.SearchedRatio(c.ResultB, c.ResultA, true)
	effect.Cells, effect.What = []*dataset.Cell{c.A, c.B}, c.Metric.InWords()+", B over A"
	if !dataset.Finite(effect.Number) {
		c.Reason = "there is no ratio: no rate met the objective"
		return
	}
	c.Effect, c.Verdict = &effect, stats.NotShown
	ratio := stats.Interval{Lo: effect.Interval.Lo + 1, Hi: effect.Interval.Hi + 1}
	beyond := stats.Greater(stats.DefaultSmallestEffect)
	switch {
	case ratio.Lo > beyond.Lo:
		c.Verdict = stats.ShiftOf(true, stats.Direction(c.Metric.Better))
	case ratio.Hi < 1/beyond.Lo:
		c.Verdict = stats.ShiftOf(false, stats.Direction(c.Metric.Better))
	}
}
