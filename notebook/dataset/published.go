package dataset

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"benchbook/notebook/article"
	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
)

// PublishedValue is what a published block says of a cell.
type PublishedValue struct {
	Number float64 // in the metric's base unit
	Text   string  // as the author wrote it
	Block  *article.Published
	Ratio  float64 // measured over published; NaN if there is none
	Shift  float64 // rank shift, published minus measured, so that more than 0 rose; NaN if there is none
}

// Published gives what a published block says of a cell; without a name, the first block that has it. It is false if
// no row of the block joins the cell and has the metric.
//
// Source: docs/published.md; docs/method.md#published-against-measured.
func (d *Dataset) Published(c *Cell, metric string, block string) (PublishedValue, bool) {
	for _, b := range d.Doc.Published {
		if block != "" && b.Name.Value != block {
			continue
		}
		for i := range b.Rows {
			row := &b.Rows[i]
			at, ok := metricOf(row, metric)
			if !ok {
				continue
			}
			if cells := d.joined(b, row); len(cells) != 1 || cells[0] != c {
				continue
			}
			v := PublishedValue{Number: at.Number, Text: at.Text.Value, Block: b, Ratio: math.NaN(), Shift: math.NaN()}
			a := d.agreementOf(b, metric)
			if a.err != nil {
				return v, true
			}
			if k := slices.Index(a.rows, row); k >= 0 && a.Rows[k].Measured {
				v.Ratio, v.Shift = a.Rows[k].Ratio, a.Rows[k].RankShift()
			}
			return v, true
		}
	}
	return PublishedValue{}, false
}

func metricOf(row *article.PublishedRow, metric string) (article.PublishedAt, bool) {
	for _, m := range row.Metrics {
		if m.Name.Value == metric {
			return m.Value, true
		}
	}
	return article.PublishedAt{}, false
}

// join gives the cells that a row is about: those that agree in every parameter and label that both have. Other
// fields of the row are notes.
//
// Source: docs/published.md.
func (d *Dataset) join(b *article.Published, row *article.PublishedRow) []*Cell {
	e, ok := d.Experiment(b.Experiment.Value)
	if !ok {
		return nil
	}
	known := e.settings()
	return slices.DeleteFunc(slices.Clone(e.Cells), func(c *Cell) bool {
		return slices.ContainsFunc(row.Fields, func(f article.Named[source.Text]) bool {
			text, _ := c.setting(f.Name.Value)
			same, err := expr.MatchText(expr.Equal, f.Value.Value, text)
			return slices.Contains(known, f.Name.Value) && (err != nil || !same)
		})
	})
}

// agreed keeps what published blocks were found to be about, and how far they agree: pages ask for every cell and metric.
type agreed struct {
	mu    sync.Mutex
	joins map[*article.PublishedRow][]*Cell
	found map[agreedKey]agreementFound
}

type agreedKey struct {
	block  *article.Published
	metric string
}

// agreementFound is what agreement gives.
type agreementFound struct {
	stats.Agreement
	rows []*article.PublishedRow
	err  error
}

func newAgreed() *agreed {
	return &agreed{joins: map[*article.PublishedRow][]*Cell{}, found: map[agreedKey]agreementFound{}}
}

// joined is join, looked up once for each row. The cells must not be changed.
func (d *Dataset) joined(b *article.Published, row *article.PublishedRow) []*Cell {
	if d.agreed == nil {
		return d.join(b, row)
	}
	d.agreed.mu.Lock()
	defer d.agreed.mu.Unlock()
	cells, ok := d.agreed.joins[row]
	if !ok {
		cells = d.join(b, row)
		d.agreed.joins[row] = cells
	}
	return cells
}

// agreementOf is agreement, computed once for each block and metric. The result must not be changed.
func (d *Dataset) agreementOf(b *article.Published, metric string) agreementFound {
	compute := func() agreementFound {
		a, rows, err := d.agreement(b, metric)
		return agreementFound{a, rows, err}
	}
	if d.agreed == nil {
		return compute()
	}
	key := agreedKey{b, metric}
	d.agreed.mu.Lock()
	found, ok := d.agreed.found[key]
	d.agreed.mu.Unlock()
	if !ok {
		found = compute() // not under the lock, which joins take as well; computing it twice gives the same
		d.agreed.mu.Lock()
		d.agreed.found[key] = found
		d.agreed.mu.Unlock()
	}
	return found
}

// agreement compares a metric of a block with what was measured. It returns the rows that have the metric, in the
// order of the result's. Rows of zero, which failures may have, are left out: they have no ratio.
func (d *Dataset) agreement(b *article.Published, metric string) (stats.Agreement, []*article.PublishedRow, error) {
	var rows []*article.PublishedRow
	var list []stats.PublishedRow
	for i := range b.Rows {
		row := &b.Rows[i]
		at, ok := metricOf(row, metric)
		if !ok || at.Number <= 0 {
			continue
		}
		p := stats.PublishedRow{Name: rowName(row), Published: at.Number}
		if cells := d.joined(b, row); len(cells) == 1 {
			p.Name = cells[0].Trial.Name
			if r := cells[0].Metric(metric); r.Missing == "" {
				p.Cell = r.cell()
			}
		}
		rows, list = append(rows, row), append(list, p)
	}
	m, _ := record.LookupMetric(metric)
	// Of a metric without a better direction, more counts as better: orders are compared, whichever end is the top.
	direction := stats.Direction(cmp.Or(m.Better, string(stats.HigherIsBetter)))
	a, err := stats.Agree(list, direction, stats.DefaultAlpha, stats.DefaultSmallestEffect)
	return a, rows, err
}

// Agreement compares a metric of a published block, by name or the first that has it, with what was measured. Cells are those of
// the rows, nil for a row that joins none. It is false if no block has the metric, or a number in it is none.
//
// Source: docs/method.md#published-against-measured.
func (d *Dataset) Agreement(metric, block string) (a stats.Agreement, cells []*Cell, ok bool) {
	for _, b := range d.Doc.Published {
		if block != "" && b.Name.Value != block || !publishes(b, metric) {
			continue
		}
		found := d.agreementOf(b, metric)
		if found.err != nil {
			return stats.Agreement{}, nil, false
		}
		for _, row := range found.rows {
			var cell *Cell
			if joined := d.joined(b, row); len(joined) == 1 {
				cell = joined[0]
			}
			cells = append(cells, cell)
		}
		return found.Agreement, cells, true
	}
	return stats.Agreement{}, nil, false
}

func rowName(row *article.PublishedRow) string {
	var words []string
	for _, f := range row.Fields {
		words = append(words, f.Value.Value)
	}
	return strings.Join(words, ", ")
}

// Standing returns what the article's measurements say about what it reproduces, or about its own headline claims, with
// the reason in a sentence.
//
// Headline claims are about the metrics that stand in their tests. A block is asked about those of them that it
// publishes; about its first metric if it publishes none of them. A claim about nothing that any block publishes counts
// beside the blocks: nothing is reproduced if it is contradicted, and the direction at most if it is not decided.
//
// Source: docs/method.md#published-against-measured.
func (d *Dataset) Standing() (stats.Standing, string) {
	good, failed := d.outcomes()
	if failed > 0 && good == 0 {
		return stats.StandingFailed, allFailed(failed)
	}
	type headline struct {
		name    string
		verdict stats.Verdict
		metrics []string
	}
	var headlines []headline
	var verdicts []stats.Verdict
	for _, j := range d.Judgements() {
		if j.Claim.Headline.V {
			headlines = append(headlines, headline{j.Claim.Name.Value, j.Verdict, d.metricsOf(j.Claim)})
			verdicts = append(verdicts, j.Verdict)
		}
	}
	quickOnly := d.Profile == plan.Quick
	if len(d.Doc.Published) == 0 {
		return stats.ClaimStanding(verdicts, quickOnly, good > 0), claimReason(verdicts, quickOnly, good > 0)
	}
	var standings []stats.Standing
	var reasons []string
	for _, b := range d.Doc.Published {
		var metrics []string
		for _, h := range headlines {
			for _, m := range h.metrics {
				if publishes(b, m) && !slices.Contains(metrics, m) {
					metrics = append(metrics, m)
				}
			}
		}
		if first := firstMetric(b); len(metrics) == 0 && first != "" {
			metrics = []string{first}
		}
		for _, metric := range metrics {
			var about []stats.Verdict
			for _, h := range headlines {
				if slices.Contains(h.metrics, metric) {
					about = append(about, h.verdict)
				}
			}
			a, _, err := d.agreement(b, metric)
			standing, reason := stats.StandingNotMeasured, ""
			if err != nil {
				reason = err.Error()
			} else {
				standing, reason = a.Standing(about, quickOnly)
			}
			standings = append(standings, standing)
			words := metric // of one that a program prints, whose name is all that is known
			if m, ok := record.LookupMetric(metric); ok {
				words = inWords(m)
			}
			reasons = append(reasons, fmt.Sprintf("%s, against %s: %s", words, b.Source.Value, reason))
		}
	}
	for _, h := range headlines {
		isPublished := slices.ContainsFunc(d.Doc.Published, func(b *article.Published) bool {
			return slices.ContainsFunc(h.metrics, func(m string) bool { return publishes(b, m) })
		})
		if quickOnly || isPublished || h.verdict == stats.Supported {
			continue
		}
		standing := stats.DirectionOnly
		if h.verdict == stats.Contradicted {
			standing = stats.NotReproduced
		}
		standings = append(standings, standing)
		reasons = append(reasons, fmt.Sprintf("headline claim %s, about nothing that was published, is %s", h.name, h.verdict))
	}
	worst := stats.WorstStanding(standings...)
	if i := slices.Index(standings, worst); i >= 0 {
		return worst, reasons[i]
	}
	return stats.ClaimStanding(nil, quickOnly, good > 0), "nothing published has a metric"
}

// outcomes counts the repetitions that are shown, the A/A pair among them: those that could be run, and those that failed.
func (d *Dataset) outcomes() (good, failed int) {
	for _, e := range d.Experiments {
		for _, c := range append(slices.Clone(e.Cells), e.Calibration) {
			if c == nil {
				continue
			}
			for _, r := range c.Records {
				if r.Failure == "" {
					good++
				} else {
					failed++
				}
			}
		}
	}
	return good, failed
}

func allFailed(n int) string {
	if n == 1 {
		return "its only repetition failed"
	}
	return fmt.Sprintf("all %d repetitions failed", n)
}

func publishes(b *article.Published, metric string) bool {
	return slices.ContainsFunc(b.Rows, func(row article.PublishedRow) bool {
		_, ok := metricOf(&row, metric)
		return ok
	})
}

func firstMetric(b *article.Published) string {
	for _, row := range b.Rows {
		if len(row.Metrics) > 0 {
			return row.Metrics[0].Name.Value
		}
	}
	return ""
}

// metricsOf lists the metrics that a claim is about.
func (d *Dataset) metricsOf(c *article.Claim) []string {
	if c.Expect.Node == nil {
		return nil
	}
	n, err := d.expand(c.Expect.Node)
	if err != nil {
		return nil
	}
	var names []string
	for _, s := range expr.Selectors(n) {
		if !slices.Contains(names, s.Name) {
			names = append(names, s.Name)
		}
	}
	return names
}

// claimReason counts the headline claims of an article that reproduces nothing.
func claimReason(verdicts []stats.Verdict, quickOnly, hasResults bool) string {
	switch {
	case quickOnly:
		return "only quick records"
	case len(verdicts) == 0 && !hasResults:
		return "there are no results"
	case len(verdicts) == 0:
		return "the article has no headline claim"
	}
	counts := map[stats.Verdict]int{}
	for _, v := range verdicts {
		counts[v]++
	}
	return fmt.Sprintf("of %s: %s", plural(len(verdicts), "headline claim"), strings.Join(stats.VerdictsInWords(counts), ", "))
}
