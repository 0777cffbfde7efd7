package show

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/machine"
)

// PlanJSON is the output of plan with --json. Times are in seconds. The value of "definition" is that of records,
// whose times are in nanoseconds.
type PlanJSON struct {
	Host        string           `json:"host"` // class and digest, as in records
	Profile     string           `json:"profile"`
	Experiments []ExperimentJSON `json:"experiments"`
}

// ExperimentJSON is an experiment of a plan.
type ExperimentJSON struct {
	Article     string      `json:"article"`
	Experiment  string      `json:"experiment"`
	Skipped     string      `json:"skipped,omitempty"` // why the profile leaves it out; nothing below is set then
	Repetitions int         `json:"repetitions"`       // of each trial, at most
	Looks       []int       `json:"looks"`             // rounds after which claims are judged
	Seed        int64       `json:"seed"`
	Trials      []TrialJSON `json:"trials"`
	Seconds     float64     `json:"seconds"`         // to measure what is pending, images aside
	AtMost      float64     `json:"seconds_at_most"` // likewise, if claims stay undecided
	Warnings    []string    `json:"warnings"`
}

// TrialJSON is a trial of a plan.
type TrialJSON struct {
	Trial       string             `json:"trial"`
	Calibration bool               `json:"calibration"` // second half of the A/A pair
	Parameters  []record.Parameter `json:"parameters"`
	Labels      []record.Parameter `json:"labels"`
	Key         string             `json:"key"`
	State       string             `json:"state"`
	ToMeasure   int                `json:"to_measure"` // repetitions up to the next look
	AtMost      int                `json:"at_most"`    // up to the last look, if claims about it stay undecided
	Why         []string           `json:"why"`
	Definition  json.RawMessage    `json:"definition"`
	Inputs      []record.Input     `json:"inputs"`
}

// A forecast is what a run would do of one experiment.
type forecast struct {
	*plan.Experiment
	slug     string
	known    map[*plan.Trial]*TrialState
	where    string // the CPUs of services and load
	least    int    // repetitions
	most     int    // repetitions, if claims stay undecided
	time     time.Duration
	atMost   time.Duration
	warnings []string
}

// PrintPlans prints what a run of articles would do on a host: a line for each of several articles or experiments, or
// all of one.
func PrintPlans(ctx context.Context, a *lab.Session, project *article.Project, list []*lab.Article,
	plans map[string]*plan.Plan, this machine.Host) error {
	present := a.Present(project)
	defer present.Close()
	var all []*forecast
	profile := ""
	for _, c := range list {
		p := plans[c.Slug]
		profile = p.Profile
		host, err := a.HostOf(project, c, this)
		if err != nil {
			return err
		}
		known, err := Inspect(ctx, a, project, c, p, host.ID, present)
		if err != nil {
			return err
		}
		doubts, err := doubtsOf(c, p, known, host.ID)
		if err != nil {
			return err
		}
		for _, e := range p.Experiments {
			f := newForecast(c.Slug, e, known, host)
			for _, d := range doubts {
				if d.Experiment == e.Name {
					f.warnings = append(f.warnings, d.String())
				}
			}
			all = append(all, f)
		}
	}
	isNamed := slices.ContainsFunc(list, func(c *lab.Article) bool { return len(c.Experiments) > 0 })
	switch {
	case a.JSON:
		return lab.PrintJSON(a.Stdout, PlanJSON{this.ID, profile, slice.Map(all, (*forecast).json)})
	case isNamed || len(all) == 1:
		for _, f := range all {
			f.print(a.Stdout, this.ID, profile)
		}
	default:
		printOverview(a.Stdout, profile, all, len(list) > 1)
	}
	return nil
}

func newForecast(slug string, e *plan.Experiment, known map[*plan.Trial]*TrialState, host machine.Host) *forecast {
	f := &forecast{Experiment: e, slug: slug, known: known}
	if e.Skipped != "" {
		return f
	}
	for _, t := range e.Trials {
		k := known[t]
		f.least, f.most = f.least+k.ToMeasure, f.most+k.ToMeasure+k.More
	}
	at := plan.Place(host.Cores)
	f.time, f.atMost = e.Estimate(at, Experience(known)), e.Estimate(at, atMost(known))
	if own := e.Place("", host.Cores); len(host.Cores) > 0 {
		f.where = fmt.Sprintf("services on CPU %s, load on CPU %s", own.Services, own.Load)
	}
	if len(e.Notes) > 0 {
		f.warnings = append(f.warnings, "Compose: "+strings.Join(e.Notes, "; "))
	}
	return f
}

// doubtsOf returns the claims that the plan cannot decide, or not as well as it might.
func doubtsOf(c *lab.Article, p *plan.Plan, known map[*plan.Trial]*TrialState, host string) ([]claim.Doubt, error) {
	var records []*record.Record
	for _, k := range known {
		records = append(records, k.records...)
	}
	d, err := dataset.OfPlan(c.Doc, p, records, host)
	if err != nil {
		return nil, fmt.Errorf("article %s: %w", c.Slug, err)
	}
	return claim.Undecidable(d), nil
}

func (f *forecast) json() ExperimentJSON {
	out := ExperimentJSON{Article: f.slug, Experiment: f.Name, Skipped: f.Skipped, Repetitions: f.Most(),
		Looks: append([]int{}, f.Looks...), Seed: f.Seed, Trials: []TrialJSON{}, Seconds: f.time.Seconds(),
		AtMost: f.atMost.Seconds(), Warnings: append([]string{}, f.warnings...)}
	for _, t := range f.Trials {
		k := f.known[t]
		out.Trials = append(out.Trials, TrialJSON{Trial: t.Name, Calibration: t.Calibration, Key: t.Key,
			Parameters: append([]record.Parameter{}, t.Parameters...),
			Labels:     append([]record.Parameter{}, t.Labels...),
			State:      k.word, ToMeasure: k.ToMeasure, AtMost: k.ToMeasure + k.More, Why: append([]string{}, k.why...),
			Definition: t.Definition, Inputs: t.Inputs})
	}
	return out
}

// print prints all about an experiment.
func (f *forecast) print(w io.Writer, host, profile string) {
	line := func(label, value string) {
		for _, text := range terminal.Wrap(value, terminal.LineWidth-15) {
			fmt.Fprintln(w, strings.TrimRight(terminal.Padded("  "+label, 14)+" "+text, " "))
			label = ""
		}
	}
	fmt.Fprintf(w, "%s#%s\n", f.slug, f.Name)
	if f.Skipped != "" {
		line("skipped", f.Skipped)
		return
	}
	if f.Description != "" {
		line("description", f.Description)
	}
	line("profile", profile)
	line("host", strings.TrimSuffix(host+": "+f.where, ": "))
	if len(f.Secrets) > 0 {
		line("secrets", strings.Join(slice.Map(f.Secrets, plan.Secret.String), ", "))
	}
	if len(f.Steps) == 0 {
		fmt.Fprintf(w, "  %s, no repetitions\n", terminal.Count(len(f.Trials), "trial"))
	} else {
		fmt.Fprintf(w, "  %s, %s of each, %s to measure\n", terminal.Count(len(f.Trials), "trial"),
			span(f.Least(), f.Most(), "repetition"), span(f.least, f.most, ""))
	}
	f.printTrials(w, line)
	line("time", f.outlook())
	line("timeout", terminal.Clock(f.Timeout)+" for a repetition")
	for _, words := range f.warnings {
		line("warning", words)
	}
}

// printTrials prints the table of trials, and each reason with the trials that it applies to.
func (f *forecast) printTrials(w io.Writer, line func(label, value string)) {
	trials, reasons := map[string][]string{}, []string(nil)
	var rows [][]string
	for _, t := range f.Trials {
		k := f.known[t]
		var about []string
		for _, p := range slices.Concat(t.Parameters, t.Labels) {
			about = append(about, p.Name+"="+p.Value)
		}
		if t.Calibration {
			about = []string{"A/A pair, for the noise floor"}
		}
		if t.InsteadOf != "" {
			about = append(about, "instead of "+t.InsteadOf)
		}
		rows = append(rows, []string{t.Name, strings.Join(about, " "), k.word})
		for _, why := range k.why {
			if trials[why] == nil {
				reasons = append(reasons, why)
			}
			trials[why] = append(trials[why], t.Name)
		}
	}
	terminal.PrintColumns(w, "    ", rows)
	for _, why := range reasons {
		names := trials[why]
		words := strings.Join(names, "; ")
		if n := len(names) - 3; n > 1 {
			words = fmt.Sprintf("%s and %d more", strings.Join(names[:3], "; "), n)
		}
		line("why", words+": "+why)
	}
}

// outlook says how long an experiment takes.
func (f *forecast) outlook() string { return outlook(f.most, f.time, f.atMost) }

func outlook(most int, least, atMost time.Duration) string {
	switch {
	case most == 0:
		return "none: everything is fresh"
	case atMost > least:
		return fmt.Sprintf("about %s to %s", terminal.Clock(least), terminal.Clock(atMost))
	}
	return "about " + terminal.Clock(least)
}

// span counts things of which there are at least and at most so many.
func span(least, most int, what string) string {
	text := fmt.Sprint(most)
	if what != "" {
		text = terminal.Count(most, what)
	}
	if least < most {
		text = fmt.Sprintf("%d to %s", least, text)
	}
	return text
}

// printOverview prints a line for each article, or for each experiment of a single one, and their sum.
func printOverview(w io.Writer, profile string, all []*forecast, byArticle bool) {
	rows := [][]string{{"experiment", "trials", "to measure", "time"}}
	if byArticle {
		rows[0][0] = "article"
	}
	sum := &forecast{Experiment: &plan.Experiment{}}
	var warnings []string
	for len(all) > 0 {
		name, group := all[0].slug+"#"+all[0].Name, all[:1]
		if byArticle {
			name, group = all[0].slug, slice.Filter(all, func(f *forecast) bool { return f.slug == all[0].slug })
		}
		all = all[len(group):]
		part, skipped := &forecast{Experiment: &plan.Experiment{}}, true
		for _, f := range group {
			part.add(f)
			skipped = skipped && f.Skipped != ""
			for _, words := range f.warnings {
				warnings = slice.Add(warnings, fmt.Sprintf("warning: %s#%s: %s", f.slug, f.Name, words))
			}
		}
		sum.add(part)
		rows = append(rows, part.row(name, skipped))
	}
	fmt.Fprintf(w, "profile %s\n", profile)
	terminal.PrintColumns(w, "  ", append(rows, sum.row("in all", false)))
	for _, words := range warnings {
		fmt.Fprintln(w, words)
	}
	fmt.Fprintln(w, "all of one: benchbook plan ARTICLE#EXPERIMENT")
}

func (f *forecast) add(g *forecast) {
	f.Trials = append(f.Trials, g.Trials...)
	f.least, f.most, f.time, f.atMost = f.least+g.least, f.most+g.most, f.time+g.time, f.atMost+g.atMost
}

func (f *forecast) row(name string, skipped bool) []string {
	words := f.outlook()
	if skipped {
		words = "skipped"
	}
	return []string{name, fmt.Sprint(len(f.Trials)), span(f.least, f.most, "repetition"), words}
}
