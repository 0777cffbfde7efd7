package render

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/stats"
	"benchbook/render/number"
)

// claimView is a claim in the template.
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
	// Sentences follow the effect: why the claim is not decided, what to keep in mind.
	Sentences []string
	Links     []link
	Parts     []partView
	// ByMetric is what the claim comes to by other metrics of the same thing; nil if there are none.
	ByMetric *byMetricView
	Expect   string
}

// byMetricView says whether what a claim says depends on its metric.
type byMetricView struct {
	Is, Summary string
	Rows        []partView
}

// partView is one of the comparisons that a claim is made of.
type partView struct{ Class, Word, Text string }

// claims lists the claims of a block.
func (c *composer) claims(list []*article.Claim) template.HTML {
	var views []claimView
	for _, claim := range list {
		views = append(views, c.claim(claim))
	}
	return c.fill("claims", views)
}

func (c *composer) claim(claim *article.Claim) claimView {
	j := c.judgements[claim.Name.Value]
	mark := VerdictMark(j.Verdict)
	says, _ := c.claimSentence(claim)
	v := claimView{ID: claimID + claim.Name.Value, Class: mark.Class, Word: mark.Word, Says: says, Headline: claim.Headline.V}
	if claim.Expect.Node != nil {
		v.Expect = claim.Expect.Node.String()
	}
	if j.Effect != nil && j.Verdict != stats.NotMeasured {
		e := effectOf(&j)
		v.What, v.Effect, v.Interval = capital(j.What), e.text(), e.interval()
		if e.hasInterval() {
			v.Interval += ", 95\u202f% interval" + widened(j.Floor)
		}
		if e.ratio > 0 {
			v.Drawing = drawEffect(e.ratio, e.bounds, j.Verdict)
		}
		if at := c.shownAt(claim.Expect.Node, j.Effect.Cells); at != nil {
			v.Links = append(v.Links, *at)
		}
	}
	if j.Reason != "" {
		v.Sentences = append(v.Sentences, sentence(j.Reason))
	}
	if j.Needed > 0 && j.Verdict == stats.Inconclusive {
		it := "it"
		if len(j.Parts) > 0 {
			it = "each of them"
		}
		v.Sentences = append(v.Sentences, "About "+number.Count(j.Needed, "repetition")+" would have an even chance to decide "+it+".")
	}
	if j.Verdict != stats.NotMeasured { // what there is no number of needs no warning
		if j.Invalid {
			v.Sentences = append(v.Sentences, "It rests on a cell that is not valid.")
		}
		for _, m := range j.Marks {
			v.Sentences = append(v.Sentences, sentence(m))
		}
	}
	v.Parts, v.Sentences = c.parts(claim, j, v.Sentences)
	if j.Verdict != stats.NotMeasured {
		v.ByMetric = byMetric(c.d.Sensitivity(claim))
	}
	return v
}

// byMetric shows the verdicts on a claim by each metric of the set; nil if it has one only: METHOD.md 9.
func byMetric(s dataset.Sensitivity) *byMetricView {
	if s.Is == stats.OneMetric {
		return nil
	}
	v := &byMetricView{Is: string(s.Is)}
	names := map[stats.Verdict][]string{}
	var order []stats.Verdict
	for _, m := range s.ByMetric {
		j := m.Judgement
		mark := VerdictMark(j.Verdict)
		name := lower(m.Metric.Title)
		if len(names[j.Verdict]) == 0 {
			order = append(order, j.Verdict)
		}
		names[j.Verdict] = append(names[j.Verdict], name)
		text := "by " + name
		if j.Effect != nil && j.Verdict != stats.NotMeasured {
			e := effectOf(&j)
			text += ", " + e.text() + ", " + e.interval()
		}
		if j.Reason != "" {
			text += " (" + j.Reason + ")"
		}
		v.Rows = append(v.Rows, partView{mark.Class, mark.Word, text})
	}
	var words []string
	for _, verdict := range order {
		word := string(verdict)
		words = append(words, word+" by "+listWords(names[verdict]))
	}
	v.Summary = strings.Join(words, "; ")
	return v
}

// parts lists the comparisons of a claim that has several, or counts them where a list would be too long.
func (c *composer) parts(claim *article.Claim, j dataset.Judgement, sentences []string) ([]partView, []string) {
	if len(j.Parts) == 0 {
		return nil, sentences
	}
	counts := map[stats.Verdict]int{}
	intervals := false
	var out []partView
	for _, p := range j.Parts {
		counts[p.Verdict]++
		mark := VerdictMark(p.Verdict)
		words := []string{p.What}
		if p.Effect != nil && p.Verdict != stats.NotMeasured {
			e := effectOf(&p)
			words = append(words, e.text(), e.interval())
			intervals = intervals || e.hasInterval()
		}
		text := strings.Join(words, ", ")
		if p.Reason != "" {
			text += " (" + p.Reason + ")"
		}
		out = append(out, partView{mark.Class, mark.Word, text})
	}
	var tally []string
	for _, v := range []stats.Verdict{stats.Supported, stats.Contradicted, stats.Inconclusive, stats.NotMeasured} {
		if n := counts[v]; n > 0 {
			tally = append(tally, fmt.Sprintf("%d %s", n, v))
		}
	}
	sentences = append(sentences, number.Count(len(j.Parts), "comparison")+": "+strings.Join(tally, ", ")+".")
	const most = 12
	if len(out) > most {
		return nil, sentences
	}
	if intervals {
		words := "With 95\u202f% intervals"
		if j.Floor > 0 {
			words += ", those of ratios" + widened(j.Floor)
		}
		sentences = append(sentences, words+".")
	}
	return out, sentences
}

// widened says that an interval is not as in tables and slips: METHOD.md 3.2.
func widened(floor float64) string {
	if floor == 0 {
		return ""
	}
	return " widened by the noise floor of " + percentOf(floor)
}

// percentOf writes a noise floor.
func percentOf(f float64) string { return number.Percent.Quantity(f, number.Percent.Decimals(f, 0, f)) }

// claimSentence is what a claim says: its own text, else the words of the first link to it, else its test.
func (c *composer) claimSentence(claim *article.Claim) (template.HTML, string) {
	if claim.Text.Value != "" {
		return c.inline(claim.Text.Value)
	}
	if words := c.claimWords[claim.Name.Value]; words != "" {
		return template.HTML(template.HTMLEscapeString(words)), words
	}
	test := claim.Name.Value
	if claim.Expect.Node != nil {
		test = claim.Expect.Node.String()
	}
	return template.HTML("<code>" + template.HTMLEscapeString(test) + "</code>"), test
}

// said is what stands after the words of a link to a claim: its verdict, leading to the claim itself.
func (c *composer) said(name string, words template.HTML) template.HTML {
	mark := VerdictMark(c.judgements[name].Verdict)
	return c.fill("said", struct {
		Words       template.HTML
		Class, Word string
		Href        string
	}{words, mark.Class, mark.Word, "#" + claimID + name})
}

// effect is how large a claimed effect is: a ratio, or a value.
type effect struct {
	writer
	ratio  float64 // 0 if it is none
	bounds *stats.Interval
}

// effectOf is the effect of a claim, or of a part of one. A change is told as the ratio it comes from.
func effectOf(j *dataset.Judgement) effect {
	q := *j.Effect
	e := effect{writer: writerFor(q, nil)}
	if !j.IsRatio {
		return e
	}
	if e.ratio, e.bounds = q.Number, q.Interval; q.Share {
		e.ratio++
		if q.Interval != nil {
			e.bounds = &stats.Interval{Lo: q.Interval.Lo + 1, Hi: q.Interval.Hi + 1}
		}
	}
	return e
}

func isCall(n expr.Node, names ...string) bool {
	call, ok := n.(*expr.Call)
	for _, name := range names {
		if ok && call.Name == name {
			return true
		}
	}
	return false
}

// asPercent tells whether a ratio reads better as a difference in per cent: between a half and twice.
func (e effect) asPercent() bool { return e.ratio > 0.5 && e.ratio < 2 }

// ends are those of the interval; NaN without one.
func (e effect) ends() (lo, hi float64) {
	if e.bounds == nil {
		return math.NaN(), math.NaN()
	}
	return e.bounds.Lo, e.bounds.Hi
}

// text is the effect in words: "+17 %", "2.2×", "12.3 ms". Without an interval a ratio has three digits, and the
// difference no more than is left of them.
func (e effect) text() string {
	lo, hi := e.ends()
	switch {
	case e.ratio == 0:
		return e.writer.text()
	case e.asPercent() && e.bounds == nil:
		digits := number.Times.Decimals(e.ratio, lo, hi)
		step := math.Pow10(digits)
		return number.Percent.Signed(math.Round(e.ratio*step)/step-1, max(0, digits-2))
	case e.asPercent():
		return number.Percent.Signed(e.ratio-1, number.Percent.Decimals(e.ratio-1, lo-1, hi-1))
	}
	return number.Times.Quantity(e.ratio, number.Times.Decimals(e.ratio, lo, hi))
}

// hasInterval tells whether there is an interval that has a confidence: of two repetitions there is a range.
func (e effect) hasInterval() bool {
	return e.q.Interval != nil && e.q.Kind != stats.RangeOfTwo
}

// interval is the effect's interval in words, or why there is none.
func (e effect) interval() string {
	lo, hi := e.ends()
	switch {
	case e.q.Interval == nil && e.q.N == 1:
		return "1\u00a0run"
	case e.q.Interval == nil:
		return "no interval"
	case e.q.Kind == stats.RangeOfTwo:
		return "2\u00a0runs: " + e.intervalShort()
	case e.ratio == 0:
		return e.intervalShort()
	case e.asPercent():
		return number.Percent.SignedBetween(lo-1, hi-1, number.Percent.Decimals(e.ratio-1, lo-1, hi-1))
	}
	return number.Times.Between(lo, hi, number.Times.Decimals(e.ratio, lo, hi))
}

// effectWords is the effect of a claim with its interval, for a sentence; empty if there is none.
func (c *composer) effectWords(j dataset.Judgement) string {
	if j.Effect == nil {
		return ""
	}
	e := effectOf(&j)
	return j.What + ": " + e.text() + ", " + e.interval()
}
