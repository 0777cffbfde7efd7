package render

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
	"benchbook/render/cellview"
	"benchbook/render/outcome"
	"benchbook/render/prose"
	"benchbook/render/wording"
)

// answerView is the first depth of a page.
type answerView struct {
	Standing Badge
	Of       string // what the standing counts: "0 of 3 headline claims supported, 14 of all 36"
	Title    template.HTML
	Meta     []template.HTML
	Text     template.HTML // the author's answer; may be empty
	Related  []template.HTML
	Answers  []claimLine
	More     string // "and 2 more" if there are more headline claims than Answers
	Figure   template.HTML
	Cautions *cautionsView
	Year     string // the head of published numbers
	Shortest string // duration of the shortest experiment; empty if nothing was measured
}

// claimLine is the result of a claim in one line.
type claimLine struct {
	Badge   // of the verdict
	Says    template.HTML
	Outcome outcome.Outcome
	Href    string
	Stated  string        // a note that the claim was not stated before it was measured; may be empty
	Section string        // of the original
	Derived template.HTML // how the published number follows from the original
}

func (c *composer) line(block *article.Claim, says template.HTML) claimLine {
	name := block.Name.Value
	return claimLine{Badge: VerdictBadge(c.verdict(name)), Says: says, Outcome: c.outcome(name),
		Href: "#" + prose.ClaimID + name}
}

func (c *composer) headlines() []*article.Claim {
	return slice.Filter(c.doc.Claims, func(block *article.Claim) bool { return block.Headline })
}

// yearOf returns the head of a column of published numbers: the year of the original, or "Published".
func yearOf(doc *article.Document) string {
	if r := doc.Front.Reproduces; r != nil && r.Year.Value != "" {
		return r.Year.Value
	}
	return "Published"
}

// mostAnswers limits the headline claims at the top of a page.
const mostAnswers = 4

func (c *composer) answer(standing claim.Standing, title, own template.HTML) answerView {
	v := answerView{Standing: PlainBadge(standing), Title: title, Meta: c.meta(), Text: own,
		Related: slice.Map(c.doc.Front.Related, c.linkTo), Of: c.countOfClaims(standing), Cautions: c.cautions(),
		Year: yearOf(c.doc), Shortest: c.shortest()}
	headlines := c.headlines()
	for _, block := range headlines[:min(len(headlines), mostAnswers)] {
		j := c.judgements[block.Name.Value]
		line := c.line(block, c.outcome(block.Name.Value).Sentence.WithoutInterval().HTML())
		if j.Verdict == stats.NotMeasured { // the outcome's Word says so
			line.Outcome.Here = ""
		} else {
			line.Outcome.Interval += sessionsBeside(&j)
		}
		line.Stated = c.statedWords(block)
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

// countOfClaims counts the claims behind a standing: "2 of 3 headline claims supported". If there are none, it returns
// the reason of the standing.
func (c *composer) countOfClaims(s claim.Standing) string {
	counted := c.results.Headlines()
	headlines := len(counted)
	switch {
	case c.options.Command != "":
		return "" // nobody claims anything
	case s.Count == "" || headlines == 0:
		return s.Reason
	}
	words := fmt.Sprintf("%d of %s", s.Supported, wording.Count(headlines, "headline claim"))
	if c.doc.Front.Reproduces != nil && counted[0].Claim.IsOriginal() {
		words += " of the original"
	}
	words += " supported"
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
		counts := c.verdicts(c.doc.Claims)
		words += fmt.Sprintf(", %d of all %d", counts[stats.Supported]+counts[stats.Stronger], all)
	}
	return words
}

// headlineFigure returns the figure for the top of the page: one that the author chose, if it has results or nothing
// has; else the first figure of a measured headline claim; else nil.
func (c *composer) headlineFigure() *article.Figure {
	hasResults := func(cell *dataset.Cell) bool { return cell.State != dataset.Missing }
	for _, f := range c.doc.Figures {
		if !f.Headline || !c.Applies(f.Part) {
			continue
		}
		cells, _ := c.shownCells(f.Experiment.Value, f.Where.Node)
		if c.origin.Measured == 0 || slices.ContainsFunc(cells, hasResults) {
			return f
		}
	}
	for _, block := range c.headlines() {
		cells := outcome.CellsOf(c.judgements[block.Name.Value])
		if f := c.figureOf(c.metricOf(block.Expect.Node), cells); f != nil && len(cells) > 0 {
			return f
		}
	}
	return nil
}

// cautionsView is a line that names all cautions and unfolds to a sentence for each.
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

// lasted returns how long the repetitions of an experiment took; 0 if it was not measured.
func lasted(e *dataset.Experiment) time.Duration { return cellview.OriginOf(e.AllCells()).Took }

func (c *composer) shortest() string {
	times := slice.Filter(slice.Map(c.d.Experiments, lasted), func(took time.Duration) bool { return took > 0 })
	if len(times) == 0 {
		return ""
	}
	return wording.Lasting(slices.Min(times))
}

// banner is a caution.
type banner struct {
	Strong, Text string
	Name         string // in the list of cautions; if empty, Strong in lower case
	// Detail keeps the banner out of Page.Notice.
	Detail bool
}

// onAnotherHost begins the banner of results from another host.
const onAnotherHost = "Measured on another host,"

func (c *composer) banners() []banner {
	cells := c.origin.Cells
	state := func(s dataset.State) func(*dataset.Cell) bool {
		return func(cell *dataset.Cell) bool { return cell.State == s }
	}
	if len(cells) > 0 && slice.Count(cells, state(dataset.Missing)) == len(cells) {
		return []banner{{Strong: "Nothing in this article was measured.",
			Text: "Every missing number and verdict is marked. Measure it with benchbook run " + c.doc.Slug + "."}}
	}
	var out []banner
	add := func(occurs bool, strong, text string) {
		if occurs {
			out = append(out, banner{Strong: strong, Text: text})
		}
	}
	add(c.d.Profile != "" && c.d.Profile != plan.Full, "Profile "+c.d.Profile+".",
		"Measured with the settings of this profile, not those of a full run.")
	add(len(cells) > 0 && !c.d.Own, onAnotherHost,
		c.d.Host+". Absolute numbers differ between machines; compare orders and ratios.")
	in := func(isOne func(*dataset.Cell) bool, strong, text string) {
		n := slice.Count(cells, isOne)
		add(n > 0, strong, fmt.Sprintf("%d of %s", n, wording.Count(len(cells), "cell"))+text)
	}
	in(state(dataset.Stale), "Measured with an older version of this experiment:",
		". The article has changed since; a new run measures the current version.")
	in(state(dataset.Missing), "Partly measured:", " without results. Everything that depends on them is marked.")
	in(state(dataset.Partial), "Unfinished:", " with fewer repetitions than planned.")
	in(func(cell *dataset.Cell) bool { return cell.Validity().Level() == validity.Invalid }, "Failed or not valid:",
		". The tables say why; claims about invalid numbers are not measured.")
	skipped := slice.Filter(c.d.Experiments, func(e *dataset.Experiment) bool { return e.Plan.Skipped != "" })
	names := slice.Map(skipped, func(e *dataset.Experiment) string { return e.Plan.Name })
	add(len(names) > 0, "Left out by this profile:", phrase.List(names)+".")
	add(slices.ContainsFunc(c.d.Experiments, func(e *dataset.Experiment) bool { return e.Plan.Outside }), "Of a running target.",
		"Nobody started it for the measurement, and nothing tells whether it is the same now.")
	for _, own := range c.doc.Front.Cautions {
		if _, text := c.prose.Inline(own.Value); text != "" {
			out = append(out, banner{Name: strings.TrimRight(text, "."), Text: text})
		}
	}
	return slices.Concat(out, c.headlineFindings(), c.floorBanners())
}

// headlineFindings returns a banner for each validity check that warns or fails in headline claims, the worst first.
func (c *composer) headlineFindings() []banner {
	var cells []*dataset.Cell
	for _, block := range c.headlines() {
		cells = slice.Add(cells, outcome.CellsOf(c.judgements[block.Name.Value])...)
	}
	type found struct {
		validity.CheckResult
		cells int
	}
	var all []found
	for _, cell := range cells {
		for _, check := range cell.Validity().Checks() {
			if check.Level != validity.Warn && check.Level != validity.Invalid {
				continue
			}
			f := slice.FindOrAdd(&all, func(f found) bool { return f.Name == check.Name }, found{CheckResult: check})
			f.cells++
			if check.Level > f.Level {
				f.CheckResult = check
			}
		}
	}
	slices.SortStableFunc(all, func(a, b found) int {
		return cmp.Or(cmp.Compare(b.Level, a.Level), cmp.Compare(b.cells, a.cells))
	})
	return slice.Map(all, func(f found) banner {
		which := fmt.Sprintf("in %d of the %s that headline claims rest on", f.cells, wording.Count(len(cells), "cell"))
		return banner{Name: f.Name, Detail: true, Strong: wording.Capital(f.Name) + ":",
			Text: wording.Sentence(which + ", such as " + f.Words)}
	})
}

// floorBanners warns of noise floors and A/A pairs that differ too much: docs/method.md#the-noise-floor.
func (c *composer) floorBanners() []banner {
	var apart, biased, exceeds []string
	for _, e := range c.d.Experiments {
		for _, name := range c.shownMetrics(e) {
			if f := c.d.Floor(name); f.Exceeds {
				exceeds = slice.Add(exceeds, name+" "+wording.Percent(f.F))
			}
			p, missing := e.Pair(name)
			if missing != "" {
				continue
			}
			difference := math.Expm1(p.D)
			words := name + " of " + e.Plan.Name + " by " + wording.Percent(difference)
			if difference > stats.DefaultSmallestEffect {
				apart = append(apart, words)
			}
			if p.Biased {
				biased = append(biased, words)
			}
		}
	}
	var out []banner
	add := func(found []string, strong, text, more string, isDetail bool) {
		if len(found) > 0 {
			out = append(out, banner{Strong: strong, Text: text + phrase.List(found) + more, Detail: isDetail})
		}
	}
	add(exceeds, "Noise floor above the smallest effect:", "",
		", by all A/A pairs of the article. No difference of that size can be believed.", false)
	add(apart, "Noisy:", "two measurements of the same cell (the A/A pair) differ by more than the smallest effect: ", ".", true)
	add(biased, "Systematic offset:", "two measurements of the same cell (the A/A pair) differ significantly: ", ".", false)
	return out
}

// shownMetrics returns the metrics of an experiment in tables, figures, claims and the text rendered so far.
func (c *composer) shownMetrics(e *dataset.Experiment) []string {
	var out []string
	add := func(part *article.ConditionalPart, experiment, metric string) {
		if c.Applies(part) && (experiment == "" || experiment == e.Plan.Name) {
			out = slice.Add(out, metric)
		}
	}
	for _, t := range c.doc.Tables {
		for _, column := range t.Columns {
			add(t.Part, t.Experiment.Value, column.Value)
		}
	}
	for _, f := range c.doc.Figures {
		for _, m := range f.Metrics() {
			add(f.Part, f.Experiment.Value, m)
		}
	}
	for _, u := range c.used {
		add(nil, u.experiment, u.metric)
	}
	return out
}

func (c *composer) linkTo(w *article.Work) template.HTML {
	name := prose.Escaped(nameOfWork(w))
	if address := w.Address(); address != "" {
		if href, ok := c.prose.Source(address); ok {
			return prose.Link(href, nil, name)
		}
	}
	return name
}

func (c *composer) meta() []template.HTML {
	var out []template.HTML
	add := func(words string) { out = append(out, prose.Escaped(words)) }
	o := c.origin
	if o.Measured > 0 {
		out = append(out, template.HTML(`Measured <time datetime="`+o.Last.Format("2006-01-02")+`">`+wording.LongDate(o.Last)+
			"</time>"))
		add("host\u00a0" + c.d.Host + ", " + c.sessionsWords())
		amount := wording.Count(len(o.Cells), "variant") + ", " + o.Repetitions() + ", " + wording.Lasting(o.Took)
		out = append(out, prose.Link("#method", nil, prose.Escaped(amount)))
	} else if date, err := time.Parse(time.DateOnly, c.doc.Front.Date.Value); err == nil {
		add("Written " + wording.LongDate(date))
	}
	if r := c.doc.Front.Reproduces; r != nil {
		out = append(out, "a re-run of "+c.linkTo(r))
	}
	if authors := article.Texts(c.doc.Front.Authors); len(authors) > 0 {
		add("by " + phrase.List(authors))
	}
	return out
}

// card fills the fields of a page that an index shows: its finding, the published number next to ours, the counts of
// verdicts, and the picture.
func (c *composer) card(page *Page, answer answerView) {
	page.Picture = c.picture
	counts := c.verdicts(c.doc.Claims)
	for _, v := range slices.Insert(slices.Clone(stats.Verdicts), 1, stats.Stronger) {
		if n := counts[v]; n > 0 {
			mark := VerdictBadge(v)
			mark.Word = string(v)
			page.Counts = append(page.Counts, VerdictCount{mark, n})
		}
	}
	if r := c.doc.Front.Reproduces; r != nil && r.Author.Value != "" {
		page.Original = source.Plain(r.By())
	} else if r != nil {
		page.Original = source.Plain(nameOfWork(r))
	}
	page.Finding = page.Description
	stated := "" // the first claim that the finding states
	switch first := c.firstDecided(); {
	case c.findingHolds():
		finding := c.doc.Front.Finding
		page.Says, page.Finding = c.prose.Inline(finding.Value)
		isIn := func(l *article.ClaimLink) bool { return l.Name.Pos.In(finding.Pos) }
		if l, ok := slice.Find(c.doc.ClaimLinks, isIn); ok {
			stated = l.Name.Value
		}
	case first != nil:
		stated = first.Name.Value
		o := c.outcome(stated)
		page.Verdict, page.Says, page.Finding = VerdictBadge(c.verdict(stated)), o.Sentence.HTML(), o.Sentence.Text()
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

// findingHolds reports whether the article has a finding, and every claim that it states in fixed words is supported.
func (c *composer) findingHolds() bool {
	return c.doc.Front.Finding.Value != "" && !slices.ContainsFunc(c.doc.Statements(), func(s article.Statement) bool {
		verdict := c.verdict(s.Claim.Value)
		return s.Is == "finding" && verdict != stats.Supported && verdict != stats.Stronger
	})
}

// firstDecided returns the first headline claim that is decided, else the first inconclusive one, else nil.
func (c *composer) firstDecided() (first *article.Claim) {
	for _, block := range c.headlines() {
		switch c.verdict(block.Name.Value) {
		case stats.NotMeasured:
		case stats.Inconclusive:
			first = cmp.Or(first, block)
		default:
			return block
		}
	}
	return first
}

// Beside holds the published and the measured effect of a headline claim.
type Beside struct{ Year, Published, Here, Interval string }

// pictureOf makes the ids of a drawing unique among articles, for pages that show several.
func (c *composer) pictureOf(label string, drawing template.HTML) template.HTML {
	own := c.doc.Slug + "-" + label + "-"
	return template.HTML(strings.NewReplacer(`"`+label+"-", `"`+own, "#"+label+"-", "#"+own).Replace(string(drawing)))
}

// Badge shows a standing or verdict as a glyph and colour, chosen by Class, and a Word.
type Badge struct {
	Class   string // of the style sheet, such as "is-reproduced"
	Word    string // such as "Partly reproduced, 2 of 3"
	Meaning string // in a sentence; empty for verdicts
}

// StandingBadges returns the badges of all standings in the order of an index: docs/claims.md#standing.
func StandingBadges() []Badge {
	return []Badge{
		{"is-reproduced", "Reproduced", "Every headline claim about what was published is supported."},
		{"is-direction", "Partly reproduced", "Some headline claims are supported, or hold for most of their pairs."},
		{"is-not", "Not reproduced", "No headline claim is supported, and one or more are contradicted."},
		{"is-reproduced", "Holds", "No published numbers to compare with; every headline claim is supported."},
		{"is-direction", "Partly holds", "No published numbers to compare with; some headline claims are supported."},
		{"is-not", "Does not hold",
			"No published numbers to compare with; no headline claim is supported, and one or more are contradicted."},
		{"is-inconclusive", "Undecided", "No headline claim is supported, and none is contradicted."},
		{"is-not", "Failed", "Every repetition failed, so there are no results."},
		{"is-measured", "Measured", "There are results, but no headline claim, or some are not measured yet."},
		{"is-none", "Not measured", "Not run yet."},
	}
}

// StandingBadge returns the badge of a standing with its count: "Partly reproduced, 2 of 3".
func StandingBadge(s claim.Standing) Badge {
	mark := PlainBadge(s)
	if s.Count != "" {
		mark.Word += ", " + s.Count
	}
	return mark
}

// PlainBadge returns the badge of a standing without its count.
func PlainBadge(s claim.Standing) Badge {
	mark, _ := slice.Find(StandingBadges(), func(b Badge) bool { return b.Word == wording.Capital(string(s.Is)) })
	return mark
}

// VerdictBadge returns the badge of a verdict; "" counts as not measured.
func VerdictBadge(v stats.Verdict) Badge {
	if v == stats.NotMeasured || v == "" {
		return Badge{Class: "is-none", Word: "Not measured"}
	}
	class, _, _ := strings.Cut(string(v), " ")
	return Badge{Class: "is-" + class, Word: wording.Capital(string(v))}
}
