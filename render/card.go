package render

import (
	"cmp"
	"html/template"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"

	"benchbook/render/prose"
)

// card adds to a page what an index shows of it: what was found, in the sentence of the first headline claim that is
// decided, with the published number next to ours, and the picture of its answer.
func (c *composer) card(page *Page, answer answerView) {
	page.Picture = c.picture
	for _, v := range []stats.Verdict{stats.Supported, stats.Stronger, stats.Contradicted, stats.Inconclusive,
		stats.NotMeasured} {
		if n := c.judgements.with(v); n > 0 {
			mark := VerdictBadge(v)
			mark.Word = string(v)
			page.Counts = append(page.Counts, VerdictCount{mark, n})
		}
	}
	if r := c.doc.Front.Reproduces; r != nil {
		page.Original = source.Plain(nameOf(r))
	}
	page.Finding = page.Description
	stated := "" // the claim that the words state first
	switch first := c.firstDecided(); {
	case c.findingHolds():
		page.Says, page.Finding = c.prose.Inline(c.doc.Front.Finding.Value)
		stated = c.claimOfFinding()
	case first != nil:
		stated = first.Name.Value
		o := c.outcome(stated)
		page.Verdict, page.Says, page.Finding = VerdictBadge(c.judgements.verdict(stated)), o.Sentence.HTML(), o.Sentence.Text()
	case page.Finding != "":
	case c.origin.Measured > 0:
		page.Finding = "Measured, but no headline claim could be judged."
	default:
		page.Finding = "Not measured yet."
	}
	for _, line := range answer.Answers {
		if o := line.Outcome; line.Href == "#"+prose.ClaimID+stated && o.Published != "" && o.Here != "" {
			page.Beside = &Beside{answer.Year, o.Published, o.Here, o.Interval}
		}
	}
}

// nameOf names a work in a list: by its author and year, else by its title.
func nameOf(w *article.Work) string {
	if w.Author.Value == "" {
		return nameOfWork(w)
	}
	return w.By()
}

// findingHolds reports whether the article has a finding, and all claims that it states in fixed words hold.
func (c *composer) findingHolds() bool {
	return c.doc.Front.Finding.Value != "" && !slices.ContainsFunc(c.doc.Statements(), func(s article.Statement) bool {
		verdict := c.judgements.verdict(s.Claim.Value)
		return s.Is == "finding" && verdict != stats.Supported && verdict != stats.Stronger
	})
}

// firstDecided is the first headline claim that is supported or contradicted, else the first that was measured; nil
// without one.
func (c *composer) firstDecided() (first *article.Claim) {
	for _, block := range c.headlines() {
		switch c.judgements.verdict(block.Name.Value) {
		case stats.NotMeasured:
		case stats.Inconclusive:
			first = cmp.Or(first, block)
		default:
			return block
		}
	}
	return first
}

// Beside has the published and the measured effect of a headline claim.
type Beside struct{ Year, Published, Here, Interval string }

// claimOfFinding is the name of the claim that the finding links first; empty for none.
func (c *composer) claimOfFinding() string {
	finding := c.doc.Front.Finding.Pos
	for _, l := range c.doc.ClaimLinks {
		if at := l.Name.Pos.Start; finding.Start <= at && at < finding.End {
			return l.Name.Value
		}
	}
	return ""
}

// pictureOf returns a drawing with ids of its own, for pages that show drawings of several articles.
func (c *composer) pictureOf(label string, drawing template.HTML) template.HTML {
	own := c.doc.Slug + "-" + label + "-"
	return template.HTML(strings.NewReplacer(`"`+label+"-", `"`+own, "#"+label+"-", "#"+own).Replace(string(drawing)))
}
