package render

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/stats"
	"benchbook/render/chart"
	"benchbook/render/number"
	"benchbook/render/prose"
	"benchbook/render/wording"
	"benchbook/slice"
)

type claimView struct {
	ID       string
	Class    string
	Word     string
	Says     template.HTML
	Headline bool
	Drawing  template.HTML
	What     string // what the effect is of, such as "throughput, async over sync"
	Effect   string
	Interval string
	// Sentences follow the effect: what was claimed and published, why the claim is not decided, what to keep in mind.
	Sentences []string
	Links     []link
	Parts     []partView
	Folded    bool // the parts, which are many
	// ByMetric is what the claim comes to by other metrics of the same thing; nil if there are none.
	ByMetric *byMetricView
	Expect   string
	Long     bool // Expect takes several lines
}

// byMetricView shows whether the verdict depends on the metric.
type byMetricView struct {
	Is, Summary string
	Rows        []partView
}

// partView is one comparison of a claim with several.
type partView struct {
	Class, Word, What, Effect, Interval, Reason string
	hasInterval                                 bool // that has a confidence
}

func (c *composer) claims(list []*article.Claim) template.HTML {
	return c.Fill("claims", slice.Map(list, c.claim))
}

func (c *composer) claim(block *article.Claim) claimView {
	j := c.judgements[block.Name.Value]
	mark := VerdictBadge(j.Verdict)
	says, words := c.claimSentence(block)
	c.found = append(c.found, Part{ClaimPart, prose.ClaimID + block.Name.Value, c.judgements.withVerdict(words,
		block.Name.Value)})
	v := claimView{ID: prose.ClaimID + block.Name.Value, Class: mark.Class, Word: mark.Word, Says: says,
		Headline: block.Headline.V}
	if block.Expect.Node != nil {
		v.Expect = block.Expect.Node.String()
	}
	v.Long = len(v.Expect) > oneLine
	add := func(words string) {
		if words != "" {
			v.Sentences = append(v.Sentences, wording.Sentence(words))
		}
	}
	isMeasured := j.Verdict != stats.NotMeasured // what there is no number of needs no warning
	if j.Effect != nil && isMeasured {
		e := effectOf(&j)
		v.addEffect(e, j)
		if at := c.shownAt(block.Expect.Node, j.Effect.Cells); at != nil {
			v.Links = append(v.Links, *at)
		}
		add(withPrefix("claimed: ", e.claimed()))
		add(withPrefix("published: ", c.publishedEffect(block.Expect.Node, e)))
	}
	add(j.Tally())
	v.Parts, v.Folded = partsOf(j)
	if len(v.Parts) == 0 || v.Folded { // else each of them has its own
		add(j.Reason)
	}
	add(neededWords(j))
	if isMeasured {
		if j.Invalid {
			add("one of its parts is not measured, because a cell is not valid")
		}
		for _, m := range j.Marks {
			add(m)
		}
		v.ByMetric = byMetric(claim.SensitivityOf(c.d, block))
	}
	if slices.ContainsFunc(v.Parts, func(p partView) bool { return p.hasInterval }) {
		words := "with 95\u202f% intervals"
		if j.Floor > 0 {
			words += ", for ratios" + floorNote(j.Floor)
		}
		add(words)
	}
	return v
}

func (v *claimView) addEffect(e effect, j claim.Judgement) {
	v.What, v.Effect, v.Interval = wording.Capital(j.What), e.text(), e.interval()
	if e.hasInterval() {
		v.Interval += ", 95\u202f% interval" + floorNote(j.Floor)
	}
	if e.ratio > 0 {
		v.Drawing = chart.Effect(e.ratio, e.bounds, e.region, j.Verdict)
	}
}

// neededWords says how many repetitions might decide an inconclusive claim.
func neededWords(j claim.Judgement) string {
	if j.Needed == 0 || j.Verdict != stats.Inconclusive {
		return ""
	}
	it := "it"
	if len(j.Parts) > 0 {
		it = "each of them"
	}
	return "about " + number.Count(j.Needed, "repetition") + " would have an even chance of deciding " + it
}

// oneLine is how many characters of a test are shown below a claim; longer tests are folded.
const oneLine = 120

func withPrefix(before, words string) string {
	if words == "" {
		return ""
	}
	return before + words
}

// byMetric returns the verdicts on a claim by each form of its quantity; nil for one alone:
// docs/claims.md#other-metrics.
func byMetric(s claim.Sensitivity) *byMetricView {
	if s.Is == stats.OneMetric {
		return nil
	}
	v := &byMetricView{Is: string(s.Is)}
	names := map[stats.Verdict][]string{}
	var order []stats.Verdict
	for _, m := range s.ByMetric {
		j := m.Judgement
		name := wording.Lower(m.Metric.Title)
		if m.WithoutWarned {
			name += " without warned repetitions"
		}
		if len(names[j.Verdict]) == 0 {
			order = append(order, j.Verdict)
		}
		names[j.Verdict] = append(names[j.Verdict], name)
		row := partOf(j)
		row.What = "by " + name
		v.Rows = append(v.Rows, row)
	}
	if len(order) == 1 {
		v.Summary = fmt.Sprintf("%s by all %d", order[0], len(s.ByMetric))
		return v
	}
	var words []string
	for _, verdict := range order {
		words = append(words, string(verdict)+" by "+wording.List(names[verdict]))
	}
	v.Summary = strings.Join(words, "; ")
	return v
}

// partsOf returns the comparisons of a claim with several; long lists are folded.
func partsOf(j claim.Judgement) (out []partView, folded bool) {
	const most = 6
	for _, p := range j.Parts {
		out = append(out, partOf(p))
	}
	return out, len(out) > most
}

func partOf(j claim.Judgement) partView {
	mark := VerdictBadge(j.Verdict)
	v := partView{Class: mark.Class, Word: mark.Word, What: j.What, Reason: j.Reason}
	if j.Effect != nil && j.Verdict != stats.NotMeasured {
		e := effectOf(&j)
		v.Effect, v.Interval, v.hasInterval = e.text(), e.interval(), e.hasInterval()
	}
	return v
}

// floorNote says that an interval is widened, unlike those in tables: docs/method.md#claims-as-regions.
func floorNote(floor float64) string {
	if floor == 0 {
		return ""
	}
	return " widened by the noise floor of " + wording.Percent(floor)
}

// claimSentence returns the text of a claim, else the words of the first link to it, else its test.
func (c *composer) claimSentence(claim *article.Claim) (template.HTML, string) {
	if claim.Text.Value != "" {
		return c.prose.Inline(claim.Text.Value)
	}
	if words := c.prose.ClaimWords[claim.Name.Value]; words != "" {
		return template.HTML(template.HTMLEscapeString(words)), words
	}
	test := claim.Name.Value
	if claim.Expect.Node != nil {
		test = claim.Expect.Node.String()
	}
	return template.HTML("<code>" + template.HTMLEscapeString(test) + "</code>"), test
}

// Claim shows a link to a claim with its verdict.
func (c *composer) Claim(name string, words template.HTML) template.HTML {
	mark := VerdictBadge(c.judgements[name].Verdict)
	return c.Fill("claimed", struct {
		Words       template.HTML
		Class, Word string
		Href        string
	}{words, mark.Class, mark.Word, "#" + prose.ClaimID + name})
}

// effect is the size of a claimed effect: a ratio, or a value.
type effect struct {
	writer
	ratio  float64 // 0 if it is none
	bounds *stats.Interval
	region stats.Region // where the claim has it, as a ratio if it is one; zero for none
}

// effectOf returns the effect of a claim or of one comparison; a change becomes the ratio behind it.
func effectOf(j *claim.Judgement) effect {
	q := *j.Effect
	e := effect{writer: writerFor(q, nil), region: j.Region}
	if !j.IsRatio {
		return e
	}
	if e.ratio, e.bounds = q.Number, q.Interval; q.Share {
		e.ratio++
		if e.region != (stats.Region{}) {
			e.region = stats.Region{Lo: e.region.Lo + 1, Hi: e.region.Hi + 1}
		}
		if q.Interval != nil {
			e.bounds = &stats.Interval{Lo: q.Interval.Lo + 1, Hi: q.Interval.Hi + 1}
		}
	}
	return e
}

func isCall(n expr.Node, names ...string) bool {
	call, ok := n.(*expr.Call)
	return ok && slices.Contains(names, call.Name)
}

// asPercent reports whether a ratio is written as a difference in per cent: between a half and twice.
func (e effect) asPercent() bool { return e.ratio > 0.5 && e.ratio < 2 }

func (e effect) ends() (lo, hi float64) {
	if e.bounds == nil {
		return math.NaN(), math.NaN()
	}
	return e.bounds.Lo, e.bounds.Hi
}

// text writes the effect: "+17 %", "2.2×", "12.3 ms". Without an interval a ratio has three digits, and a difference no
// more than are left of them.
func (e effect) text() string {
	switch {
	case e.ratio == 0:
		return e.writer.text()
	case e.asPercent() && e.bounds == nil:
		digits := number.Times.Decimals(e.reading(0))
		step := math.Pow10(digits)
		return number.Percent.Signed(math.Round(e.ratio*step)/step-1, max(0, digits-2))
	case e.asPercent():
		return number.Percent.Signed(e.ratio-1, number.Percent.Decimals(e.reading(1)))
	}
	return number.Times.Quantity(e.ratio, number.Times.Decimals(e.reading(0)))
}

// reading is a ratio less something, as its digits are chosen by.
func (e effect) reading(less float64) number.Reading {
	out := number.Reading{Value: e.ratio - less, Step: e.q.Step}
	if e.bounds != nil {
		out.Lo, out.Hi = e.bounds.Lo-less, e.bounds.Hi-less
	}
	return out
}

// claimed writes the claimed region: "more than +5 %", "less than 100 ms"; empty without one.
func (e effect) claimed() string {
	if e.region == (stats.Region{}) {
		return ""
	}
	lo, hi := e.region.Lo, e.region.Hi
	hasLo, hasHi := !math.IsInf(lo, 0) && (e.ratio == 0 || lo > 0), !math.IsInf(hi, 0)
	write := func(x float64) string { return number.For(e.q.Unit, e.q.Share, x).Exact(x) }
	if e.ratio > 0 {
		write = limitWords
	}
	switch {
	case hasLo && hasHi:
		return "between " + write(lo) + " and " + write(hi)
	case hasLo:
		return "more than " + write(lo)
	case hasHi:
		return "less than " + write(hi)
	}
	return ""
}

// limitWords writes a ratio chosen by the author with as few digits as it needs.
func limitWords(ratio float64) string {
	if !(effect{ratio: ratio}).asPercent() {
		digits := number.Times.Decimals(number.Reading{Value: ratio})
		return number.Times.Exact(math.Round(ratio*math.Pow10(digits)) / math.Pow10(digits))
	}
	const step = 1000 // a tenth of a per cent
	difference := math.Round((ratio-1)*step) / step
	decimals := 0
	if tenths := math.Round(difference * step); math.Mod(tenths, 10) != 0 {
		decimals = 1
	}
	return number.Percent.Signed(difference, decimals)
}

func ratioWords(ratio float64) string { return effect{ratio: ratio}.text() }

// publishedEffect writes the published size of an effect; empty if nothing was published.
func (ev *evaluator) publishedEffect(n expr.Node, e effect) string {
	x, ok := ev.publishedNumber(n, e.q.Cells, e.ratio > 0)
	switch {
	case !ok:
		return ""
	case e.ratio > 0:
		return ratioWords(x)
	}
	return e.unit.Exact(x)
}

// publishedNumber returns the published value of the only metric of an expression: of one cell, or the ratio of two.
func (ev *evaluator) publishedNumber(n expr.Node, cells []*dataset.Cell, isRatio bool) (float64, bool) {
	selectors := expr.Selectors(ev.resolved(n))
	if len(selectors) == 0 || slices.ContainsFunc(selectors,
		func(s *expr.Selector) bool { return s.Name != selectors[0].Name }) {
		return 0, false
	}
	var numbers []float64
	for _, cell := range cells {
		p, ok := ev.d.Published(cell, selectors[0].Name, "")
		if !ok {
			return 0, false
		}
		numbers = append(numbers, p.Number)
	}
	switch {
	case !isRatio && len(numbers) == 1:
		return numbers[0], true
	case isRatio && len(numbers) == 2 && numbers[1] > 0:
		return numbers[0] / numbers[1], true
	case isCall(ev.resolved(n), "fewer") && len(numbers) == 2 && cells[0].Metric(selectors[0].Name).Metric.Share:
		return numbers[1] - numbers[0], true
	}
	return 0, false
}

// hasInterval reports whether there is a confidence interval; ranges of two runs and of searches are none.
func (e effect) hasInterval() bool {
	return e.q.Interval != nil && e.q.Kind != stats.RangeOfTwo && e.q.Kind != stats.BySearch
}

// interval writes the interval of the effect, or why there is none.
func (e effect) interval() string {
	lo, hi := e.ends()
	switch {
	case e.q.Kind == stats.Exact:
		return exactWords(e.q.N)
	case e.q.Interval == nil && e.q.N == 1:
		return "1\u00a0run"
	case e.q.Interval == nil:
		return "no interval"
	case e.q.Kind == stats.RangeOfTwo:
		return "2\u00a0runs: " + e.intervalShort()
	case e.ratio == 0:
		return e.intervalShort()
	case e.asPercent():
		return number.Percent.SignedBetween(lo-1, hi-1, number.Percent.Decimals(e.reading(1)))
	}
	return number.Times.Between(lo, hi, number.Times.Decimals(e.reading(0)))
}

// effectWords writes the effect of a claim with its interval; empty without one.
func effectWords(j claim.Judgement) string {
	if j.Effect == nil {
		return ""
	}
	e := effectOf(&j)
	return j.What + ": " + e.text() + ", " + e.interval()
}
