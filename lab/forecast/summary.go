package forecast

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/claim"
	"benchbook/notebook/plan"
	"benchbook/slice"
)

// An overview says of experiments what is to be measured and how long it takes, in a line for each article, or for each
// experiment of a single one.
type overview struct {
	at       plan.Placement
	articles bool
	rows     []overviewRow
	warnings []string // and what Compose files say that has no effect
}

// overviewRow is an article or an experiment.
type overviewRow struct {
	name                  string
	experiments, trials   int
	least, most           int // repetitions and searches to measure
	time, atMost          time.Duration
	skipped, warned, many int // experiments
}

// newOverview is nil if all of what is planned is to be shown: of a single experiment, or of those that are named.
func newOverview(list []*lab.Article, plans map[string]*plan.Plan, at plan.Placement) *overview {
	isNamed := slices.ContainsFunc(list, func(c *lab.Article) bool { return len(c.Experiments) > 0 })
	if isNamed || len(list) == 1 && len(plans[list[0].Slug].Experiments) < 2 {
		return nil
	}
	return &overview{at: at, articles: len(list) > 1}
}

// add adds an experiment, after those of its article.
func (o *overview) add(slug string, e *plan.Experiment, known map[*plan.Trial]*TrialState, doubts []claim.Doubt) {
	name := slug
	if !o.articles {
		name += "#" + e.Name
		for _, d := range doubts {
			o.warnings = slice.Add(o.warnings, "warning: "+d.String())
		}
	}
	if len(e.Notes) > 0 {
		o.warnings = slice.Add(o.warnings, fmt.Sprintf("compose of %s: %s", slug, strings.Join(e.Notes, "; ")))
	}
	if len(o.rows) == 0 || o.rows[len(o.rows)-1].name != name {
		o.rows = append(o.rows, overviewRow{name: name})
	}
	row := &o.rows[len(o.rows)-1]
	if row.experiments++; e.Skipped != "" {
		row.skipped++
		return
	}
	least, most := toMeasure(e, known)
	row.trials, row.least, row.most = row.trials+len(e.Trials), row.least+least, row.most+most
	time := e.Estimate(o.at, Experience(e, known))
	row.time += time.Total
	row.atMost += e.Estimate(o.at, atMost(e, known)).Total
	row.warned += lab.Boolean(len(doubts) > 0)
	row.many += lab.Boolean(IsMuch(pendingTrials(e, known), time))
}

// print prints the lines, and a sum of them.
func (o *overview) print(w io.Writer, profile string) {
	sum := overviewRow{name: "in all"}
	for _, r := range o.rows {
		sum.trials, sum.least, sum.most = sum.trials+r.trials, sum.least+r.least, sum.most+r.most
		sum.time, sum.atMost = sum.time+r.time, sum.atMost+r.atMost
	}
	head := []string{"experiment", "trials", "to measure", "time"}
	if o.articles {
		head = []string{"article", "experiments", "trials", "to measure", "time"}
	}
	rows := [][]string{head}
	for _, r := range append(slices.Clone(o.rows), sum) {
		row := []string{r.name}
		if o.articles {
			experiments := ""
			if r.experiments > 0 {
				experiments = fmt.Sprint(r.experiments - r.skipped)
			}
			row = append(row, experiments)
		}
		rows = append(rows, append(row, fmt.Sprint(r.trials), upTo(r.least, r.most, "repetition"), r.outlook()))
	}
	fmt.Fprintf(w, "profile %s\n", profile)
	terminal.PrintColumns(w, "  ", rows)
	for _, words := range o.warnings {
		fmt.Fprintln(w, words)
	}
	more := "all of one: benchbook plan ARTICLE, or ARTICLE#EXPERIMENT"
	if !o.articles {
		more = "all of one: benchbook plan " + o.rows[0].name
	}
	fmt.Fprintln(w, more)
}

// outlook says how long something takes, and what is to be known of it.
func (r *overviewRow) outlook() string {
	words := ""
	switch {
	case r.experiments > 0 && r.skipped == r.experiments:
		words = "skipped"
	case r.most == 0:
		words = "none: everything is fresh"
	case r.atMost > r.time:
		words = fmt.Sprintf("about %s to %s", terminal.Clock(r.time), terminal.Clock(r.atMost))
	default:
		words = "about " + terminal.Clock(r.time)
	}
	if r.warned > 0 {
		words += ", with warnings"
	}
	if r.many > 0 {
		words += fmt.Sprintf(", more than %d trials or %.0f hours: run asks for --yes, --only or --budget", ManyTrials,
			LongTime.Hours())
	}
	return words
}
