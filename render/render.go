// Package render renders an article and its measurements as a page.
//
// A page depends on the article, its records and the theme only: no engine is asked, no clock is read, and the same
// input gives the same bytes. A missing measurement is marked wherever its number would stand. Only package prose turns
// the author's text into markup.
package render

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/source"
	"benchbook/render/cellview"
	"benchbook/render/chart"
	"benchbook/render/method"
	"benchbook/render/outcome"
	"benchbook/render/prose"
	"benchbook/render/table"
	"benchbook/render/wording"
)

// Renderer renders pages. It is immutable and safe for concurrent use.
type Renderer struct {
	templates *template.Template
	prose     *prose.Renderer
}

// New returns a Renderer for a theme: a folder with templates.
func New(theme fs.FS) (*Renderer, error) {
	templates, err := template.New("theme").Option("missingkey=error").ParseFS(theme, "*.html")
	if err != nil {
		return nil, fmt.Errorf("reading the templates of the theme: %w", err)
	}
	return &Renderer{templates: templates, prose: prose.NewRenderer()}, nil
}

type Options struct {
	Articles []string // slugs of the site's articles, to which pages may link
	// Sources are the files of records that readers can download.
	Sources []Copy
	Address string // URL of the site; empty if unknown
	Licence string // of the articles' text and data; may be empty
	PNG     bool   // write each figure as PNG, too
	Command string // the shell command that repeats the measurement; empty for an article of a project
}

type Page struct {
	Slug        string
	Title       string // as text
	Description string // as text; may be empty
	Date        string // given by the author, as year-month-day; may be empty
	Tags        []string

	Measured time.Time // when the last repetition ended; zero without records
	Standing Badge
	Notice   string        // the first caution, in a few words, such as "Unfinished"; may be empty
	Says     template.HTML // the author's finding if its claims hold, else the sentence of a headline claim
	Finding  string        // Says as text; without it the description, or why there is no finding
	Verdict  Badge         // of the headline claim that Says states; empty without one
	Counts   []VerdictCount
	Original string // the work that the article reproduces; may be empty
	Beside   *Beside
	Picture  template.HTML // the headline figure; may be empty

	HTML     template.HTML // the main element
	Files    []File        // to write below the page
	Copies   []Copy        // to compress below the page
	Sections []Section     // for the search index
	Warnings []string      // for the author, such as an unreadable label in a figure
}

type File struct {
	Path string // relative to the folder of the page, with slashes
	Data []byte
}

// Copy is a local file that a page links in gzip format.
type Copy struct {
	Path string // relative to the folder of the page, with slashes
	From string // the original
	Size int64  // of the original, in bytes
}

// VerdictCount is how many claims of an article have a verdict.
type VerdictCount struct {
	Badge
	Count int
}

// Page renders an article. It fails only if a template or drawing does: the page itself shows problems of the article
// and missing records.
func (r *Renderer) Page(d *dataset.Dataset, o Options) (*Page, error) {
	c := r.compose(d, o)
	page := &Page{Slug: d.Doc.Slug, Date: d.Doc.Front.Date.Value, Measured: c.origin.Last, Copies: o.Sources,
		Tags: slice.Map(article.Texts(d.Doc.Front.Tags), source.Plain)}
	var title template.HTML
	var view articleView
	title, page.Title = c.prose.Inline(d.Doc.Front.Title.Value)
	view.Description, page.Description = c.prose.Inline(d.Doc.Front.Description.Value)
	standing := c.results.Standing()
	own := c.prose.Answer()
	view.Prose = c.prose.Prose()
	view.Answer = c.answer(standing, title, own)
	view.Evidence = c.evidence(standing)
	how := method.Writer{Dataset: d, Origin: c.origin, Shown: c.shownMetrics}
	view.Method = how.View(page.Title)
	view.Contents = c.contents(view.Evidence)
	main := c.Fill("article", view)
	c.warnOfDeadLinks()
	page.HTML, page.Sections, page.Standing = shortened(main), Sections(main), StandingBadge(standing)
	page.Files, page.Warnings = append(c.files, c.source()), slices.Compact(c.warnings)
	if list := view.Answer.Cautions; list != nil && !c.origin.Last.IsZero() {
		isNotice := func(b banner) bool { return !b.Detail && b.Strong != "" && b.Strong != onAnotherHost }
		notice, _ := slice.Find(list.Each, isNotice)
		page.Notice = strings.TrimRight(notice.Strong, ".:,")
	}
	c.card(page, view.Answer)
	return page, c.failed()
}

// shortened removes optional HTML: end tags of table and list parts, empty attribute values, and quotes around values
// without spaces. It also unescapes quotes in text.
func shortened(page template.HTML) template.HTML {
	markup := textWithQuotes.ReplaceAllStringFunc(withoutEnds.Replace(string(page)), quotes.Replace)
	return template.HTML(startTag.ReplaceAllStringFunc(markup, func(tag string) string {
		return quoted.ReplaceAllString(strings.ReplaceAll(tag, `=""`, ""), "=$1$2")
	}))
}

var (
	// A drawing is one line. The space before "/>" keeps the slash out of a value that has lost its quotes.
	withoutEnds = strings.NewReplacer("</td>", "", "</th>", "", "</tr>", "", "</thead>", "", "</tbody>", "", "</li>", "",
		"</dt>", "", "</dd>", "", "<br/>", "<br>", `"></path>`, `"/>`, `"></circle>`, `" />`, `"></rect>`, `" />`,
		`"></use>`, `" />`, "\n<path ", "<path ", "\n<text ", "<text ", "\n<g ", "<g ", "\n</g>", "</g>",
		"\n</svg>", "</svg>")
	textWithQuotes = regexp.MustCompile(`>[^<]*&(?:#3[49]|quot);[^<]*`)
	quotes         = strings.NewReplacer("&#34;", `"`, "&quot;", `"`, "&#39;", "'")
	startTag       = regexp.MustCompile(`<[a-zA-Z][^<>]*>`)
	quoted         = regexp.MustCompile(`="([^\s"'=<>` + "`" + `]+)"([ >])`)
)

// failed returns the first error of a template or figure.
func (c *composer) failed() error {
	return cmp.Or(c.err, c.prose.Err())
}

// articleView is a page in three depths: answer, story and evidence.
type articleView struct {
	Answer      answerView
	Description template.HTML
	Contents    []contentsEntry
	Prose       template.HTML
	Evidence    evidenceView
	Method      method.View
}

type link struct{ Href, Words string }

// composer renders one page.
type composer struct {
	*Renderer
	d       *dataset.Dataset
	doc     *article.Document
	results *claim.Results
	options Options
	prose   *prose.Writer

	judgements map[string]claim.Judgement // by the name of the claim
	outcomes   map[string]outcome.Outcome // a cache for the method outcome
	headline   *article.Figure            // at the top of the page; nil without one
	picture    template.HTML              // the drawing of headline
	drawn      Drawing                    // the last figure drawn
	origin     cellview.Origin            // of all cells

	numbers  map[string]string // of tables and figures by label, such as "Figure 2"
	used     []used            // metrics in values and claims
	nextID   int
	palette  *chart.Palette
	files    []File
	warnings []string
	err      error
}

func (r *Renderer) compose(d *dataset.Dataset, o Options) *composer {
	c := &composer{Renderer: r, d: d, doc: d.Doc, results: claim.JudgeAll(d), options: o,
		judgements: map[string]claim.Judgement{}, outcomes: map[string]outcome.Outcome{}}
	c.palette = chart.NewPalette(d, func(f *article.Figure) []*dataset.Cell {
		cells, _, _ := c.selectCells(f.Experiment.Value, f.Where.Node)
		return cells
	})
	for _, j := range c.results.Claims {
		c.judgements[j.Claim.Name.Value] = j
	}
	for _, e := range d.Experiments {
		c.origin.Cells = append(c.origin.Cells, e.Cells...)
	}
	c.origin = cellview.OriginOf(c.origin.Cells)
	c.headline = c.headlineFigure()
	c.numbers = numbersOf(d.Doc, c.headline)
	for _, claim := range d.Doc.Claims {
		c.use(claim.Expect.Node, claim.Experiment.Value)
	}
	c.prose = r.prose.Writer(d.Doc, c, o.Articles, c.numbers)
	c.prose.Survey()
	return c
}

// Fill executes a template with control characters made visible, and keeps the first error.
func (c *composer) Fill(name string, data any) template.HTML {
	var b bytes.Buffer
	if err := c.templates.ExecuteTemplate(&b, name, data); err != nil && c.err == nil {
		c.err = fmt.Errorf("filling the template %q: %w", name, err)
	}
	return template.HTML(source.PlainBytes(bytes.ReplaceAll(b.Bytes(), escapedPlus, []byte("+"))))
}

// escapedPlus is a plus as html/template escapes it, against UTF-7 attacks. Pages are UTF-8 and don't need that.
var escapedPlus = []byte("&#43;")

func (c *composer) Warnf(format string, args ...any) {
	c.warnings = append(c.warnings, fmt.Sprintf(format, args...))
}

func (c *composer) warnOfDeadLinks() {
	var found source.Problems
	prose.DeadLinks(c.doc, c.options.Articles, &found)
	for _, p := range found.Sorted() {
		line, _ := p.Pos.Source.Position(p.Pos.Start)
		c.Warnf("line %d: %s [%s]", line, p.Message, p.Rule)
	}
}

// numbersOf numbers tables and figures by label, in page order: the headline figure is first. Hidden ones count too, so
// conditional parts don't renumber the others.
func numbersOf(doc *article.Document, headline *article.Figure) map[string]string {
	numbers := map[string]string{}
	figures := doc.Figures
	if headline != nil {
		figures = slice.Add([]*article.Figure{headline}, figures...)
	}
	for i, f := range figures {
		numbers[f.Label.Value] = fmt.Sprintf("Figure\u00a0%d", i+1)
	}
	for i, t := range doc.Tables {
		numbers[t.Label.Value] = fmt.Sprintf("Table\u00a0%d", i+1)
	}
	return numbers
}

type contentsEntry struct {
	Href, Words string
	Below       []link
}

// contents returns the table of contents: the three depths, with the headings of the story and of the evidence.
func (c *composer) contents(e evidenceView) []contentsEntry {
	story := contentsEntry{Href: "#story", Words: "The story"}
	for _, h := range c.prose.Headings {
		if h.Level+c.prose.Shift == 2 {
			story.Below = append(story.Below, link{"#" + h.ID, h.Topic})
		}
	}
	evidence := contentsEntry{Href: "#evidence", Words: "The evidence"}
	for _, said := range []originalView{e.Original, e.Asked} {
		if len(said.Rows) > 0 {
			evidence.Below = append(evidence.Below, link{"#" + said.ID, said.Heading})
		}
	}
	evidence.Below = append(evidence.Below, link{"#run", "Run it yourself"}, link{"#claims", "Claims and method"})
	return []contentsEntry{{Href: "#answer", Words: "The answer"}, story, evidence}
}

func (c *composer) Block(b *article.Block) template.HTML {
	var out template.HTML
	switch b.Is {
	case "experiment":
		first, _ := b.Place.Source.Position(b.Place.Start)
		lines := strings.Count(string(b.Listing.Data), "\n")
		what := ""
		if e, ok := c.d.Experiment(b.Experiment.Name.Value); ok {
			what = e.Plan.Description
		}
		return c.prose.File(article.FileName, what, fmt.Sprintf("lines\u00a0%d–%d", first+1, first+lines), "yaml",
			b.Listing.Data, b.Opened)
	case "include", "file":
		return c.prose.File(b.Listing.Path, "", "", b.Listing.Language, b.Listing.Data, b.Opened)
	case "table":
		for _, t := range b.Tables {
			out += c.table(t)
		}
	case "figure":
		for _, f := range b.Figures {
			if f != c.headline { // it is drawn at the top
				out += c.figure(f)
			}
		}
	}
	return out
}

func (c *composer) Applies(p *article.ConditionalPart) bool { return c.results.Applies(p) }

func (c *composer) ValueText(in expr.Inline) string {
	q, err := c.d.Eval(in.Expr, "")
	if err != nil {
		return wording.NotMeasured
	}
	return c.quantityOf(in, q).Text()
}

func (c *composer) AddFile(path string, data []byte) { c.files = append(c.files, File{path, data}) }

// Parts renders single values, claims, tables and figures of an article as its page shows them.
type Parts struct{ c *composer }

// Parts returns the parts of an article for rendering one by one.
func (r *Renderer) Parts(d *dataset.Dataset, o Options) Parts { return Parts{r.compose(d, o)} }

// Value returns the text of a value. The error says why there is none.
func (p Parts) Value(in expr.Inline) (string, error) {
	v := p.c.evaluate(in)
	if v.Missing {
		return "", errors.New(wording.Lower(strings.TrimSuffix(v.Interval, ".")))
	}
	return v.Text, nil
}

// Claim returns the sentence of a claim, and the word that relates it to the claim, such as "as claimed".
func (p Parts) Claim(name string) (sentence, word string, err error) {
	if _, ok := p.c.judgements[name]; !ok {
		known := slice.Map(p.c.doc.Claims, func(c *article.Claim) string { return c.Name.Value })
		return "", "", fmt.Errorf("the article has no claim %q: %s", name, source.Suggest(name, known))
	}
	o := p.c.outcome(name)
	return strings.ReplaceAll(o.Sentence.Text(), "\u00a0", " "), o.Word, nil
}

// TableText is a table for plain text.
type TableText struct {
	Title string
	Rows  [][]string // the first is the head
	Right []int      // columns to align right
	Notes []string   // "[1] …", referred to by values
	Where string     // kind of numbers, cells, host, run and date
}

// Table returns a table without its plots. The error says why there are no rows.
func (p Parts) Table(t *article.Table) (out TableText, err error) {
	cells, missing := p.c.shownCells(t.Experiment.Value, t.Where.Node)
	if missing != "" {
		return out, errors.New(wording.Lower(strings.TrimSuffix(missing, ".")))
	}
	columns := p.c.tableColumns(t, cells)
	_, out.Title = p.c.title(t.Title.Value)
	if out.Title == "" {
		out.Title = columns.autoTitle()
	}
	from := cellview.OriginOf(cells, cellview.NamesOf(columns.metrics)...)
	plain := columns.table(p.c)
	plain.Main = -1 // a text has no plots
	layout := plain.Layout()
	out.Where = strings.Join(slices.DeleteFunc([]string{columns.Sub(), p.c.provenance(from).Cells,
		from.Where()}, func(s string) bool { return s == "" }), "; ")
	var heads []string
	for i, h := range layout.Heads {
		if h.Class == "n" {
			out.Right = append(out.Right, i)
		}
		heads = append(heads, strings.TrimSuffix(h.Words+", "+h.Unit, ", "))
	}
	out.Rows = [][]string{heads}
	for _, row := range layout.Rows {
		out.Rows = append(out.Rows, slice.Map(row, cellText))
	}
	for _, n := range layout.Notes {
		found := slice.Map(n.Found, func(f table.Found) string { return f.Rows + ": " + f.Words })
		out.Notes = append(out.Notes, "["+n.Number+"] "+n.Kind+", "+strings.Join(found, "; ")+".")
	}
	out.Notes = append(out.Notes, columns.commonWords()...)
	return out, nil
}

func cellText(c table.Cell) string {
	text := c.Text + c.Missing + c.Before + c.Strong
	if c.Interval != "" {
		text += " (" + c.Interval + ")"
	}
	for _, why := range c.Why {
		text += " " + why.Kind + " [" + why.Number + "]"
	}
	if c.Marks != nil {
		text += " [" + c.Marks.Numbers + "]"
	}
	return strings.TrimSpace(text)
}

// Drawing is a figure as an SVG file that suits light and dark backgrounds.
type Drawing struct {
	Title string
	SVG   []byte
}

// Figure draws a figure as a file. It fails if there is nothing to draw.
func (p Parts) Figure(f *article.Figure) (Drawing, error) {
	p.c.drawn = Drawing{}
	p.c.figure(f)
	err := p.c.failed()
	if err == nil && p.c.drawn.SVG == nil {
		err = errors.New("nothing of it was measured")
	}
	return p.c.drawn, err
}
