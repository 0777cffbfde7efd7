package render

import (
	"cmp"
	"html/template"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"

	"benchbook/internal/slice"
	"benchbook/render/prose"
)

// card adds to a page what an index shows of it: what was found, in the sentence of the first headline claim that is
// decided, and its picture.
func (c *composer) card(page *Page, a composed) {
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
	page.Finding = a.description
	switch first := c.firstDecided(); {
	case c.findingHolds():
		page.Says, page.Finding = c.prose.Inline(c.doc.Front.Finding.Value)
	case first != nil:
		o := c.outcomes.of(first.Name.Value)
		page.Verdict, page.Says = VerdictBadge(c.judgements.verdict(first.Name.Value)), o.Sentence.HTML()
		page.Finding = o.Sentence.Text()
	case page.Finding != "":
	case c.origin.Measured > 0:
		page.Finding = "Measured, but no headline claim could be judged."
	default:
		page.Finding = "Not measured yet."
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
		return s.Is == "finding" && !c.judgements.holds(s.Claim.Value)
	})
}

// holds reports whether a claim is as claimed, or stronger.
func (j judgements) holds(name string) bool {
	v := j.verdict(name)
	return v == stats.Supported || v == stats.Stronger
}

// firstDecided is the first headline claim that is supported or contradicted, else the first that was measured; nil
// without one.
func (c *composer) firstDecided() *article.Claim {
	headlines := slice.Filter(c.doc.Claims, func(block *article.Claim) bool {
		return block.Headline && c.judgements.verdict(block.Name.Value) != stats.NotMeasured
	})
	for _, block := range headlines {
		if c.judgements.verdict(block.Name.Value) != stats.Inconclusive {
			return block
		}
	}
	if len(headlines) > 0 {
		return headlines[0]
	}
	return nil
}

// Beside has the published and the measured effect of a headline claim.
type Beside struct{ Year, Published, Here, Interval string }

// listed adds to a page the picture of its answer, and the published number next to ours of the claim that its card
// states first.
func (c *composer) listed(page *Page, answer answerView) {
	page.Picture = c.picture
	href := "#" + prose.ClaimID + c.statedFirst()
	i := slices.IndexFunc(answer.Answers, func(line answerLine) bool {
		return line.Href == href && line.Outcome.Published != "" && line.Here != ""
	})
	if i >= 0 {
		line := answer.Answers[i]
		page.Beside = &Beside{cmp.Or(answer.Year, "Published"), line.Outcome.Published, line.Here, line.Interval}
	}
}

// statedFirst is the name of the claim that the finding links first, or that replaces it; empty for none.
func (c *composer) statedFirst() string {
	if c.findingHolds() {
		finding := c.doc.Front.Finding.Pos
		for _, l := range c.doc.ClaimLinks {
			if at := l.Name.Pos.Start; finding.Start <= at && at < finding.End {
				return l.Name.Value
			}
		}
		return ""
	}
	if first := c.firstDecided(); first != nil {
		return first.Name.Value
	}
	return ""
}

// pictureOf returns a drawing with ids of its own, for pages that show drawings of several articles.
func (c *composer) pictureOf(label string, drawing template.HTML) template.HTML {
	own := c.doc.Slug + "-" + label + "-"
	return template.HTML(strings.NewReplacer(`"`+label+"-", `"`+own, "#"+label+"-", "#"+own).Replace(string(drawing)))
}
