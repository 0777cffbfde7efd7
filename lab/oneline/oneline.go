package oneline

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"benchbook/lab"
	"benchbook/lab/measure"
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
	"benchbook/runner/sysinfo"
)

// Options say what becomes of the article and its page.
type Options struct {
	Quiet bool   // no progress bar
	Save  string // file of the article; empty for none
	HTML  string // file of its page; empty for none
}

// unnamed is what an article is called that is not saved.
const unnamed = "one-line"

// A notebook is the project that is thrown away.
type notebook struct {
	*lab.Session
	said    bytes.Buffer // what a run says that nobody has to read if it goes well
	slug    string
	text    string // of the project file
	project *article.Project
	list    []*lab.Article
}

// Time measures commands, and prints how long each took and which are faster than the first.
func Time(ctx context.Context, a *lab.Session, c Commands, o Options) error {
	if err := c.check(); err != nil {
		return lab.UsageError(err)
	}
	return run(ctx, a, c.article(time.Now()), nil, o, printTimes)
}

// run measures an article in a project that is thrown away and allows load on the hosts, and prints what came of it.
func run(ctx context.Context, a *lab.Session, text string, hosts []string, o Options,
	print func(*lab.Session, *dataset.Dataset)) error {
	target, err := saveTo(o.Save, hosts)
	if err != nil {
		return lab.UsageError(err)
	}
	folder, err := os.MkdirTemp("", "benchbook-one-line-")
	if err != nil {
		return lab.Failure(err)
	}
	defer os.RemoveAll(folder)
	slug := unnamed
	if target != "" { // records have the name of their article
		slug = filepath.Base(filepath.Dir(target))
	}
	n, err := open(a, folder, slug, text, projectText(hosts))
	if err != nil {
		return err
	}
	d, err := n.measure(ctx, a, o)
	if d != nil {
		print(a, d)
	}
	if err != nil {
		for _, file := range []string{o.HTML, o.Save} {
			if file != "" {
				fmt.Fprintf(a.Stderr, "%s was not written\n", file)
			}
		}
		return err
	}
	if o.HTML != "" {
		err = n.page(a, o.HTML)
	}
	if target != "" {
		err = a.JoinErrors(err, n.save(a, target))
	}
	return err
}

// measure runs the article, and says which of its cells failed. Without a dataset there is nothing to print: the run
// has not ended.
func (n *notebook) measure(ctx context.Context, a *lab.Session, o Options) (*dataset.Dataset, error) {
	defer a.AwaitOnInterrupt(ctx)()
	err := measure.Run(ctx, n.Session, n.project, n.list, measure.Options{Profile: plan.Full, Quiet: o.Quiet})
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
	_, only := errors.AsType[*measure.FailedError](err)
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

// open makes the project.
func open(a *lab.Session, folder, slug, text, project string) (*notebook, error) {
	n := &notebook{slug: slug, text: project}
	n.Session = &lab.Session{Stdout: a.Stdout, Stderr: &n.said, Terminal: a.Terminal, Version: a.Version, Config: a.Config,
		Dir: folder}
	if a.Config.Processes != nil {
		n.Config.Engines = []lab.Engine{{Name: spec.Local, Connect: a.Config.Processes}}
	}
	at := filepath.Join(folder, pages.ArticlesDir, slug)
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
	this, err := sysinfo.ThisHost()
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
	for _, c := range e.Cells {
		if words := limit(c); words != "" {
			paragraph(a, clipped(c.Trial.Name)+": "+words+".")
		}
	}
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
	for _, j := range claim.Judgements(d) {
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

// busy is how many CPUs a command kept busy; false if that is not known.
func busy(c *dataset.Cell) (cores float64, ok bool) {
	var all [3]float64
	for i, name := range []string{"time.real", "time.user", "time.sys"} {
		r := c.Metric(name)
		if r.Missing != "" {
			return 0, false
		}
		all[i] = r.Estimate.Centre
	}
	return (all[1] + all[2]) / all[0], all[0] > 0
}

func cpus(c *dataset.Cell) string {
	cores, ok := busy(c)
	if !ok {
		return "–"
	}
	return wording.Plain.Number(cores, 1)
}

// limit says whether CPUs kept a command from being faster: its times tell no more.
func limit(c *dataset.Cell) string {
	const full = 0.85 // as docs/method.md#limiting-resource has it
	cores, ok := busy(c)
	all := runtime.NumCPU()
	if set, known := spec.ParseCPUSet(c.Trial.Command.CPUSet); known {
		all = len(set)
	}
	switch {
	case !ok:
		return ""
	case cores > full*float64(all):
		return fmt.Sprintf("limited by its %s", terminal.Count(all, "CPU"))
	}
	return fmt.Sprintf("kept %s of %s busy", wording.Plain.Number(cores, 1), terminal.Count(all, "CPU"))
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
	data, err := os.ReadFile(filepath.Join(site, n.slug+".html"))
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

// saveTo says where the article goes that is saved under a name: experiments/NAME/article.md of a project, which is
// made if there is none. What is there already is not replaced, and has to allow load on the hosts.
func saveTo(file string, hosts []string) (target string, err error) {
	if file == "" {
		return "", nil
	}
	if file, err = filepath.Abs(file); err != nil {
		return "", err
	}
	folder, base := filepath.Split(file)
	if base != article.FileName || filepath.Base(filepath.Dir(filepath.Clean(folder))) != pages.ArticlesDir {
		return "", fmt.Errorf("--save takes the file of an article in a project, such as %s/NAME/%s", pages.ArticlesDir,
			article.FileName)
	}
	if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s is there already: choose another name", file)
	}
	root := filepath.Dir(filepath.Dir(filepath.Clean(folder)))
	if project, err := article.OpenProject(existing(root)); err == nil {
		if project.Dir != root {
			return "", fmt.Errorf("the project of %s is in %s: save the article below its %s", file, project.Dir,
				pages.ArticlesDir)
		}
		if project.Engine.V != spec.Local {
			return "", fmt.Errorf("the project in %s has the engine %s, and commands of this machine are measured without: "+
				"save the article in another project", root, cmp.Or(project.Engine.V, spec.DefaultEngine))
		}
		for _, host := range hosts {
			if !project.AllowsTarget(host) {
				return "", fmt.Errorf("the project in %s does not allow load on %q: add it to allow: {targets: […]} of its %s",
					root, host, article.ProjectFile)
			}
		}
	}
	return file, nil
}

// existing is a folder, or the nearest one above it that is there.
func existing(folder string) string {
	for {
		if _, err := os.Stat(folder); err == nil || folder == filepath.Dir(folder) {
			return folder
		}
		folder = filepath.Dir(folder)
	}
}

// save copies the article and its records.
func (n *notebook) save(a *lab.Session, target string) error {
	folder := filepath.Dir(target)
	root := filepath.Dir(filepath.Dir(folder))
	err := os.MkdirAll(folder, 0o755)
	file := filepath.Join(root, article.ProjectFile)
	if _, missing := os.Lstat(file); err == nil && errors.Is(missing, fs.ErrNotExist) {
		err = os.WriteFile(file, []byte(n.text), 0o644)
	}
	if err == nil {
		err = os.CopyFS(folder, os.DirFS(n.project.ArticleDir(n.slug)))
	}
	if err != nil {
		return lab.Failure(fmt.Errorf("saving the article: %w", err))
	}
	fmt.Fprintf(a.Stdout, "the article is %s; benchbook -C %s render makes its page\n", terminal.Relative(target),
		terminal.Relative(root))
	return nil
}
