package render

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/article"

	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"

	"benchbook/internal/slice"
	"benchbook/render/outcome"
	"benchbook/render/prose"
	"benchbook/render/wording"
)

// banner warns that a page, table or figure is not what it seems.
type banner struct {
	Strong, Text string
	Name         string // in a list of banners; empty for Strong in lower case
	Link         *link
	// Detail is for the page alone: an index says the first of the others.
	Detail bool
}

// onAnotherHost begins the banner of what was measured elsewhere.
const onAnotherHost = "Measured on another host,"

func (c *composer) banners() []banner {
	var out []banner
	add := func(strong, text string) { out = append(out, banner{Strong: strong, Text: text}) }
	counts := c.countCells()
	switch {
	case counts.cells > 0 && counts.missing == counts.cells:
		add("Nothing in this article was measured.",
			"Every missing number and verdict is marked. Measure it with benchbook run "+c.doc.Slug+".")
		return out
	case c.d.Profile != "" && c.d.Profile != plan.Full:
		add("Profile "+c.d.Profile+".", "Measured with the settings of this profile, not those of a full run.")
	}
	if counts.cells > 0 && !c.d.Own {
		add(onAnotherHost, c.d.Host+". Absolute numbers differ between machines; compare orders and ratios.")
	}
	out = append(out, counts.banners()...)
	if slices.ContainsFunc(c.d.Experiments, func(e *dataset.Experiment) bool { return e.Plan.Outside }) {
		add("Of a running target.", "Nobody started it for the measurement, and nothing tells whether it is the same now.")
	}
	for _, own := range c.doc.Front.Cautions {
		if _, text := c.prose.Inline(own.Value); text != "" {
			out = append(out, banner{Name: strings.TrimRight(text, "."), Text: text})
		}
	}
	out = append(out, c.headlineFindings()...)
	return append(out, c.floorBanners()...)
}

// headlineFindings are what the checks of validity found in cells that headline claims rest on, the worst first.
func (c *composer) headlineFindings() []banner {
	cells := c.headlineCells()
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
			i := slices.IndexFunc(all, func(f found) bool { return f.Name == check.Name })
			if i < 0 {
				i, all = len(all), append(all, found{CheckResult: check})
			}
			all[i].cells++
			if check.Level == validity.Invalid && all[i].Level != validity.Invalid {
				all[i].CheckResult = check
			}
		}
	}
	slices.SortStableFunc(all, func(a, b found) int {
		switch {
		case a.Level == b.Level:
			return b.cells - a.cells
		case a.Level == validity.Invalid:
			return -1
		default:
			return 1
		}
	})
	return slice.Map(all, func(f found) banner {
		which := fmt.Sprintf("in %d of the %s that headline claims rest on", f.cells, wording.Count(len(cells), "cell"))
		return banner{Name: f.Name, Detail: true, Strong: wording.Capital(f.Name) + ":",
			Text: wording.Sentence(which + ", such as " + f.Words)}
	})
}

// headlineCells are the cells that headline claims rest on.
func (c *composer) headlineCells() (cells []*dataset.Cell) {
	for _, block := range c.doc.Claims {
		if block.Headline {
			cells = slice.Add(cells, outcome.CellsOf(c.judgements[block.Name.Value])...)
		}
	}
	return cells
}

// cellCounts counts the cells that need a warning.
type cellCounts struct {
	cells                            int // that can be measured
	stale, partial, missing, invalid int
	skipped                          []string // experiments that the profile leaves out
}

func (c *composer) countCells() cellCounts {
	var n cellCounts
	for _, e := range c.d.Experiments {
		if e.Plan.Skipped != "" {
			n.skipped = append(n.skipped, e.Plan.Name)
		}
		for _, cell := range e.Cells {
			n.cells++
			if cell.Validity().Level() == validity.Invalid {
				n.invalid++
			}
			switch cell.State {
			case dataset.Stale:
				n.stale++
			case dataset.Partial:
				n.partial++
			case dataset.Missing:
				n.missing++
			}
		}
	}
	return n
}

func (n cellCounts) banners() []banner {
	var out []banner
	add := func(count int, strong, text string) {
		if count > 0 {
			out = append(out, banner{Strong: strong, Text: countOf(count, n.cells) + text})
		}
	}
	add(n.stale, "Measured with an older version of this experiment:",
		". The article has changed since; a new run measures the current version.")
	add(n.missing, "Partly measured:", " without results. Everything that depends on them is marked.")
	add(n.partial, "Unfinished:", " with fewer repetitions than planned.")
	add(n.invalid, "Failed or not valid:", ". The tables say why; claims about invalid numbers are not measured.")
	if len(n.skipped) > 0 {
		out = append(out, banner{Strong: "Left out by this profile:", Text: wording.List(n.skipped) + "."})
	}
	return out
}

func countOf(n, all int) string {
	return fmt.Sprintf("%d of %s", n, wording.Count(all, "cell"))
}

// floorBanners warns where the A/A pair differs too much: docs/method.md#the-noise-floor.
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
	if len(exceeds) > 0 {
		out = append(out, banner{Strong: "Noise floor above the smallest effect:",
			Text: wording.List(exceeds) + ", by all A/A pairs of the article. No difference of that size can be believed."})
	}
	if len(apart) > 0 {
		out = append(out, banner{Strong: "Noisy:", Detail: true,
			Text: "two measurements of the same cell (the A/A pair) differ by more than the smallest effect: " +
				wording.List(apart) + "."})
	}
	if len(biased) > 0 {
		out = append(out, banner{Strong: "Systematic offset:",
			Text: "two measurements of the same cell (the A/A pair) differ significantly: " + wording.List(biased) + "."})
	}
	return out
}

// shownMetrics returns the metrics of an experiment in tables, figures, claims, and in the text written so far.
func (c *composer) shownMetrics(e *dataset.Experiment) []string {
	var out []string
	add := func(part *article.ConditionalPart, experiment, metric string) {
		if c.Applies(part) && (experiment == "" || experiment == e.Plan.Name) && !slices.Contains(out, metric) {
			out = append(out, metric)
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

// linkTo names a work, with a link to it.
func (c *composer) linkTo(w *article.Work) template.HTML {
	name := template.HTML(template.HTMLEscapeString(nameOfWork(w)))
	if w.Address() == "" {
		return name
	}
	if href, ok := c.prose.Source(w.Address()); ok {
		return prose.AnchorTag(href, name)
	}
	return name
}

func (c *composer) meta() []template.HTML {
	var out []template.HTML
	add := func(words string) { out = append(out, template.HTML(template.HTMLEscapeString(words))) }
	o := c.origin
	if o.Measured > 0 {
		out = append(out, template.HTML(`Measured <time datetime="`+o.Last.Format("2006-01-02")+`">`+wording.LongDate(o.Last)+
			"</time>"))
		add("host\u00a0" + c.d.Host + ", " + c.sessionsWords())
		amount := wording.Count(len(o.Cells), "variant") + ", " + o.Repetitions() + ", " + wording.Lasting(o.Took)
		out = append(out, prose.AnchorTag("#method", template.HTML(template.HTMLEscapeString(amount))))
	} else if date, err := time.Parse(time.DateOnly, c.doc.Front.Date.Value); err == nil {
		add("Written " + wording.LongDate(date))
	}
	if r := c.doc.Front.Reproduces; r != nil {
		out = append(out, "a re-run of "+c.linkTo(r))
	}
	if authors := article.Texts(c.doc.Front.Authors); len(authors) > 0 {
		add("by " + wording.List(authors))
	}
	return out
}
