package results

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"benchbook/git"
	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/compare"
	"benchbook/notebook/plan"
	"benchbook/notebook/stats"
	"benchbook/render/timeline"
	"benchbook/runner/sysinfo"
)

// HistoryOptions say what of a history is shown, and what fails.
type HistoryOptions struct {
	Metrics []string
	Host    string // empty for this one
	Profile string
	FailOn  string // HistoryStep, or empty
	Since   string // a run; steps at it or later fail
}

// HistoryStep is the only condition on a history.
const HistoryStep = "step"

// SeriesJSON is the history of one metric of a cell. Fields are added to it in later versions, none are renamed or
// removed. Numbers are unrounded and in base units.
type SeriesJSON struct {
	Article    string      `json:"article"`
	Experiment string      `json:"experiment"`
	Trial      string      `json:"trial"`
	Metric     string      `json:"metric"`
	Unit       string      `json:"unit"`
	Host       string      `json:"host"`
	Profile    string      `json:"profile"`
	Points     []pointJSON `json:"points"` // the oldest first
	Steps      []stepJSON  `json:"steps"`
}

type pointJSON struct {
	Run      string    `json:"run"`
	Started  time.Time `json:"started"`
	Revision string    `json:"revision,omitempty"`
	measuredJSON
}

type stepJSON struct {
	Run     string  `json:"run"`  // the first of the new level
	From    string  `json:"from"` // the new level begins from this run
	To      string  `json:"to"`   // to this one, at 95 %
	Change  float64 `json:"change"`
	Lo      float64 `json:"lo"` // of Change, at 95 %
	Hi      float64 `json:"hi"`
	P       float64 `json:"p"` // of levels that are the same
	Verdict string  `json:"verdict"`
	// Commits are those between the last run before the step and the first after it; none where git does not know.
	Commits     []string             `json:"commits"`
	Differences []compare.Difference `json:"differences"`
}

// ShowHistory prints where the level of results has changed from run to run.
func ShowHistory(ctx context.Context, a *lab.Session, args []string, o HistoryOptions, asJSON bool) error {
	if o.FailOn != "" && o.FailOn != HistoryStep {
		return lab.UsageError(fmt.Errorf("--fail-on of history takes %s, not %q", HistoryStep, o.FailOn))
	}
	project, list, _, err := a.SelectPlanned(args, plan.Options{}, "articles with problems have no history")
	if err != nil {
		return err
	}
	this, err := sysinfo.ThisHost()
	if err != nil {
		return lab.Failure(err)
	}
	var all []compare.Series
	for _, c := range list {
		records, laidOver, err := a.Lay(project, c, this)
		if err != nil {
			return lab.Failure(err)
		}
		host := o.Host
		if host == "" {
			host = laidOver.ThisHost
		}
		moments, err := compare.History(c.Doc, records, nil, laidOver)
		if err != nil {
			return lab.Failure(err)
		}
		moments = slices.DeleteFunc(moments, func(m *compare.Moment) bool {
			return m.Host != host || m.Profile != o.Profile
		})
		series, err := compare.SeriesOf(moments, o.Metrics)
		if err != nil {
			return lab.Failure(fmt.Errorf("article %s: %w", c.Slug, err))
		}
		all = append(all, slices.DeleteFunc(series, func(s compare.Series) bool {
			return !c.Wants(s.Cell.Experiment.Plan.Name)
		})...)
	}
	if len(all) == 0 {
		return lab.UsageError(o.nothing())
	}
	commits := func(s *compare.Series, at int) []string {
		return commitsBetween(ctx, project.Dir, s.Points[at-1].Revision(), s.Points[at].Revision())
	}
	if asJSON {
		err = lab.PrintJSON(a.Stdout, historyData(all, commits))
	} else {
		printHistory(a, all, commits)
	}
	if err != nil {
		return err
	}
	return o.failed(all)
}

// nothing says that there is nothing to follow.
func (o HistoryOptions) nothing() error {
	where, of := "this host", ""
	if o.Host != "" {
		where = "host " + o.Host
	}
	if len(o.Metrics) > 0 {
		of = " with " + strings.Join(o.Metrics, " or ")
	}
	return fmt.Errorf("no runs in profile %s on %s%s: --host and --profile choose others", o.Profile, where, of)
}

// commitsBetween lists the commits after one revision up to another, the newest first; none where git does not know
// them.
func commitsBetween(ctx context.Context, dir, from, to string) []string {
	const most = 20
	from, to = strings.TrimSuffix(from, "+changes"), strings.TrimSuffix(to, "+changes")
	if from == "" || to == "" || strings.Contains(from+to, " ") { // records of no repository say so in words
		return []string{}
	}
	out, err := git.New(ctx, dir).Run("", "log", fmt.Sprintf("--max-count=%d", most+1), "--format=%h %s",
		"--end-of-options", from+".."+to)
	if err != nil {
		return []string{}
	}
	lines := slices.Collect(strings.Lines(out))
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	if len(lines) > most {
		lines = append(lines[:most], "and others before them")
	}
	return append([]string{}, lines...)
}

func historyData(all []compare.Series, commits func(*compare.Series, int) []string) []SeriesJSON {
	out := []SeriesJSON{}
	for i := range all {
		s := &all[i]
		data := SeriesJSON{Article: s.Article, Experiment: s.Cell.Experiment.Plan.Name, Trial: s.Cell.Trial.Name,
			Metric: s.Metric.Name, Unit: cmp.Or(s.Metric.Unit, "1"), Host: s.Host, Profile: s.Profile, Points: []pointJSON{},
			Steps: []stepJSON{}}
		for _, p := range s.Points {
			data.Points = append(data.Points, pointJSON{p.Moment.Run, p.Moment.Started, p.Revision(), measuredData(p.Result)})
		}
		for k, step := range s.Steps {
			words := timeline.StepOf(s, k)
			data.Steps = append(data.Steps, stepJSON{Run: words.Run.Run, From: words.From.Run, To: words.To.Run,
				Change: step.Ratio - 1, Lo: step.Interval.Lo - 1, Hi: step.Interval.Hi - 1, P: step.P, Verdict: words.Is,
				Commits: commits(s, step.At), Differences: append([]compare.Difference{}, step.Differences...)})
		}
		out = append(out, data)
	}
	return out
}

// printHistory prints the series with steps, and counts the others.
func printHistory(a *lab.Session, all []compare.Series, commits func(*compare.Series, int) []string) {
	level, short := 0, 0
	for i := range all {
		s := &all[i]
		switch {
		case len(s.Points) < timeline.MinRuns:
			short++
			continue
		case len(s.Steps) == 0:
			level++
			continue
		}
		fmt.Fprintf(a.Stdout, "%s#%s %s, %s: %s of %s from %s to %s\n", s.Article, s.Cell.Experiment.Plan.Name,
			s.Cell.Trial.Name, s.Metric.Name, terminal.Count(len(s.Steps), "step"), terminal.Count(len(s.Points), "run"),
			s.Points[0].Moment.Started.Format(time.DateOnly), s.Points[len(s.Points)-1].Moment.Started.Format(time.DateOnly))
		for k := range s.Steps {
			printStep(a, timeline.StepOf(s, k), commits(s, s.Steps[k].At))
		}
	}
	if level > 0 {
		fmt.Fprintf(a.Stdout, "%d series without a step\n", level)
	}
	if short > 0 {
		fmt.Fprintf(a.Stdout, "%d series of fewer than %d runs, in which none is looked for\n", short, timeline.MinRuns)
	}
}

func printStep(a *lab.Session, step timeline.Step, commits []string) {
	fmt.Fprintf(a.Stdout, "  %s, %s [%s], at run %s: %s before, %s after\n", step.Is, step.Change, step.Interval,
		step.Run.Run, step.Before, step.After)
	if step.From != step.To {
		fmt.Fprintf(a.Stdout, "    the new level begins from run %s to %s, at 95 %%\n", step.From.Run, step.To.Run)
	}
	for _, c := range commits {
		fmt.Fprintf(a.Stdout, "    commit %s\n", c)
	}
	for i := range step.Differences {
		fmt.Fprintf(a.Stdout, "    %s %s\n", step.Differences[i].Kind, &step.Differences[i])
	}
	if len(commits)+len(step.Differences) == 0 {
		fmt.Fprintln(a.Stdout, "    nothing differs that is recorded")
	}
}

// failed is the error of --fail-on: of the last level of a series that is worse than the one before it.
func (o HistoryOptions) failed(all []compare.Series) error {
	var cells []string
	for _, s := range all {
		if o.FailOn == "" || len(s.Steps) == 0 {
			continue
		}
		last := s.Steps[len(s.Steps)-1]
		if last.Shift == stats.Worse && s.Points[last.At].Moment.Run >= o.Since {
			cells = append(cells, fmt.Sprintf("%s#%s %s, %s", s.Article, s.Cell.Experiment.Plan.Name, s.Cell.Trial.Name,
				s.Metric.Name))
		}
	}
	if len(cells) == 0 {
		return nil
	}
	return lab.Failure(errors.New("--fail-on step is met by " + strings.Join(cells, "; ")))
}
