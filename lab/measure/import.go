package measure

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"benchbook/files"
	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/runner"
	"benchbook/slice"
)

// maxSaved is how large a saved output may be, in bytes: a table of a million requests.
const maxSaved = 128 << 20

// ReadAs splits what --as says: the article with its experiment, and the parameters of a trial.
func ReadAs(text string) (name string, matches []expr.Match, err error) {
	name, braces, found := strings.Cut(text, "{")
	if !found {
		return text, nil, nil
	}
	node, err := expr.Parse("trial{" + braces)
	selector, ok := node.(*expr.Selector)
	if err != nil || !ok {
		return "", nil, fmt.Errorf("--as %q cannot be read: write ARTICLE#EXPERIMENT{PARAMETER=VALUE}, and quotes around "+
			"values with spaces", text)
	}
	for _, m := range selector.Matches {
		if m.Op != expr.Equal {
			return "", nil, fmt.Errorf("--as %q names a trial by its values: write %s=VALUE", text, m.Name)
		}
	}
	return name, selector.Matches, nil
}

// ImportFiles saves what files of other tools hold as records.
func ImportFiles(ctx context.Context, a *lab.Session, files []string, format, program, name string,
	matches []expr.Match, profile string) error {
	project, list, plans, err := a.SelectPlanned([]string{name}, plan.Options{Profile: profile}, "nothing was imported")
	if err != nil {
		return err
	}
	c, p := list[0], plans[list[0].Slug]
	e, err := onlyExperiment(p)
	if err != nil {
		return lab.UsageError(err)
	}
	trials, err := trialsOf(e, matches)
	if err != nil {
		return lab.UsageError(err)
	}
	var saved []runner.Saved
	for _, file := range files {
		s, err := readSaved(file)
		if err != nil {
			return lab.Failure(err)
		}
		s.Program = program
		saved = append(saved, s)
	}
	if fits := trials; len(fits) > 1 {
		if trials, err = runner.TimedBy(fits, saved); err != nil {
			return lab.Failure(fmt.Errorf("nothing was imported: %w", err))
		}
		if len(trials) == 0 {
			return lab.UsageError(severalTrials(e, fits))
		}
	}
	records, err := runner.Import(p, e, trials, format, saved)
	if err != nil {
		return lab.Failure(fmt.Errorf("nothing was imported: %w", err))
	}
	revision := lab.RevisionOf(ctx, project, c.Doc)
	for _, r := range records {
		r.Facts[record.FactRevision] = revision
	}
	if err := saveImported(a, record.Dir(project.RecordsDir(c.Slug)), records); err != nil {
		return err
	}
	a.SyncOrWarn(ctx, project, nil)
	return nil
}

// saveImported saves records unless one of them is there already: all or none, as they are the repetitions of one run.
func saveImported(a *lab.Session, dir record.Dir, records []*record.Record) error {
	have, bad, err := dir.Read()
	if err != nil {
		return lab.Failure(err)
	}
	a.WarnBad(bad)
	for i, r := range records {
		same := func(o *record.Record) bool {
			return o.Imported != nil && o.Key == r.Key && o.Profile == r.Profile && o.Output == r.Output
		}
		if slices.ContainsFunc(records[:i], same) {
			return lab.Failure(fmt.Errorf("nothing was imported: %s is the same as a file before it", r.Imported.File))
		}
		if at := slices.IndexFunc(have, same); at >= 0 {
			return lab.Failure(fmt.Errorf("nothing was imported: %s was already imported in run %s", r.Imported.File,
				have[at].Run))
		}
	}
	if err := dir.SaveAll(records); err != nil {
		return lab.Failure(fmt.Errorf("nothing was imported: %w", err))
	}
	for _, r := range records {
		from := r.Imported.Tool
		if r.Imported.Version != "" {
			from += " " + r.Imported.Version
		}
		if r.Imported.Guessed {
			from += ", format detected"
		}
		what := "repetition " + fmt.Sprint(r.Repetition)
		if r.Failure != "" {
			what += " failed: " + r.Failure
		}
		fmt.Fprintf(a.Stdout, "%s (%s): %s of %s\n  %s\n", r.Imported.File, from, what, r.Trial,
			terminal.Relative(filepath.Join(string(dir), record.PackPath(r.Host, r.Profile, r.Run))))
		if why := noLatency(r); why != "" {
			fmt.Fprintf(a.Stderr, "%s gives no latency: %s\n", r.Imported.File, why)
		}
	}
	return nil
}

// noLatency is why an imported output gives no time of requests; empty if it gives any, or is not of requests.
func noLatency(r *record.Record) (why string) {
	if r.Load == nil {
		return ""
	}
	for _, metric := range []string{"latency.p50", "latency.mean", "latency.max", "service.p50", "service.max"} {
		_, missing := dataset.Value(r, metric, nil)
		if missing == "" {
			return ""
		}
		why = cmp.Or(why, missing)
	}
	if why = strings.TrimPrefix(why, "not measured"); why == "" {
		return r.Imported.Tool + " tells no times of such requests as the trial asks for"
	}
	return strings.TrimPrefix(why, ": ")
}

func onlyExperiment(p *plan.Plan) (*plan.Experiment, error) {
	names := slice.Map(p.Experiments, func(e *plan.Experiment) string { return p.Article + "#" + e.Name })
	if len(names) != 1 {
		return nil, fmt.Errorf("which experiment was measured? name it with --as: %s", strings.Join(names, ", "))
	}
	if e := p.Experiments[0]; e.Skipped == "" {
		return e, nil
	}
	return nil, fmt.Errorf("nothing can be imported as %s: %s", names[0], p.Experiments[0].Skipped)
}

// trialsOf finds the trials of an experiment, at least one, whose parameters and labels have some values.
func trialsOf(e *plan.Experiment, matches []expr.Match) ([]*plan.Trial, error) {
	var fits []*plan.Trial
	var all, known []string // trials by name, and what they are told apart by
	for _, t := range e.Trials {
		if t.Calibration || t.Unavailable != "" {
			continue
		}
		all = append(all, t.Name)
		values := map[string]string{}
		for _, v := range slices.Concat(t.Parameters, t.Labels) {
			values[v.Name], known = v.Value, append(known, v.Name)
		}
		if hasValues(values, matches) {
			fits = append(fits, t)
		}
	}
	slices.Sort(known)
	known = slices.Compact(known)
	var asked []string
	for _, m := range matches {
		if !slices.Contains(known, m.Name) {
			return nil, fmt.Errorf("experiment %q has no parameter %q: %s", e.Name, m.Name, source.Suggest(m.Name, known))
		}
		asked = append(asked, m.Value)
	}
	if len(fits) == 0 {
		return nil, fmt.Errorf("no trial of experiment %q has these values: %s", e.Name,
			source.Suggest(strings.Join(asked, ", "), all))
	}
	return fits, nil
}

// severalTrials says that several trials fit, where one was to be named.
func severalTrials(e *plan.Experiment, fits []*plan.Trial) error {
	names := slice.Map(fits[:min(len(fits), 5)], func(t *plan.Trial) string { return t.Name })
	values := slices.Concat(fits[0].Parameters, fits[0].Labels)
	known := slice.Map(values, func(p record.Parameter) string { return p.Name })
	slices.Sort(known)
	return fmt.Errorf("%d trials of experiment %q fit: %s; name one by its %s", len(fits), e.Name,
		strings.Join(names, "; "), strings.Join(slices.Compact(known), ", "))
}

// hasValues reports whether values, by name, are all that matches ask for.
func hasValues(values map[string]string, matches []expr.Match) bool {
	return !slices.ContainsFunc(matches, func(m expr.Match) bool {
		value, has := values[m.Name]
		same, err := expr.MatchText(m.Op, m.Value, value)
		return !has || !same || err != nil
	})
}

func readSaved(file string) (runner.Saved, error) {
	data, info, err := files.Read(file, maxSaved)
	if err != nil {
		return runner.Saved{}, fmt.Errorf("reading %s: %w", file, err)
	}
	return runner.Saved{File: filepath.Base(file), Modified: info.ModTime().Truncate(time.Second), Printed: data}, nil
}
