package render

import (
	"cmp"
	"html/template"
	"slices"
	"strings"
)

// Beside is what was published for a headline claim, and what was measured here.
type Beside struct{ Year, Published, Here, Interval string }

// listed adds to a page the picture of its answer, and the published number beside ours of the claim that it says, else
// of the first claim with one.
func (c cardPart) listed(page *Page, answer answerView) {
	page.Picture = c.picture
	isPublished := func(line answerLine) bool { return line.Outcome.Published != "" && line.Here != "" }
	i := slices.IndexFunc(answer.Answers, isPublished)
	if first := c.firstDecided(); first != nil && page.Verdict.Class != "" {
		i = slices.IndexFunc(answer.Answers, func(line answerLine) bool {
			return isPublished(line) && strings.HasSuffix(line.Href, "-"+first.Name.Value)
		})
	}
	if i >= 0 {
		line := answer.Answers[i]
		page.Beside = &Beside{cmp.Or(answer.Year, "Published"), line.Outcome.Published, line.Here, line.Interval}
	}
}

// pictureOf returns a drawing with ids of its own, for pages that show drawings of several articles.
func (c *composer) pictureOf(label string, drawing template.HTML) template.HTML {
	own := c.doc.Slug + "-" + label + "-"
	return template.HTML(strings.NewReplacer(`"`+label+"-", `"`+own, "#"+label+"-", "#"+own).Replace(string(drawing)))
}
