package measure

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"gonum.org/v1/gonum/stat"

	"benchbook/internal/files"
	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/lab/pages"
	"benchbook/lab/show"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/render/wording"
	"benchbook/runner/observe"
)

// OneLineOptions select the output of Time and Requests.
type OneLineOptions struct {
	Quiet   bool   // no progress bar
	HTML    string // file for the page; may be empty
	Export  string // file for the times, in the format of hyperfine; may be empty
	Against string // file of an earlier result to compare with; may be empty
	Command string // the user's command line, for the page
}

// oneLine is an experiment given on the command line. It is measured as an article in a temporary project, in which
// each value of one axis is compared with the first.
type oneLine struct {
	name    string            // of the experiment
	axis    string            // of the matrix
	key     string            // of the values in rows of the matrix
	written []string          // values as the user wrote them
	values  []string          // values as the experiment uses them
	keys    string            // YAML of the experiment except its matrix, see add
	metric  string            // that is compared
	secrets map[string]string // values of secrets, by file next to the article
	words   comparison
	hosts   []string // remote hosts that the user named, which allows load on them
	table   []column
}

// A column is a column of the table. If words is set, the terminal shows it instead of the metric.
type column struct {
	title, metric string // or metrics: "a, b"
	words         func(*dataset.Cell) string
}

const slugOfOneLine = "one-line"

// add adds a line of YAML to the keys of the experiment if it is wanted.
func (o *oneLine) add(wanted bool, format string, args ...any) {
	if wanted {
		o.keys += fmt.Sprintf(format+"\n", args...)
	}
}

// quoted returns text as YAML on one line.
func quoted(text string) string {
	data, _ := json.Marshal(text) // a string has no errors
	return string(data)
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + "s" }

// uniqueName returns text on one line, with a number if it is taken, and adds it to taken.
func uniqueName(text string, taken map[string]bool) string {
	isSpace := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
	text = strings.Join(strings.FieldsFunc(text, isSpace), " ")
	name := text
	for n := 2; taken[name]; n++ {
		name = fmt.Sprintf("%s (%d)", text, n)
	}
	taken[name] = true
	return name
}

// articleText is filled with the title, date, further front matter, answer, name of the experiment, axis, rows, further
// keys, claims, metric, axis, axis and columns.
const articleText = `---
title: %s
date: %s
%s---

%s` + "```yaml experiment" + `
name: %s
matrix:
  %s:
%s%s` + "```" + `
%s
` + "```yaml figure" + `
label: fig-results
kind: dots
x: %s
y: %s
headline: true
title: What was measured
` + "```" + `

` + "```yaml table" + `
label: tbl-results
rows: [%s]
columns: [%s]
title: All that was measured
` + "```\n"

// claimText is filled with the number of a row and the metric. The run continues until the claim is decided.
const claimText = `
` + "```yaml claim" + `
name: first-%[1]d
expect: same(%[2]s{number="1"}, %[2]s{number="%[1]d"})
` + "```\n"

// article returns the text of the article: with claims for measuring, or, if answer is not nil, with the answer.
func (o *oneLine) article(today time.Time, answer []string) string {
	taken := map[string]bool{}
	var names []string
	var rows, claims strings.Builder
	for i, written := range o.written {
		names = append(names, uniqueName(written, taken))
		fmt.Fprintf(&rows, "    - {name: %s, number: \"%d\", %s: %s}\n", quoted(names[i]), i+1, o.key, quoted(o.values[i]))
		if i > 0 && answer == nil {
			fmt.Fprintf(&claims, claimText, i+1, o.metric)
		}
	}
	front, head := "", ""
	if len(answer) > 0 {
		if finding := escaped(answer[0]); utf8.RuneCountInString(finding) <= longestFinding {
			front = "finding: " + quoted(finding) + "\n"
		}
		head = "::: answer\n" + strings.Join(slice.Map(answer, escaped), "\n\n") + "\n:::\n\n"
	}
	return fmt.Sprintf(articleText, quoted(strings.Join(names, " against ")), today.Format(time.DateOnly), front, head, o.name,
		o.axis, &rows, o.keys, &claims, o.metric, o.axis, o.axis,
		strings.Join(slice.Map(o.table, func(c column) string { return c.metric }), ", "))
}

// longestFinding is the largest length of an article's finding, in characters.
const longestFinding = 140

// forMarkdown matches ASCII punctuation, which Markdown may interpret.
var forMarkdown = regexp.MustCompile("[!-/:-@[-`{-~]")

func escaped(text string) string { return forMarkdown.ReplaceAllString(text, `\$0`) }

// project returns the text of the project file. It allows load on the hosts that the user named.
func (o *oneLine) project() string {
	text := "title: One-line benchmarks\nengine: local\n"
	if len(o.hosts) > 0 {
		list, _ := json.Marshal(o.hosts) // strings have no errors
		text += fmt.Sprintf("allow: {targets: %s}\n", list)
	}
	return text
}

// measure measures the experiment, and prints the results and a sentence for each comparison.
func (o *oneLine) measure(ctx context.Context, a *lab.Session, to OneLineOptions) error {
	before, err := o.savedBefore(to.Against)
	if err != nil {
		return err
	}
	defer a.AwaitOnInterrupt(ctx)() // the folder must be removed: it may hold a password
	folder, err := os.MkdirTemp("", "benchbook-one-line-")
	if err != nil {
		return lab.Failure(err)
	}
	defer os.RemoveAll(folder)
	n, err := o.open(a, folder)
	if err != nil {
		return err
	}
	d, err := n.measure(ctx, a, to.Quiet)
	var answer []string
	if d != nil {
		answer = o.answer(d)
		if before != nil {
			answer = append(answer, o.against(d, before)...)
		}
		printed := a.Print([]*show.Article{show.Full(n.list[0], d)}, func() {
			o.printTable(a, d.Experiments[0])
			printAnswer(a, d, o.metric, answer)
		})
		err = a.JoinErrors(err, printed)
	}
	write := func(file string, do func() error) {
		switch {
		case file == "":
		case d == nil || n.failed:
			fmt.Fprintf(a.Stderr, "%s was not written\n", file)
		default:
			err = a.JoinErrors(err, do())
		}
	}
	write(to.Export, func() error { return exportTimes(a, d, to.Export) })
	write(to.HTML, func() error { return n.page(a, to.HTML, o.article(time.Now(), answer), to.Command) })
	return err
}

// notebook is a temporary project. Output of its session is shown only after an error.
type notebook struct {
	*lab.Session
	said    bytes.Buffer
	failed  bool // a repetition failed
	project *article.Project
	list    []*lab.Article
}

// open writes the temporary project and reads its article.
func (o *oneLine) open(a *lab.Session, folder string) (*notebook, error) {
	n := &notebook{}
	n.Session = &lab.Session{Stdout: &n.said, Stderr: &n.said, Terminal: a.Terminal, Waits: a.Stderr, Version: a.Version,
		Config: a.Config, Dir: folder}
	if a.Config.Processes != nil {
		n.Config.Engines = []lab.Engine{{Name: spec.Local, Connect: a.Config.Processes}}
	}
	err := errors.Join(files.Write(filepath.Join(folder, article.ProjectFile), []byte(o.project())),
		files.Write(filepath.Join(folder, pages.ArticlesDir, slugOfOneLine, article.FileName), []byte(o.article(time.Now(), nil))))
	for name, value := range o.secrets {
		err = errors.Join(err, files.Write(filepath.Join(folder, pages.ArticlesDir, slugOfOneLine, name), []byte(value)))
	}
	if err != nil {
		return nil, lab.Failure(err)
	}
	n.project, n.list, err = n.Select(nil)
	return n, err
}

// measure runs the article and prints which cells failed. The dataset is nil if the run did not finish.
func (n *notebook) measure(ctx context.Context, a *lab.Session, quiet bool) (*dataset.Dataset, error) {
	defer a.AwaitOnInterrupt(ctx)()
	err := Run(ctx, n.Session, n.project, n.list, Options{Profile: plan.Full, Quiet: quiet, Asking: Own})
	if s, ok := errors.AsType[*lab.StatusError](err); ok && s.Status == lab.StatusInterrupted {
		return nil, lab.WithStatus(s.Status, errors.New("interrupted; nothing was kept"))
	}
	d, readErr := show.ShownDataset(n.Session, n.project, n.list[0])
	if readErr != nil {
		return nil, lab.Failure(readErr)
	}
	for _, c := range d.Experiments[0].Cells {
		for _, r := range c.Records {
			if r.Failure != "" {
				n.failed = true
				fmt.Fprintf(a.Stderr, "benchbook: %s: %s\n", c.Trial.Name, r.Failure)
				break
			}
		}
	}
	if _, only := errors.AsType[*FailedError](err); only {
		return d, lab.Failure(nil)
	}
	if err != nil {
		fmt.Fprint(a.Stderr, n.said.String())
		return nil, err
	}
	return d, nil
}

// page replaces the article by text and writes its page to a file.
func (n *notebook) page(a *lab.Session, file, text, command string) error {
	err := files.Write(filepath.Join(n.Dir, pages.ArticlesDir, slugOfOneLine, article.FileName), []byte(text))
	if err == nil {
		n.project, n.list, err = n.Select(nil)
	}
	if err != nil {
		return lab.Failure(fmt.Errorf("writing the page: %w", err))
	}
	site := filepath.Join(n.Dir, pages.SiteDir)
	if _, err := pages.Render(n.Session, n.project, n.list, pages.Options{Out: site, Single: true, Command: command}, nil); err != nil {
		fmt.Fprint(a.Stderr, n.said.String())
		return err
	}
	data, err := os.ReadFile(filepath.Join(site, slugOfOneLine+".html"))
	if err == nil {
		err = os.WriteFile(file, data, 0o644)
	}
	if err != nil {
		return lab.Failure(fmt.Errorf("writing the page: %w", err))
	}
	fmt.Fprintf(a.Words(), "the page is %s\n", file)
	return nil
}

// printTable prints a row for each cell. The first metric has intervals, or a word where a number is missing. Other
// columns without any number are left out.
func (o *oneLine) printTable(a *lab.Session, e *dataset.Experiment) {
	names, counts := []string{o.axis}, []string{"n"}
	short := shortNames(e)
	for _, c := range e.Cells {
		count := fmt.Sprint(len(c.ValidValues(o.table[0].metric)))
		if all := fmt.Sprint(len(c.Records)); count != all {
			count += " of " + all
		}
		names, counts = append(names, short[c]), append(counts, count)
	}
	columns := [][]string{names}
	for i, column := range o.table {
		words := column.words
		if words == nil {
			words = numbersOf(e, column.metric, i == 0)
		}
		numbers := slice.Map(e.Cells, words)
		if i == 0 || slices.ContainsFunc(numbers, func(s string) bool { return s != noNumber }) {
			columns = append(columns, append([]string{column.title}, numbers...))
		}
	}
	columns = append(columns, counts)
	rows := make([][]string, len(names))
	for i := range rows {
		rows[i] = slice.Map(columns, func(column []string) string { return column[i] })
	}
	terminal.PrintColumns(a.Stdout, "", rows)
}

// noNumber stands for a number that was not measured.
const noNumber = "–"

// numbersOf returns a function that writes a metric of a cell. If there are too few valid repetitions, it writes their
// mean.
func numbersOf(e *dataset.Experiment, name string, isFirst bool) func(*dataset.Cell) string {
	m, _ := record.LookupMetric(name)
	layout := wording.ColumnOf(m, slice.Map(e.Cells, func(c *dataset.Cell) dataset.Result { return c.Metric(name) })...)
	return func(c *dataset.Cell) string {
		r, valid := c.Metric(name), c.ValidValues(name)
		switch {
		case r.Missing != "" && len(valid) > 0:
			mean := stat.Mean(valid, nil)
			return wording.UnitFor(m.Unit, m.Share, mean).Alone(mean)
		case r.Missing != "" && !isFirst:
			return cmp.Or(wording.Unsure(r), noNumber)
		case strings.HasPrefix(r.Missing, wording.InvalidReason):
			return strings.TrimSpace(wording.Unsure(r) + " not valid")
		case r.Missing != "":
			return strings.TrimSpace(wording.Unsure(r) + " failed")
		case isFirst:
			return wording.Estimate(r, layout)
		}
		return layout.Quantity(r.Estimate.Centre, layout.Decimals(wording.ReadingOf(r)))
	}
}

// printAnswer prints a sentence for each comparison, the noise floor of a metric, and what limited each load, wrapped
// to 80 characters.
func printAnswer(a *lab.Session, d *dataset.Dataset, metric string, answer []string) {
	e := d.Experiments[0]
	names := shortNames(e)
	paragraphs := []string{""}
	for _, c := range e.Cells {
		if r := c.Metric(metric); strings.HasPrefix(r.Missing, wording.InvalidReason) {
			paragraphs = append(paragraphs, names[c]+": "+r.Missing+".")
		}
	}
	paragraphs = append(append(paragraphs, othersOf(e)...), answer...)
	if pair, missing := e.Pair(metric); missing == "" {
		words := "Noise floor: the first measured a second time differs by " +
			wording.PercentUnit.Quantity(math.Abs(pair.D), 1) + "."
		if pair.Biased {
			words += " The two can be told apart: something on this machine changes while it measures."
		}
		paragraphs = append(paragraphs, words)
	}
	for _, c := range e.Cells {
		if words := wording.Limit(c.Validity().LimitedBy()); c.Trial.Load != nil && words != "" {
			paragraphs = append(paragraphs, names[c]+": limited by "+words+".")
		}
	}
	for _, words := range paragraphs {
		fmt.Fprintln(a.Stdout, strings.Join(terminal.Wrap(words, 80), "\n"))
	}
}

// othersOf says which other programs used the CPUs, if a record names some, and which process to end.
func othersOf(e *dataset.Experiment) []string {
	others := ""
	for _, c := range e.Cells {
		for _, r := range c.Records {
			others = cmp.Or(r.Facts[record.FactOthers], others)
		}
	}
	if others == "" {
		return nil
	}
	words := "Other programs used the CPUs meanwhile: " + others + "."
	if slices.ContainsFunc(e.Cells, isServedHere) {
		words = "Other programs, and a server on this machine, used the CPUs meanwhile: " + others + "."
	}
	if hog := observe.Hog(); hog != "" {
		words += " To measure undisturbed, " + hog + "."
	}
	return []string{terminal.Clean(words)}
}

// isServedHere reports whether the load of a cell goes to this machine, whose other programs include the server then.
func isServedHere(c *dataset.Cell) bool {
	return c.Trial.Load != nil && slices.ContainsFunc(c.Trial.Load.URLs(), func(target string) bool {
		u, err := url.Parse(target)
		return err == nil && article.IsLoopback(u.Hostname())
	})
}

// shortNames returns unique names of about 30 characters at most for the cells of an experiment.
func shortNames(e *dataset.Experiment) map[*dataset.Cell]string {
	names, taken := map[*dataset.Cell]string{}, map[string]bool{}
	for _, c := range e.Cells {
		names[c] = uniqueName(clipped(c.Trial.Name), taken)
	}
	return names
}

// clipped shortens a name to 28 characters.
func clipped(name string) string {
	const most = 28
	if runes := []rune(name); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return name
}
