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
	// Detail is for the page alone: an index says the first of the others.
	Detail bool
}

// onAnotherHost begins the banner of what was measured elsewhere.
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

// headlineFindings are what the checks of validity found in cells that headline claims rest on, the worst first.
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
			i := slices.IndexFunc(all, func(f found) bool { return f.Name == check.Name })
			if i < 0 {
				i, all = len(all), append(all, found{CheckResult: check})
			}
			all[i].cells++
			if check.Level > all[i].Level {
				all[i].CheckResult = check
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

// shownMetrics returns the metrics of an experiment in tables, figures, claims, and in the text written so far.
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

// linkTo names a work, with a link to it.
func (c *composer) linkTo(w *article.Work) template.HTML {
	name := prose.Escaped(nameOfWork(w))
	if w.Address() == "" {
		return name
	}
	if href, ok := c.prose.Source(w.Address()); ok {
		return prose.Link(href, nil, name)
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
