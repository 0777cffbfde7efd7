package render

import (
	"cmp"
	"html/template"
	"slices"
	"strings"

	"benchbook/render/prose"
)

// Beside is what was published for a headline claim, and what was measured here.
type Beside struct{ Year, Published, Here, Interval string }

// listed adds to a page the picture of its answer, and the published number beside ours of the claim that its card
// states first.
func (c cardPart) listed(page *Page, answer answerView) {
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

// statedFirst is the name of the claim that the finding links first, or that stands in its place; empty for none.
func (c cardPart) statedFirst() string {
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
