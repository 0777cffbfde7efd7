package claim

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/phrase"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
)

// Judgement is what the records say about a claim, or about a part of one.
type Judgement struct {
	Claim   *article.Claim
	Form    Form    // "" of what could not be read as a test
	Op      expr.Op // by which Sides are compared, or a value with its limit; "" of forms without one
	Sides   []Side  // that are compared, as Form says
	What    string  // in words: "throughput, async over sync"
	Verdict stats.Verdict
	Effect  *dataset.Quantity // ratio, change or value with interval (widened by the floor); nil if none
	// Effect is a ratio or change of two cells, or how many times as large as another such ratio,
	// as What names them
	IsRatio bool
	Region  stats.Region // where Effect has to lie, in its unit; zero if there is none
	Reason  string       // why inconclusive or not measured; "" else
	Needed  int          // repetitions that would have an even chance to decide an inconclusive claim; 0 unknown
	// what readers have to know: "not measured together", "different loads", "noise floor not measured", …
	Marks []string
	Floor float64 // the noise floor by which Effect is widened
	// at which the claim was judged: 0.05, or less of several looks; 0 of parts and of claims without a test
	Level   float64
	Parts   []Judgement // of every and and; each judged as if it were alone
	Mostly  bool        // a claim over pairs that is not supported, but holds for most of them
	Invalid bool        // rests on a cell that is not valid
	// All is the judgement with the repetitions too that only checks of their own result left out; nil if there are none
	All *Judgement
}

// Tally counts the verdicts on the parts of a claim, in words: "4 comparisons: 3 supported, 1 inconclusive", or "holds
// mostly, for 37 of 40 pairs: 37 supported, 3 inconclusive". It is empty for a claim that has none.
func (j Judgement) Tally() string {
	if len(j.Parts) == 0 {
		return ""
	}
	counts := map[stats.Verdict]int{}
	for _, p := range j.Parts {
		counts[p.Verdict]++
	}
	words := strings.Join(stats.VerdictsInWords(counts), ", ")
	if j.Mostly {
		return fmt.Sprintf("holds mostly, for %d of %d pairs: %s", counts[stats.Supported], len(j.Parts), words)
	}
	return fmt.Sprintf("%d comparisons: %s", len(j.Parts), words)
}

// Judge tests a claim against the shown records. A claim that is itself mistaken, which Check reports, is not measured,
// and the reason says what is wrong.
//
// Source: docs/claims.md#forms; docs/method.md#ratios.
func Judge(d *dataset.Dataset, c *article.Claim) Judgement {
	var j Judgement
	switch t, err := newTest(d, c); {
	case errors.Is(err, errNoExpression):
		j = Judgement{Verdict: stats.NotMeasured, Reason: err.Error()}
	case err != nil:
		j = Judgement{What: c.Expect.Text.Value, Verdict: stats.NotMeasured, Reason: expr.MessageOf(err)}
	default:
		return judgeClaim(d, c, t)
	}
	j.setClaim(c)
	return j
}

// judgeClaim judges a claim by a test.
func judgeClaim(d *dataset.Dataset, c *article.Claim, t test) Judgement {
	j := judgeAtLevel(t)
	if why := unfit(d, c, t); why != "" && j.Verdict != stats.NotMeasured {
		j.Verdict, j.Reason, j.Needed, j.Mostly = stats.NotMeasured, why, 0, false
	}
	j.judgeWithAll(d, c, t)
	j.setClaim(c)
	return j
}

// unfit says which cell of a headline claim cannot carry it; empty if all can.
//
// Source: docs/validity.md#headline-claims.
func unfit(d *dataset.Dataset, c *article.Claim, t test) string {
	cells := cellsOf(t)
	for _, cell := range cells {
		if why := cell.UnfitForHeadline(); why != "" && c.Headline.V {
			return "no headline claim can rest on " + d.NameOf(cell, cells...) + ", as " + why
		}
	}
	return ""
}

func (j *Judgement) setClaim(c *article.Claim) {
	j.Claim = c
	for i := range j.Parts {
		j.Parts[i].setClaim(c)
	}
}

// Judgements are those of all claims of an article, in its order. They are made once for a dataset, and must not be
// changed.
func Judgements(d *dataset.Dataset) []Judgement {
	type key struct{}
	return dataset.Once(d, key{}, func() []Judgement {
		out := make([]Judgement, len(d.Doc.Claims))
		var next atomic.Int64
		var working sync.WaitGroup
		for range min(runtime.GOMAXPROCS(0), len(out)) {
			working.Go(func() {
				for i := int(next.Add(1)) - 1; i < len(out); i = int(next.Add(1)) - 1 {
					out[i] = Judge(d, d.Doc.Claims[i])
				}
			})
		}
		working.Wait()
		return out
	})
}

// A test is a claim whose form is known and whose cells are found.
type test interface {
	judge(alpha float64) Judgement
}

// errNoExpression is that a claim has nothing that could be read as a test.
var errNoExpression = errors.New("the claim has no test that can be read")

// newTest finds the form of a claim. The error is an *expr.Error, as of pick, or a mistake in the form in every
// profile.
func newTest(d *dataset.Dataset, c *article.Claim) (test, error) {
	if c.Expect.Node == nil {
		return nil, errNoExpression
	}
	n, err := d.Expand(c.Expect.Node)
	if err != nil {
		return nil, err
	}
	t, err := newBuilder(d, c).form(n)
	if err == nil || errors.Is(err, dataset.ErrNotMeasured) {
		return t, err
	}
	return nil, d.UnlessElsewhere(err, c.Expect.Node.Pos(), func(other *dataset.Dataset) error {
		_, err := newBuilder(other, c).form(n)
		return err
	})
}

// A builder turns expressions into tests.
type builder struct {
	dataset.Scope
	delta float64 // the smallest effect
}

func newBuilder(d *dataset.Dataset, c *article.Claim) builder {
	delta := stats.DefaultSmallestEffect
	if c.SmallestEffect.Set() {
		delta = float64(c.SmallestEffect.V)
	}
	return builder{d.In(c.Experiment.Value), delta}
}

// The forms of claims, in the order of docs/claims.md#forms: calls by their function, and comparisons, of which each
// gives nil for what is none of its own.
var (
	callForms = map[string]func(builder, *expr.Call) (test, error){
		"same":   builder.same,
		"within": builder.within,
		"about":  builder.about,
		"fewer":  builder.fewer,
		"every":  builder.every,
	}
	comparisonForms = []func(builder, *expr.Binary) (test, error){
		builder.greater,
		builder.ratios,
		builder.beyond,
		builder.multiple,
		builder.limit,
		builder.geomeans,
	}
)

func (f builder) form(n expr.Node) (test, error) {
	if parts := expr.Parts(n); len(parts) > 1 {
		return f.group(parts)
	}
	return f.formOne(n)
}

// formOne forms a claim without and.
func (f builder) formOne(n expr.Node) (test, error) {
	switch n := n.(type) {
	case *expr.Call:
		if form := callForms[n.Name]; form != nil {
			return form(f, n)
		}
	case *expr.Binary:
		if !n.Op.IsComparison() {
			break
		}
		for _, form := range comparisonForms {
			if t, err := form(f, n); t != nil || err != nil {
				return t, err
			}
		}
	}
	return nil, noTest(n)
}

// noTest refuses what is none of the forms, with a way out where it is plain what was meant.
func noTest(n expr.Node) error {
	hint := "a claim is a > b, same(a, b), within(a, b, 10%), ratio(a, b) > 2, ratio(a, b) > ratio(c, d), about(a, b, " +
		"2), a < 100ms, fewer(a, b), " +
		`every(a, "<", b) or geomean(a) > geomean(b); with and between them`
	if b, ok := n.(*expr.Binary); ok {
		_, constant := b.X.(*expr.Quantity)
		switch {
		case b.Op == expr.Same:
			hint = "two measurements are never equal: write same(a, b)"
		case b.Op == expr.Differs:
			hint = "two measurements always differ: write a > b or a < b"
		case constant:
			hint = "write the limit on the right: a < 100ms"
		case isOp(b.X, expr.Div):
			hint = fmt.Sprintf("write ratio(a, b) %s %s", b.Op, b.Y)
		case isOp(b.X, expr.Sub):
			hint = fmt.Sprintf("compare the two, a %s b, or their ratio, ratio(a, b) %s 1.1", b.Op, b.Op)
		case isReduced(b.X) || isReduced(b.Y):
			hint = `a claim is about single cells, or about lists by every(a, "<", b) or geomean(a) > geomean(b)`
		}
	}
	if u, ok := n.(*expr.Unary); ok && u.Op == expr.Not {
		hint = "write what you claim instead, such as a <= b"
	}
	return dataset.Mistake(n.Pos(), "no-test", hint, "no test for this form")
}

func isOp(n expr.Node, op expr.Op) bool {
	b, ok := n.(*expr.Binary)
	return ok && b.Op == op
}

// isReduced says that n is one number made of a list.
func isReduced(n expr.Node) bool {
	c, ok := n.(*expr.Call)
	return ok && slices.Contains([]string{"min", "max", "mean", "median", "geomean", "count"}, c.Name)
}

// cannotFail refuses a claim that no measurement could contradict, and cannotHold one that none could support.
func cannotFail(n expr.Node, why string) error {
	return dataset.Mistake(n.Pos(), "cannot-fail", "claim something that could turn out to be wrong",
		"this claim cannot fail: %s", why)
}

func cannotHold(n expr.Node, why, hint string) error {
	return dataset.Mistake(n.Pos(), "cannot-hold", hint, "this claim can never be supported: %s", why)
}

// side finds what stands on one side of a comparison, which has to be one metric of one cell, and one that may be
// claimed.
func (f builder) side(sel *expr.Selector) (side, error) {
	p, err := f.Pick(sel)
	if err != nil {
		return side{}, err
	}
	if n := len(p.All()); n > 1 {
		return side{}, dataset.Mistake(sel.Span, "several-cells",
			`compare lists by every(a, "<", b), or pick one cell in braces`,
			"%s selects %d cells, but one is needed", sel, n)
	}
	return f.list(sel)
}

// list finds the cells of a selector that may be several.
func (f builder) list(sel *expr.Selector) (side, error) {
	p, err := f.Pick(sel)
	if err != nil {
		return side{}, err
	}
	if p.Metric.Name == "latency.max" {
		return side{}, dataset.Mistake(sel.Span, "no-claim-of-max", "claim a percentile, such as latency.p99",
			"the longest latency depends on a single request, so no claim can rest on it")
	}
	return side{d: f.Data, at: sel, metric: p.Metric, cells: p.Cells, left: p.Left}, nil
}

// sides finds two cells that can be compared: of like metrics, and not the same.
func (f builder) sides(n, x, y expr.Node) (a, b side, err error) {
	sx, okX := x.(*expr.Selector)
	sy, okY := y.(*expr.Selector)
	if !okX || !okY {
		return a, b, noTest(n)
	}
	if a, err = f.side(sx); err != nil {
		return a, b, err
	}
	if b, err = f.side(sy); err != nil {
		return a, b, err
	}
	return a, b, comparable(n, a, b)
}

// comparable refuses sides of unlike metrics, and those that are the same.
func comparable(n expr.Node, a, b side) error {
	// Units that programs made up are compared by name.
	if a.metric.Unit != "" && b.metric.Unit != "" && a.metric.Unit != b.metric.Unit {
		return dataset.Mistake(n.Pos(), "unlike-units", "compare metrics of one unit", "%s is in %s and %s in %s",
			a.metric.Name, a.metric.Unit, b.metric.Name, b.metric.Unit)
	}
	if record.IsSearched(a.metric.Name) != record.IsSearched(b.metric.Name) {
		return dataset.Mistake(n.Pos(), "no-test", "compare two of the same kind",
			"a search finds one value of a cell and repetitions have several, "+
				"so no test compares %s with %s", a.metric.Name, b.metric.Name)
	}
	if a.metric.Name == b.metric.Name && slices.Equal(a.cells, b.cells) {
		return dataset.Mistake(n.Pos(), "same-cells", "compare two different cells", "both sides are the same: %s", a.name())
	}
	return nil
}

// A side is one side of a comparison: one metric of one cell, or of several by round.
type side struct {
	d       *dataset.Dataset
	at      *expr.Selector
	metric  record.Metric
	cells   []*dataset.Cell
	left    []*dataset.Cell // out of a list, since they are unavailable
	geomean bool            // the geometric mean of the cells in each round
}

// result is what was measured of a cell of the side.
func (s side) result(c *dataset.Cell) dataset.Result { return c.Metric(s.metric.Name) }

// name is the side in words, beside other sides.
func (s side) name(beside ...side) string {
	others := cellsIn(beside)
	names := strings.Join(slice.Map(s.cells, func(c *dataset.Cell) string { return s.d.NameOf(c, others...) }), ", ")
	if s.geomean {
		return "geometric mean of " + names
	}
	return names
}

// measured returns the values of a side, or notes in j why there are none.
func (s side) measured(j *Judgement) (stats.Cell, bool) {
	byRound := make([]map[int]float64, len(s.cells))
	var bounds stats.Interval // those of the cell that has the widest
	for i, c := range s.cells {
		r := s.result(c)
		if r.Missing != "" {
			j.Verdict, j.Reason = stats.NotMeasured, s.d.Lacks(c, r)
			j.Invalid = len(c.Records) > 0 && c.Validity().For(s.metric.Name).Level == validity.Invalid
			return stats.Cell{}, false
		}
		if !s.geomean {
			return r.Cell(), true
		}
		if of := r.Cell().Bounds; of.Hi-of.Lo > bounds.Hi-bounds.Lo {
			bounds = of
		}
		byRound[i] = map[int]float64{}
		for k, repetition := range r.Repetitions() {
			byRound[i][repetition] = r.Values[k]
		}
	}
	values := geomeanByRound(byRound)
	if len(values) == 0 {
		j.Verdict, j.Reason = stats.NotMeasured, s.name()+": no round in which all of them are valid"
		return stats.Cell{}, false
	}
	return stats.Cell{Values: values, NonNegative: true, Bounds: bounds}, true
}

// note adds to j what has to be known of the sides of a comparison, and their noise floor where there is a ratio.
func (j *Judgement) note(delta float64, ratio bool, sides ...side) {
	cells, d := cellsIn(sides), sides[0].d
	marks := d.Marks(cells...)
	isOther := func(s side) bool { return !record.IsTime(s.metric.Name) }
	if !slices.ContainsFunc(sides, isOther) && dataset.LoadsDiffer(cells, delta) {
		marks = append(marks, dataset.MarkLoads)
	}
	if slices.ContainsFunc(cells, (*dataset.Cell).SharesStart) {
		marks = append(marks, dataset.MarkStart)
	}
	for _, s := range sides {
		marks = append(append(marks, d.Lacking(s.metric.Name, s.cells...)...), d.LeftOut(s.left)...)
	}
	if ratio && !record.IsSearched(sides[0].metric.Name) {
		missing, apart := false, false
		for _, s := range sides {
			for _, c := range s.cells {
				f, together := c.Experiment.Floor(s.metric.Name, cells...)
				j.Floor = max(j.Floor, f.F)
				missing = missing || f.Missing != ""
				apart = apart || f.Missing == "" && !together
			}
		}
		if missing {
			marks = append(marks, dataset.MarkNoFloor)
		}
		if apart {
			marks = append(marks, dataset.MarkFloorPair)
		}
	}
	j.Marks = marks
}

// Why a claim has no verdict that was measured well enough for an interval.
const (
	reasonLimit = "the interval includes the limit of the claim"
	// of a ratio that lies nearer to a limit than the noise floor tells apart, or of a value on its limit
	reasonOnLimit = "it is on its limit, whatever the number of repetitions"
)

// atStricterLevel says so of the intervals of these reasons.
var atStricterLevel = strings.NewReplacer(reasonLimit,
	"the interval at the stricter level includes the limit of the claim")

// Undecided fills in why a claim has no verdict although it was measured. Needed is as package stats counts it: 0 if no
// number of repetitions would do, above stats.MaxRepetitions if too many would have to.
func (j *Judgement) Undecided(needed int) {
	j.Reason = reasonLimit
	switch {
	case needed == 0:
		j.Reason = reasonOnLimit
	case needed > stats.MaxRepetitions:
		j.Reason += fmt.Sprintf(", and more than %d repetitions would be needed to change that", stats.MaxRepetitions)
	default:
		j.Needed = needed
	}
}

// tooFew fills in that a cell has too few valid repetitions for any verdict.
func (j *Judgement) tooFew(name string, n int) {
	j.Verdict = stats.Inconclusive // and nothing can be said of how many would decide it
	j.Reason = fmt.Sprintf("there %s %s of %s, and a verdict needs %d", phrase.Verb(n, "is", "are"),
		phrase.Plural(n, "valid repetition"), name, stats.MinRepetitions)
}

// Check says what is wrong with a claim in every profile, before anything is measured.
func Check(d *dataset.Dataset, c *article.Claim) error {
	_, err := newTest(d, c)
	return err
}

// cellsOf are the cells that a test is about; some may be there twice.
func cellsOf(t test) []*dataset.Cell { return cellsIn(sidesOf(t)) }

// plannedLooks are the looks that all cells of some sides come to by their plans.
func plannedLooks(sides ...side) (out []int) {
	for i, e := range experimentsOf(sides) {
		if i == 0 {
			out = e.Looks
		}
		out = slice.Filter(out, func(look int) bool { return slices.Contains(e.Looks, look) })
	}
	return out
}

func cellsIn(sides []side) (out []*dataset.Cell) {
	for _, s := range sides {
		out = append(out, s.cells...)
	}
	return out
}

// judgeAtLevel judges a claim at the level that the looks at its cells leave. Its intervals are those that are printed
// all the same.
//
// Source: docs/method.md#number-of-looks.
func judgeAtLevel(t test) Judgement {
	printed := t.judge(stats.DefaultAlpha)
	printed.Level = stats.DefaultAlpha
	level := dataset.LookLevel(dataset.LookCount(cellsOf(t)))
	if level == stats.DefaultAlpha || isBySearches(t) {
		return printed
	}
	j := t.judge(level)
	j.print(&printed)
	j.Level = level
	return j
}

// print gives a judgement, and its parts, the intervals of the one that is printed.
func (j *Judgement) print(printed *Judgement) {
	j.Effect = printed.Effect
	for i := range j.Parts {
		j.Parts[i].print(&printed.Parts[i])
	}
	switch {
	case j.Verdict != stats.Inconclusive:
	case len(j.Parts) > 0:
		j.Needed, j.Reason = undecidedParts(j.Parts)
	case printed.Verdict != stats.Inconclusive:
		j.Reason = atStricterLevel.Replace(j.Reason)
	}
}
