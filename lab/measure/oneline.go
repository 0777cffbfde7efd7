package measure

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"benchbook/lab"
	"benchbook/lab/pages"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"

	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/notebook/stats"

	"benchbook/internal/slice"
	"benchbook/render/outcome"
	"benchbook/render/wording"
	"benchbook/runner/machine"
)

// OneLineOptions say what is shown.
type OneLineOptions struct {
	Quiet bool   // no progress bar
	HTML  string // file of its page; empty for none
}

// unnamed is the slug of the article.
const unnamed = "one-line"

// A notebook is the project that is thrown away.
type notebook struct {
	*lab.Session
	said    bytes.Buffer // what a run says that nobody has to read if it goes well
	project *article.Project
	list    []*lab.Article
}

// Time measures commands, and prints how long each took and which are faster than the first.
func Time(ctx context.Context, a *lab.Session, c Commands, o OneLineOptions) error {
	if err := c.check(); err != nil {
		return lab.UsageError(err)
	}
	return measureOneLine(ctx, a, c.article(time.Now()), nil, o, printTimes)
}

// measureOneLine measures an article in a project that is thrown away and allows load on the hosts, and prints what came of it.
func measureOneLine(ctx context.Context, a *lab.Session, text string, hosts []string, o OneLineOptions,
	print func(*lab.Session, *dataset.Dataset)) error {
	folder, err := os.MkdirTemp("", "benchbook-one-line-")
	if err != nil {
		return lab.Failure(err)
	}
	defer os.RemoveAll(folder)
	n, err := newNotebook(a, folder, text, projectText(hosts))
	if err != nil {
		return err
	}
	d, err := n.measure(ctx, a, o)
	if d != nil {
		print(a, d)
	}
	if err != nil {
		if o.HTML != "" {
			fmt.Fprintf(a.Stderr, "%s was not written\n", o.HTML)
		}
		return err
	}
	if o.HTML != "" {
		err = n.page(a, o.HTML)
	}
	return err
}

// measure runs the article, and says which of its cells failed. Without a dataset there is nothing to print: the run
// has not ended.
func (n *notebook) measure(ctx context.Context, a *lab.Session, o OneLineOptions) (*dataset.Dataset, error) {
	defer a.AwaitOnInterrupt(ctx)()
	err := Run(ctx, n.Session, n.project, n.list, Options{Profile: plan.Full, Quiet: o.Quiet,
		Asking: Own})
	if s, ok := errors.AsType[*lab.StatusError](err); ok && s.Status == lab.StatusInterrupted {
		return nil, lab.WithStatus(s.Status, errors.New("interrupted; nothing was kept"))
	}
	d, readErr := n.dataset()
	if readErr != nil {
		return nil, lab.Failure(readErr)
	}
	failed := failures(d)
	for _, words := range failed {
		fmt.Fprintf(a.Stderr, "benchbook: %s\n", words)
	}
	_, only := errors.AsType[*FailedError](err)
	switch {
	case err == nil:
	case only && len(failed) > 0:
		err = lab.WithStatus(lab.StatusFailed, nil)
	default:
		fmt.Fprint(a.Stderr, n.said.String())
		return nil, err
	}
	return d, err
}

// newNotebook makes the project.
func newNotebook(a *lab.Session, folder, text, project string) (*notebook, error) {
	n := &notebook{}
	n.Session = &lab.Session{Stdout: a.Stdout, Stderr: &n.said, Terminal: a.Terminal, Waits: a.Stderr, Version: a.Version,
		Config: a.Config, Dir: folder}
	if a.Config.Processes != nil {
		n.Config.Engines = []lab.Engine{{Name: spec.Local, Connect: a.Config.Processes}}
	}
	at := filepath.Join(folder, pages.ArticlesDir, unnamed)
	err := os.MkdirAll(at, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, article.ProjectFile), []byte(project), 0o644)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(at, article.FileName), []byte(text), 0o644)
	}
	if err != nil {
		return nil, lab.Failure(err)
	}
	n.project, n.list, err = n.Select(nil)
	return n, err
}

// projectText is the project file. Who names hosts in the command allows load on them.
func projectText(hosts []string) string {
	text := "title: One-line benchmarks\nengine: local\n"
	if len(hosts) > 0 {
		text += "allow: {targets: [" + strings.Join(slice.Map(hosts, quoted), ", ") + "]}\n"
	}
	return text
}

func (n *notebook) dataset() (*dataset.Dataset, error) {
	this, err := machine.Here()
	if err != nil {
		return nil, err
	}
	records, o, err := n.Lay(n.project, n.list[0], this)
	if err != nil {
		return nil, err
	}
	return dataset.New(n.list[0].Doc, records, o)
}

// failures say why commands have no times, once each.
func failures(d *dataset.Dataset) (words []string) {
	for _, e := range d.Experiments {
		for _, c := range e.Cells {
			for _, r := range c.Records {
				if r.Failure != "" {
					words = append(words, fmt.Sprintf("%s: %s", c.Trial.Name, r.Failure))
					break
				}
			}
		}
	}
	return words
}

// printTimes prints a line for each command, and a sentence for each comparison.
func printTimes(a *lab.Session, d *dataset.Dataset) {
	e := d.Experiments[0]
	real, _ := record.LookupMetric("time.real")
	memory, _ := record.LookupMetric("memory.peak")
	var times, peaks []dataset.Result
	for _, c := range e.Cells {
		times, peaks = append(times, c.Metric(real.Name)), append(peaks, c.Metric(memory.Name))
	}
	timeColumn, peakColumn := wording.ColumnOf(real, times...), wording.ColumnOf(memory, peaks...)
	rows := [][]string{{"command", "time [95 %]", "CPUs", "memory", "n"}}
	for i, c := range e.Cells {
		memory := "–"
		if peaks[i].Missing == "" {
			memory = peakColumn.Quantity(peaks[i].Estimate.Centre, peakColumn.Decimals(wording.ReadingOf(peaks[i])))
		}
		words := wording.Estimate(times[i], timeColumn)
		if times[i].Missing != "" {
			words = without(times[i])
		}
		rows = append(rows, []string{clipped(c.Trial.Name), words, cpus(c), memory, fmt.Sprint(len(times[i].Values))})
	}
	terminal.PrintColumns(a.Stdout, "", rows)
	printVerdicts(a, d, real.Name)
}

// notValid stands in the place of a number that is not valid; why is said below.
const notValid = "not valid"

// without is what stands in the place of a number that is missing; empty if there is one.
func without(r dataset.Result) string {
	switch {
	case r.Missing == "":
		return ""
	case strings.HasPrefix(r.Missing, wording.InvalidReason):
		return notValid
	}
	return "failed"
}

// printVerdicts prints a sentence for each comparison, and the noise floor of a metric.
func printVerdicts(a *lab.Session, d *dataset.Dataset, metric string) {
	fmt.Fprintln(a.Stdout)
	for _, c := range d.Experiments[0].Cells {
		if r := c.Metric(metric); without(r) == notValid {
			paragraph(a, clipped(c.Trial.Name)+": "+r.Missing+".")
		}
	}
	for _, j := range claim.JudgeAll(d).Claims {
		if j.Verdict != stats.NotMeasured { // why was said
			paragraph(a, outcome.Of(d, j, outcome.Options{}).Sentence.Text())
		}
	}
	if words := floor(d.Experiments[0], metric); words != "" {
		paragraph(a, words)
	}
}

// paragraph prints a sentence on lines of 80 characters.
func paragraph(a *lab.Session, words string) {
	for _, line := range terminal.Wrap(words, 80) {
		fmt.Fprintln(a.Stdout, line)
	}
}

func clipped(name string) string {
	const most = 28
	if runes := []rune(name); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return name
}

// cpus returns how many CPUs a command kept busy.
func cpus(c *dataset.Cell) string {
	var all [3]float64
	for i, name := range []string{"time.real", "time.user", "time.sys"} {
		r := c.Metric(name)
		if r.Missing != "" {
			return "–"
		}
		all[i] = r.Estimate.Centre
	}
	if all[0] <= 0 {
		return "–"
	}
	return wording.Plain.Number((all[1]+all[2])/all[0], 1)
}

// floor says how far apart the first cell and its copy are.
func floor(e *dataset.Experiment, metric string) string {
	pair, missing := e.Pair(metric)
	if missing != "" {
		return ""
	}
	words := "Noise floor: the first measured a second time differs by " +
		wording.PercentUnit.Quantity(abs(pair.D), 1) + "."
	if pair.Biased {
		words += " The two can be told apart: something on this machine changes while it measures."
	}
	return words
}

func abs(x float64) float64 { return max(x, -x) }

// page writes the page of the article to a file.
func (n *notebook) page(a *lab.Session, file string) error {
	site := filepath.Join(n.Dir, pages.SiteDir)
	shown := pages.Options{Out: site, Single: true}
	if _, err := pages.Render(n.quiet(), n.project, n.list, shown, nil, false); err != nil {
		fmt.Fprint(a.Stderr, n.said.String())
		return err
	}
	data, err := os.ReadFile(filepath.Join(site, unnamed+".html"))
	if err == nil {
		err = os.WriteFile(file, data, 0o644)
	}
	if err != nil {
		return lab.Failure(fmt.Errorf("writing the page: %w", err))
	}
	fmt.Fprintf(a.Stdout, "the page is %s\n", file)
	return nil
}

// quiet is a session that prints nothing.
func (n *notebook) quiet() *lab.Session {
	return &lab.Session{Stdout: &n.said, Stderr: &n.said, Terminal: n.Terminal, Version: n.Version, Config: n.Config,
		Dir: n.Dir}
}
