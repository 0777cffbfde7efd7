package render

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/stats"

	"benchbook/render/cellview"

	"benchbook/internal/slice"
	"benchbook/render/outcome"
	"benchbook/render/prose"
	"benchbook/render/wording"
)

// answerView is what a page says before anything else.
type answerView struct {
	Standing Badge
	Of       string // what the standing counts: "0 of 3 headline claims supported, 14 of all 36"
	Title    template.HTML
	Meta     []template.HTML
	Text     template.HTML // the answer of the author; may be empty
	Related  []template.HTML
	Answers  []claimLine
	More     string // headline claims beyond those: "and 2 more"
	Figure   template.HTML
	Cautions *cautionsView
	Year     string // of what was published
	Shortest string // how long the shortest experiment took; empty if nothing was measured
}

// claimLine is what a claim came to, in a line.
type claimLine struct {
	Badge   // of the verdict
	Says    template.HTML
	Outcome outcome.Outcome
	Href    string
	Stated  string        // empty for a claim that was stated before it was measured, or may have been
	Section string        // of the original
	Derived template.HTML // how the published number follows from the original
}

func (c *composer) line(block *article.Claim, says template.HTML) claimLine {
	name := block.Name.Value
	return claimLine{Badge: VerdictBadge(c.judgements.verdict(name)), Says: says, Outcome: c.outcome(name),
		Href: "#" + prose.ClaimID + name}
}

// headlines are the headline claims.
func (c *composer) headlines() []*article.Claim {
	return slice.Filter(c.doc.Claims, func(block *article.Claim) bool { return block.Headline })
}

// yearOf is when what was published was published, as the head of a column; else a word.
func yearOf(doc *article.Document) string {
	if r := doc.Front.Reproduces; r != nil && r.Year.Value != "" {
		return r.Year.Value
	}
	return "Published"
}

// mostAnswers is how many headline claims the top of a page has room for.
const mostAnswers = 4

func (c *composer) answer(standing claim.Standing, title, own template.HTML) answerView {
	v := answerView{Standing: PlainBadge(standing), Title: title, Meta: c.meta(), Text: own,
		Related: slice.Map(c.doc.Front.Related, c.linkTo), Of: c.countOfClaims(standing), Cautions: c.cautions(),
		Year: yearOf(c.doc), Shortest: c.shortest()}
	headlines := c.headlines()
	for _, block := range headlines[:min(len(headlines), mostAnswers)] {
		j := c.judgements[block.Name.Value]
		line := c.line(block, c.outcome(block.Name.Value).Sentence.WithoutInterval().HTML())
		if j.Verdict == stats.NotMeasured { // which the word of the outcome says
			line.Outcome.Here = ""
		} else {
			line.Outcome.Interval += sessionsBeside(&j)
		}
		line.Stated = statedWords(c.statedAs(block))
		if !block.Derived.IsZero() {
			line.Outcome.Published = ""
		}
		v.Answers = append(v.Answers, line)
	}
	if n := len(headlines) - mostAnswers; n > 0 {
		v.More = fmt.Sprintf("and %d more", n)
	}
	if f := c.headline; f != nil {
		v.Figure = c.figure(f)
	}
	return v
}

// countOfClaims counts the claims behind a standing; of one that rests on no claims it says the reason.
func (c *composer) countOfClaims(s claim.Standing) string {
	counted := c.results.Headlines()
	headlines := len(counted)
	switch {
	case c.options.Command != "":
		return "" // nobody claims anything
	case s.Count == "" || headlines == 0:
		return s.Reason
	}
	words := fmt.Sprintf("%d of %s supported", s.Supported, wording.Count(headlines, "headline claim"))
	if c.doc.Front.Reproduces != nil && counted[0].Claim.IsOriginal() {
		words = fmt.Sprintf("%d of %s of the original supported", s.Supported, wording.Count(headlines, "headline claim"))
	}
	if n := slice.Count(counted, func(j claim.Judgement) bool { return j.Outcome() == stats.Stronger }); n > 0 {
		words += fmt.Sprintf(" (%d stronger than claimed)", n)
	}
	if s.After > 0 {
		words += fmt.Sprintf(", %d more not stated before", s.After)
	}
	if s.Mostly > 0 {
		words += fmt.Sprintf(", %d mostly", s.Mostly)
	}
	if all := len(c.doc.Claims); all > headlines {
		words += fmt.Sprintf(", %d of all %d", c.judgements.with(stats.Supported)+c.judgements.with(stats.Stronger), all)
	}
	return words
}

func (j judgements) with(v stats.Verdict) (n int) {
	for _, one := range j {
		if one.Outcome() == v {
			n++
		}
	}
	return n
}

// headlineFigure is the figure at the top of the page: the one that the author chose, else one of the first headline
// claim. It is nil if there is none.
func (c *composer) headlineFigure() *article.Figure {
	for _, f := range c.doc.Figures {
		if f.Headline && c.Applies(f.Part) {
			return f
		}
	}
	headlines := c.headlines()
	if len(headlines) == 0 || headlines[0].Expect.Node == nil {
		return nil
	}
	j := c.judgements[headlines[0].Name.Value]
	if cells := outcome.CellsOf(j); len(cells) > 0 {
		return c.figureOf(c.metricOf(headlines[0].Expect.Node), cells)
	}
	return nil
}

// cautionsView is one line that names what a reader must know, and opens to a sentence for each.
type cautionsView struct {
	Count, Names string
	Each         []banner
}

func (c *composer) cautions() *cautionsView {
	v := &cautionsView{Each: c.banners()}
	if len(v.Each) == 0 {
		return nil
	}
	v.Count = wording.Count(len(v.Each), "caution")
	v.Names = strings.Join(slice.Map(v.Each, func(b banner) string {
		return cmp.Or(b.Name, wording.Lower(strings.TrimRight(b.Strong, ".:,")))
	}), "; ")
	return v
}

// lasted is how long the repetitions of an experiment took; 0 if it was not measured.
func lasted(e *dataset.Experiment) time.Duration { return cellview.OriginOf(e.AllCells()).Took }

func (c *composer) shortest() string {
	times := slice.Filter(slice.Map(c.d.Experiments, lasted), func(took time.Duration) bool { return took > 0 })
	if len(times) == 0 {
		return ""
	}
	return wording.Lasting(slices.Min(times))
}
