package render

import (
	"cmp"
	"fmt"
	"html/template"
	"path"
	"slices"
	"strings"
	"time"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
	"benchbook/render/cellview"
	"benchbook/render/outcome"
	"benchbook/render/prose"
	"benchbook/render/wording"
)

// evidenceView is the third depth of a page, with everything that supports the answer and the story.
type evidenceView struct {
	Original  originalView
	Asked     originalView // headline claims that the original does not make
	Run       howtoView
	Stated    string       // which claims were stated before they were measured
	Claims    []claimsView // the headline claims, unfolded, and the others
	Data      *link        // to claims.csv
	Published []publishedView
}

// originalView is a table of the claims of the original, or of the other headline claims.
type originalView struct {
	ID, Heading   string // of the section
	Title, Source string
	URL           template.URL
	Year          string
	Agreement     []string // sentences about how well published and measured numbers agree
	Rows          []claimLine
}

type claimsView struct {
	Title, Counts string
	Open          bool
	Claims        []claimView
}

type howtoView struct {
	Alone       bool // the article belongs to no project
	First, More []howtoLine
	Files       []link
	Records     []link      // a file for each run
	Summary     string      // of Records: "Records of 11 runs, unpacked 5 MiB"
	Others      []otherView // results of other hosts and profiles
}

type howtoLine struct{ Words, Command string }

// otherView is the result of another host or profile.
type otherView struct {
	Host, Profile, Run, Standing string

	Differs string     // how its machine differs from the one of this page
	Claims  []partView // its measured headline claims; Reason holds the effect here
}

// others lists the results of other hosts and profiles.
func (c *composer) others() (list []otherView) {
	for _, d := range c.d.Others {
		newest := ""
		for _, r := range d.Records {
			newest = max(newest, r.Run)
		}
		if d.Plan != nil {
			judged := claim.JudgeAll(d)
			list = append(list, otherView{Host: d.Host, Profile: d.Profile, Run: newest, Standing: judged.Standing().String(),
				Differs: differences(c.d, d), Claims: c.sideBySide(judged)})
		}
	}
	return list
}

// sideBySide lists the headline claims that another host or profile measured, each with its effect there and here.
func (c *composer) sideBySide(there *claim.Results) (list []partView) {
	for i := range there.Claims {
		j := &there.Claims[i]
		if !j.Claim.Headline || j.Verdict == stats.NotMeasured {
			continue
		}
		here := c.judgements[j.Claim.Name.Value]
		v := partsOf(there.Claims[i:i+1], &here)[0]
		v.What, v.Reason = cmp.Or(j.What, j.Claim.Name.Value), ""
		if here.Effect != nil && here.Verdict != stats.NotMeasured {
			v.Reason = "here " + outcome.EffectOf(&here).With()
		}
		list = append(list, v)
	}
	return list
}

// differences lists how the machine of there differs from the machine of here.
func differences(here, there *dataset.Dataset) string {
	facts := func(d *dataset.Dataset) map[string]string {
		records := d.Records
		if len(records) == 0 {
			return nil
		}
		return slices.MaxFunc(records, func(a, b *record.Record) int { return a.Started.Compare(b.Started) }).Facts
	}
	a, b := facts(here), facts(there)
	var words []string
	for _, f := range []struct{ fact, name string }{{"host.cpu", "processor"}, {"host.cores", "cores"}, {"host.memory", "memory"}} {
		if x, y := a[f.fact], b[f.fact]; x != y && x != "" && y != "" {
			words = append(words, f.name+" "+y)
		}
	}
	for _, fact := range record.OtherConditions(a, b) {
		name := record.ConditionName(fact)
		if value := b[fact]; value != "" && len(value) < 40 {
			name += " " + value
		}
		words = append(words, name)
	}
	return strings.Join(words, ", ")
}

func (c *composer) evidence(standing claim.Standing) evidenceView {
	v := evidenceView{Original: c.original(standing), Asked: c.asked(), Run: c.howto(), Stated: c.stated()}
	headlines := c.headlines()
	others := slice.Filter(c.doc.Claims, func(b *article.Claim) bool { return !b.Headline })
	before := ""
	if n := len(headlines); n > 0 {
		before = "The other "
		title := "The " + wording.Count(n, "headline claim")
		if n == 1 {
			title = "The headline claim"
		}
		v.Claims = append(v.Claims, c.claimsFold(title, headlines, true))
	}
	if len(others) > 0 {
		v.Claims = append(v.Claims, c.claimsFold(before+wording.Count(len(others), "claim"), others, false))
	}
	if len(c.doc.Claims) > 0 {
		file := c.addFile("claims.csv", "CSV", c.claimsData())
		v.Data = &file
	}
	v.Published = c.published()
	return v
}

func (c *composer) claimsFold(title string, list []*article.Claim, open bool) claimsView {
	return claimsView{Title: title, Counts: strings.Join(stats.VerdictsInWords(c.verdicts(list)), ", "), Open: open,
		Claims: slice.Map(list, c.claim)}
}

// original returns the table of the claims that the original makes.
func (c *composer) original(standing claim.Standing) originalView {
	v := originalView{ID: "original", Heading: "What the original said", Year: yearOf(c.doc),
		Agreement: slice.Map(standing.Published, wording.Sentence)}
	if r := c.doc.Front.Reproduces; r != nil {
		v.Source = nameOfWork(r)
		if r.Address() != "" {
			v.URL, _ = c.prose.Source(r.Address())
		}
	}
	c.addClaims(&v, slice.Filter(c.doc.Claims, (*article.Claim).IsOriginal))
	return v
}

// asked returns the table of the other headline claims; it is empty if the article reproduces nothing.
func (c *composer) asked() originalView {
	v := originalView{ID: "asked", Heading: "What else we asked"}
	if r := c.doc.Front.Reproduces; r != nil {
		c.addClaims(&v, slice.Filter(c.doc.Claims, func(b *article.Claim) bool { return b.Headline && !b.IsOriginal() }))
	}
	return v
}

// nameOfWork returns the title of a work with its author and year: “A title”, Somebody 2020.
func nameOfWork(w *article.Work) string {
	name := "“" + w.Title.Value + "”"
	if by := w.By(); by != "" {
		name += ", " + by
	}
	return name
}

// addClaims adds a row for each claim and counts them in the title.
func (c *composer) addClaims(v *originalView, claims []*article.Claim) {
	for _, block := range claims {
		row := c.line(block, c.claimSentence(block))
		if q := block.Quote; q != nil {
			row.Says, row.Section = prose.Escaped(q.Text.Value), q.Section.Value
		}
		row.Derived, _ = c.prose.Inline(block.Derived.Value)
		v.Rows = append(v.Rows, row)
	}
	v.Title = originalTitle(len(v.Rows), c.verdicts(claims))
}

// originalTitle counts statements by verdict: "4 of 11 statements hold here, 1 of them more strongly, 4 do not, 3 are
// undecided".
func originalTitle(rows int, counts map[stats.Verdict]int) string {
	holding := counts[stats.Supported] + counts[stats.Stronger]
	words := fmt.Sprintf("%d of %s %s here", holding, wording.Count(rows, "statement"), phrase.Verb(holding, "holds", "hold"))
	if n := counts[stats.Stronger]; n > 0 {
		words += fmt.Sprintf(", %d of them more strongly", n)
	}
	for _, more := range []struct {
		n         int
		one, many string
	}{{counts[stats.Contradicted], "does not", "do not"}, {counts[stats.Inconclusive], "is undecided", "are undecided"},
		{counts[stats.NotMeasured], "is not measured", "are not measured"}} {
		if more.n > 0 {
			words += fmt.Sprintf(", %d %s", more.n, phrase.Verb(more.n, more.one, more.many))
		}
	}
	return words
}

// howto returns the commands that repeat the article, the shortest experiment first.
func (c *composer) howto() howtoView {
	if c.options.Command != "" {
		return howtoView{Alone: true, First: []howtoLine{{"The same measurement", c.options.Command}}}
	}
	v := howtoView{Others: c.others()}
	c.addSources(&v)
	lasting := func(words string, took time.Duration) string {
		if took == 0 {
			return words
		}
		return words + ": " + wording.Lasting(took)
	}
	experiments := slice.Filter(c.d.Experiments, func(e *dataset.Experiment) bool { return e.Plan.Skipped == "" })
	slices.SortStableFunc(experiments, func(a, b *dataset.Experiment) int { return cmp.Compare(lasted(a), lasted(b)) })
	run := "benchbook run " + c.doc.Slug
	var whole time.Duration
	for _, e := range experiments {
		whole += lasted(e)
		words := cmp.Or(strings.TrimRight(e.Plan.Description, "."), e.Plan.Name)
		v.More = append(v.More, howtoLine{lasting(words, lasted(e)), run + "#" + e.Plan.Name})
	}
	switch n := len(experiments); n {
	case 0:
	case 1:
		v.First, v.More = []howtoLine{{lasting("The article", whole), run}}, nil
	default:
		all := howtoLine{lasting("The whole article, "+wording.Count(n, "experiment"), whole), run}
		v.First, v.More = []howtoLine{v.More[0], all}, v.More[1:]
	}
	return v
}

// addSources adds links to the article's source and its records.
func (c *composer) addSources(v *howtoView) {
	size := func(bytes int64) string {
		return wording.UnitFor("B", false, float64(bytes)).Quantity(float64(bytes), 0)
	}
	of := c.source()
	v.Files = []link{{of.Path, of.Path + ", " + size(int64(len(of.Data)))}}
	all := int64(0)
	for _, f := range c.options.Sources {
		all += f.Size
		v.Records = append(v.Records, link{f.Path, path.Base(f.Path) + ", unpacked " + size(f.Size)})
	}
	v.Summary = "Records of " + wording.Count(len(v.Records), "run") + ", unpacked " + size(all)
}

// source returns the article.md of the page.
func (c *composer) source() File { return File{article.FileName, c.doc.Source.Data} }

// publishedView is the source of published numbers, which tables and figures show next to ours.
type publishedView struct {
	Count, Source string
	URL           template.URL
	Data          link
}

func (c *composer) published() (list []publishedView) {
	for i, p := range c.doc.Published {
		numbers := 0
		for _, r := range p.Rows {
			numbers += len(r.Metrics)
		}
		v := publishedView{Count: wording.Count(numbers, "number"), Source: p.Source.Value,
			Data: c.addFile(fmt.Sprintf("published-%d.csv", i+1), "CSV", publishedData(p))}
		if p.URL.Value != "" {
			v.URL, _ = c.prose.Source(p.URL.Value)
		}
		list = append(list, v)
	}
	return list
}

// publishedData returns published numbers as CSV, in base units.
func publishedData(p *article.Published) []byte {
	var fields, metrics []string
	for _, r := range p.Rows {
		fields = slice.Add(fields, slice.Map(r.Fields, func(n article.Named[source.Text]) string { return n.Name.Value })...)
		metrics = slice.Add(metrics, slice.Map(r.Metrics, func(n article.Named[article.PublishedAt]) string { return n.Name.Value })...)
	}
	t := cellview.NewDataTable(fields, metrics...)
	for _, r := range p.Rows {
		values := map[string]any{}
		for _, f := range r.Fields {
			values[f.Name.Value] = f.Value.Value
		}
		for _, m := range r.Metrics {
			values[m.Name.Value] = m.Value.Number
		}
		pick := func(name string) any { return values[name] }
		t.Add(slice.Map(fields, pick), slice.Map(metrics, pick)...)
	}
	return t.CSV()
}
