package render

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"
	"path"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
	"benchbook/render/cellview"
	"benchbook/render/datafile"
	"benchbook/render/figure"
	"benchbook/render/outcome"
	"benchbook/slice"
)

// provenancePart is what a page and its files say of where a table or figure is from.
type provenancePart struct{ *composer }

// about is what all files of a table or figure say of it, under the title that it has where its page is not. The claim
// is the one that it states, if any.
//
// Source: docs/results.md#provenance-of-files.
func (c provenancePart) about(label, title, claim string, o cellview.Origin) datafile.About {
	finding := ""
	if claim = cmp.Or(claim, c.claimOn(o.Cells)); claim != "" {
		finding = c.Finding(claim)
	}
	_, source := c.prose.Inline(c.doc.Front.Title.Value)
	return datafile.About{{"title", title}, {"finding", finding}, {"source", source},
		{"run", strings.Join(o.Runs, ", ")}, {"host", strings.Join(o.Hosts, ", ")},
		{"revision", strings.Join(o.Revisions, ", ")}, {"address", c.address("index.html") + "#" + label},
		{"licence", c.options.Licence}}
}

// statedBy is the claim that a table or figure states, by its title or in so many words; empty if it states none.
func statedBy(title, claim source.Text) string {
	if name, ok := article.SentenceOf(title.Value); ok {
		return name
	}
	return claim.Value
}

// claimOn is the first claim on some of the cells, of the headlines if one is; or else the first headline that is
// decided.
func (c provenancePart) claimOn(cells []*dataset.Cell) string {
	shown := map[*dataset.Cell]bool{}
	for _, cell := range cells {
		shown[cell] = true
	}
	on := slice.Filter(c.doc.Claims, func(block *article.Claim) bool {
		j := c.judgements[block.Name.Value]
		return c.judgements.verdict(block.Name.Value) != stats.NotMeasured &&
			slices.ContainsFunc(outcome.CellsOf(j), func(cell *dataset.Cell) bool { return shown[cell] })
	})
	on = append(slice.Filter(on, func(block *article.Claim) bool { return block.Headline.V }), on...)
	if first := cardPart(c).firstDecided(); first != nil {
		on = append(on, first)
	}
	if len(on) == 0 {
		return ""
	}
	return on[0].Name.Value
}

// address is where a file of the page is: below the folder of the site where nobody has said where that will be.
func (c provenancePart) address(file string) string {
	name := &url.URL{Path: path.Join(c.doc.Slug, c.folder, file)}
	if c.options.Address == "" {
		return name.EscapedPath()
	}
	return strings.TrimSuffix(c.options.Address, "/") + "/" + strings.TrimSuffix(name.EscapedPath(), "index.html")
}

// encoder writes data with what is said about them.
type encoder func(about datafile.About) (csv, json []byte, err error)

// drawing is one that is offered as a file.
type drawing struct {
	id, name string // of its panel
	svg      []byte
}

// addFiles adds the files of a table or figure, and returns links of its page and lines that show it on others.
func (c provenancePart) addFiles(label string, about datafile.About, encode encoder, drawings ...drawing) (links []link,
	embed string) {
	csv, json, err := encode(about)
	c.err = cmp.Or(c.err, err)
	add := func(name, words string, data []byte) {
		c.files = append(c.files, File{dataFolder + "/" + name, data})
		if words != "" {
			links = append(links, link{dataFolder + "/" + name, words})
		}
	}
	add(label+".csv", "CSV", csv)
	add(label+".json", "JSON", json)
	for _, d := range drawings {
		light := figure.Standalone(d.svg, about)
		add(d.id+".svg", strings.TrimSpace("SVG "+d.name), light)
		add(d.id+".dark.svg", "", figure.Dark(light))
		at := template.HTMLEscapeString(c.address(dataFolder + "/" + d.id))
		embed += fmt.Sprintf(`<a href="%[1]s#%[2]s"><picture><source media="(prefers-color-scheme: dark)" `+
			`srcset="%[3]s.dark.svg"><img src="%[3]s.svg" alt="%[4]s"></picture></a>`+"\n",
			template.HTMLEscapeString(c.address("index.html")), label, at, template.HTMLEscapeString(about[0][1]))
	}
	return links, embed
}

// linkRuns makes the names of runs that have a page of their own lead there.
func (c provenancePart) linkRuns(where string, o cellview.Origin) template.HTML {
	words, up := template.HTMLEscapeString(where), ""
	if c.moment != nil {
		up = upFromRunToArticle
	}
	for _, m := range c.options.Moments {
		folder := pageOf(m, c.options.Moments)
		if folder == "" || !slices.Contains(o.Runs, m.Run) || !slices.Contains(o.Hosts, m.Host) {
			continue
		}
		name, href := template.HTMLEscapeString(m.Run), template.HTMLEscapeString(up+folder+"/index.html")
		words = strings.Replace(words, name, runLink+href+`">`+name+"</a>", 1)
	}
	return template.HTML(words)
}

// runLink begins a link to the page of a run.
const runLink = `<a class="run" href="`

// upFromRunToArticle leads from the page of a run to that of its article.
const upFromRunToArticle = "../../"
