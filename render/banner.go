package render

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/compare"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/validity"
	"benchbook/render/method"
	"benchbook/render/number"
	"benchbook/render/prose"
	"benchbook/render/wording"
)

// banner says that a page, a table or a figure is not what it seems.
type banner struct {
	Strong, Text string
	Link         *link
	// Detail is for the page alone: an index says the first of the others.
	Detail bool
}

// banners are what a reader must know before anything else.
func (c *composer) banners() []banner {
	var out []banner
	add := func(strong, text string) { out = append(out, banner{Strong: strong, Text: text}) }
	if c.moment != nil {
		out = append(out, momentBanner(c.moment))
	}
	counts := c.countCells()
	switch {
	case counts.cells > 0 && counts.missing == counts.cells:
		add("Nothing of this article was measured.",
			"Every number and verdict says so at its place. Measure it with benchbook run "+c.doc.Slug+".")
		return out
	case c.d.Profile == plan.Quick:
		add("Quick profile: not for publication.",
			"Measured to see that everything runs: "+c.origin.Repetitions()+" a cell, short windows; the intervals are rough.")
	case c.d.Profile != "" && c.d.Profile != plan.Full:
		add("Profile "+c.d.Profile+".", "Measured with settings of its own, not those of a full run.")
	}
	switch {
	case counts.cells > 0 && method.Imported(c.d):
		add("Imported, not measured by benchbook:",
			"numbers of saved output of "+wording.List(method.ImportedFrom(c.d))+". Nobody knows the machine, nor that it was loaded as the article says.")
	case counts.cells > 0 && !c.d.Own:
		add("Measured on another host,", c.d.Host+". Other machines give other numbers; compare orders and ratios.")
	}
	out = append(out, counts.banners()...)
	if list := method.Substitutes(c.d); len(list) > 0 {
		out = append(out, banner{Strong: "Built on a substitute base image.", Detail: true,
			Text: "No registry could be reached: " + strings.Join(list, "; ") + "."})
	}
	var depends []string
	for _, e := range c.d.Experiments {
		if claim.OrdersOf(c.d, e.Plan.Name).WinnerDepends {
			depends = append(depends, e.Plan.Name)
		}
	}
	if len(depends) > 0 {
		out = append(out, banner{Strong: "The winner depends on the metric:", Detail: true,
			Text: "in " + wording.List(depends) + " no cell is best, or tied with the best, by all of them. How they agree is below."})
	}
	return append(out, c.floorBanners()...)
}

// cellCounts say how much of an article is not as it should be.
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
			if cell.Trial.Unavailable != "" { // so that nothing is missing
				continue
			}
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

// banners say it of an article of which something was measured.
func (n cellCounts) banners() []banner {
	var out []banner
	add := func(count int, strong, text string) {
		if count > 0 {
			out = append(out, banner{Strong: strong, Text: of(count, n.cells) + text})
		}
	}
	add(n.stale, "Measured with an older version of this experiment:", ". The article changed since; a new run measures it as it stands.")
	add(n.missing, "Not measured:", ". What rests on them says so.")
	add(n.partial, "Not finished:", " with fewer repetitions than planned.")
	add(n.invalid, "Failed or not valid:", ". The tables say why; no claim rests on their numbers.")
	if len(n.skipped) > 0 {
		out = append(out, banner{Strong: "Left out by this profile:", Text: wording.List(n.skipped) + "."})
	}
	return out
}

// momentBanner says of which run the page is.
func momentBanner(moment *compare.Moment) banner {
	return banner{Strong: "The article as of run " + moment.Run + ".",
		Text: "It was measured on " + wording.LongDate(moment.Ended) + "; later runs have no part in it.", Link: &link{"../../index.html", "See the newest results"}}
}

func of(n, all int) string {
	return fmt.Sprintf("%d of %s", n, number.Count(all, "cell"))
}

// floorBanners say where the same cell under two names came out too far apart: docs/method.md#the-noise-floor.
func (ev *evaluator) floorBanners() []banner {
	var biased, exceeds []string
	for _, e := range ev.d.Experiments {
		for _, name := range ev.shownMetrics(e) {
			f, missing := ev.d.Floor(e.Plan.Name, name)
			if missing != "" {
				continue
			}
			words := name + " of " + e.Plan.Name + " by " + wording.Percent(f.F)
			if f.Exceeds {
				exceeds = append(exceeds, words)
			}
			if f.Biased {
				biased = append(biased, words)
			}
		}
	}
	var out []banner
	if len(exceeds) > 0 {
		out = append(out, banner{Strong: "Noisy:",
			Text: "the same cell measured twice differs by more than counts as a difference: " + wording.List(exceeds) + "."})
	}
	if len(biased) > 0 {
		out = append(out, banner{Strong: "A lasting offset:",
			Text: "the same cell measured twice can be told apart: " + wording.List(biased) + "."})
	}
	return out
}

// shownMetrics are the metrics of an experiment that the article shows in tables and figures, claims something of, or has
// in its text, as far as that is written by now.
func (ev *evaluator) shownMetrics(e *dataset.Experiment) []string {
	var out []string
	add := func(experiment, metric string) {
		if (experiment == "" || experiment == e.Plan.Name) && !slices.Contains(out, metric) {
			out = append(out, metric)
		}
	}
	for _, t := range ev.doc.Tables {
		for _, column := range t.Columns {
			add(t.Experiment.Value, column.Value)
		}
	}
	for _, f := range ev.doc.Figures {
		for _, m := range f.Metrics() {
			add(f.Experiment.Value, m)
		}
	}
	for _, u := range ev.used {
		add(u.experiment, u.metric)
	}
	return out
}

// meta is the line under the description: when and where, how much, after whom.
func (c *composer) meta(standing string) []template.HTML {
	var out []template.HTML
	add := func(words string) { out = append(out, template.HTML(template.HTMLEscapeString(words))) }
	o := c.origin
	if o.Measured > 0 {
		verb, host := "Measured", "host\u00a0"+c.d.Host
		if method.Imported(c.d) {
			verb, host = "Imported, printed", "from saved output of "+wording.List(method.ImportedFrom(c.d))
		}
		out = append(out, template.HTML(verb+` <time datetime="`+o.Last.Format("2006-01-02")+`">`+wording.LongDate(o.Last)+"</time>"))
		add(host)
		add(number.Count(len(o.Cells), "row") + ", " + o.Repetitions() + ", " + wording.Lasting(o.Took))
	} else if date, err := time.Parse(time.DateOnly, c.doc.Front.Date.Value); err == nil {
		add("Written " + wording.LongDate(date))
	}
	if r := c.doc.Front.Reproduces; r != nil {
		words := "reproduces “" + r.Title.Value + "”"
		if by := strings.TrimSpace(r.Author.Value + " " + r.Year.Value); by != "" {
			words += ", " + by
		}
		text := template.HTML(template.HTMLEscapeString(words))
		if r.URL.Value != "" {
			if href, ok := c.prose.Source(r.URL.Value); ok {
				text = prose.AnchorTag(href, text)
			}
		}
		out = append(out, text)
	}
	if authors := article.Texts(c.doc.Front.Authors); len(authors) > 0 {
		add("by " + wording.List(authors))
	}
	if standing != "" {
		add(standing)
	}
	return append(out, c.others()...)
}

// others leads to the history of the article, and to what was measured on other hosts and in other profiles.
func (c *composer) others() []template.HTML {
	moments := c.options.Moments
	if len(moments) == 0 {
		return nil
	}
	folder := ""
	if c.moment != nil {
		folder = "../../"
	}
	out := []template.HTML{prose.AnchorTag(template.URL(folder+historyFolder+"/index.html"), template.HTML("history, "+number.Count(len(moments), "run")))}
	seen := []string{setName(c.d.Host, c.d.Profile)}
	for _, m := range moments { // the newest of each comes first
		name := setName(m.Host, m.Profile)
		if slices.Contains(seen, name) || c.moment != nil {
			continue
		}
		seen = append(seen, name)
		out = append(out, "also measured: "+prose.AnchorTag(template.URL(pageOf(m, moments)+"/index.html"), template.HTML(template.HTMLEscapeString(name))))
	}
	return out
}
