// Package lab does the work of the command's verbs: it selects, plans and checks articles, connects to engines,
// examines the machine, and cleans up. The packages below it measure, show, render and bundle.
//
// A Session is one use of the command. It prints to Stdout and Stderr. Errors carry the exit status: see WithStatus.
package lab

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/check"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/images"
	"benchbook/runner/machine"
)

// Select opens the project and reads the articles that the arguments name; without arguments, all articles.
func (a *Session) Select(args []string) (*article.Project, []*Article, error) {
	project, args, err := a.Open(args)
	if err != nil {
		return nil, nil, UsageError(err)
	}
	slugs, err := project.Slugs()
	if err != nil {
		return nil, nil, Failure(err)
	}
	var list []*Article
	if len(args) == 0 {
		list = slice.Map(slugs, func(slug string) *Article { return &Article{Slug: slug} })
		if len(list) == 0 {
			return nil, nil, UsageError(errors.New("the project has no articles: write one to experiments/NAME/article.md"))
		}
	}
	for _, arg := range args {
		name, experiment, _ := strings.Cut(arg, "#")
		slug := a.slugOf(project, name)
		if slug == "" {
			return nil, nil, UsageError(fmt.Errorf("no article %q: %s", name, source.Suggest(name, slugs)))
		}
		c, ok := slice.Find(list, func(c *Article) bool { return c.Slug == slug })
		if !ok {
			c = &Article{Slug: slug}
			list = append(list, c)
		}
		if experiment != "" {
			c.Experiments = append(c.Experiments, experiment)
		}
	}
	if err := Each(list, func(_ int, c *Article) error { return c.read(project) }); err != nil {
		return nil, nil, err
	}
	return project, list, nil
}

// read reads the article. It is an error if a selected experiment is missing.
func (c *Article) read(project *article.Project) (err error) {
	if c.Doc, err = ReadArticle(project, c.Slug); err != nil {
		return Failure(err)
	}
	known := slice.Map(c.Doc.Experiments, func(e *article.ExperimentBlock) string { return e.Name.Value })
	for _, name := range c.Experiments {
		if !slices.Contains(known, name) {
			return UsageError(fmt.Errorf("article %s has no experiment %q: %s", c.Slug, name, source.Suggest(name, known)))
		}
	}
	return nil
}

// Open opens the project in the session's folder, or makes a project of a Markdown file that is in none. It returns the
// arguments as names in that project.
func (a *Session) Open(args []string) (*article.Project, []string, error) {
	project, err := article.OpenProject(a.Dir)
	for _, arg := range args {
		file, experiment, ok := a.markdown(project, arg)
		if !ok {
			continue
		}
		if len(args) > 1 {
			return nil, nil, fmt.Errorf("%s is not an article of a project: name it alone", arg)
		}
		if project, err = article.OpenProjectFile(file); err != nil {
			return nil, nil, err
		}
		args, err = project.Slugs()
		if experiment != "" {
			args[0] += "#" + experiment
		}
		break
	}
	return project, args, err
}

// OpenSite is like Open, for verbs that render a whole site: the only argument can be a Markdown file.
func (a *Session) OpenSite(args []string) (*article.Project, error) {
	project, _, err := a.Open(args)
	if err == nil && len(args) > 0 && project.File() == "" {
		err = fmt.Errorf("unexpected argument %q: a project is rendered whole; leave it out, or name a Markdown file that "+
			"is not in a project", args[0])
	}
	if err != nil {
		return nil, UsageError(err)
	}
	return project, nil
}

// markdown returns the Markdown file and the experiment that arg names unless it is an article of project (may be nil).
func (a *Session) markdown(project *article.Project, arg string) (file, experiment string, ok bool) {
	file, experiment, _ = strings.Cut(arg, "#")
	file = a.Located(file)
	info, err := os.Stat(file)
	ok = filepath.Ext(file) == ".md" && err == nil && info.Mode().IsRegular() &&
		(project == nil || a.slugOf(project, file) == "")
	return file, experiment, ok
}

// At resolves the path of an output file relative to the folder of -C.
func (a *Session) At(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(a.Dir, name)
}

// Located resolves the path of an input file relative to the current folder, or to the folder of -C if it is not there.
func (a *Session) Located(name string) string {
	if _, err := os.Stat(name); err != nil && !filepath.IsAbs(name) {
		return filepath.Join(a.Dir, name)
	}
	return name
}

// Check plans and checks every article. It returns all problems, those of the project first.
func (a *Session) Check(project *article.Project, list []*Article, o plan.Options) ([]*source.Problem, error) {
	err := Each(list, func(_ int, c *Article) error {
		if err := c.Plan(project, o); err != nil {
			return err
		}
		c.Problems.Merge(&c.Doc.Problems)
		check.Check(c.Doc, c.Planned, &c.Problems)
		return nil
	})
	if err != nil {
		return nil, err
	}
	problems := project.Problems.Sorted()
	for _, c := range list {
		problems = append(problems, c.Problems.Sorted()...)
	}
	return problems, nil
}

// PrintJSON writes v as indented JSON.
func PrintJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return Failure(err)
	}
	return nil
}

// Words returns the writer for messages: standard error with --json, which keeps standard output pure JSON.
func (a *Session) Words() io.Writer {
	if a.JSON {
		return a.Stderr
	}
	return a.Stdout
}

// Print writes v as JSON with --json; otherwise it calls text.
func (a *Session) Print(v any, text func()) error {
	if a.JSON {
		return PrintJSON(a.Stdout, v)
	}
	text()
	return nil
}

// Records reads the records of an article. It prints and returns the files that it had to leave out.
func (a *Session) Records(project *article.Project, c *Article) (records []*record.Record, bad []record.Bad,
	err error) {
	records, bad, err = a.ReadRecords(project.RecordsDir(c.Slug))
	a.WarnBad(bad)
	return records, bad, err
}

// ReadRecords reads and checks a folder of records.
func (a *Session) ReadRecords(folder string) (records []*record.Record, bad []record.Bad, err error) {
	records, bad, err = record.Dir(folder).Read()
	if !a.Config.Scripted { // scripted records contradict themselves
		record.Check(records, time.Now())
	}
	return records, bad, err
}

// Lay returns the records of an article and the options for its dataset.
func (a *Session) Lay(project *article.Project, c *Article) (records []*record.Record,
	o dataset.Options, err error) {
	host, err := a.HostOf(project, c)
	if err != nil {
		return nil, o, err
	}
	o = DatasetOptions(project, c, host.ID)
	records, o.Bad, err = a.Records(project, c)
	return records, o, err
}

// WarnBad prints which files were left out, each once per session.
func (a *Session) WarnBad(bad []record.Bad) {
	a.warning.Lock()
	defer a.warning.Unlock()
	if a.warned == nil {
		a.warned = map[string]bool{}
	}
	for _, b := range bad {
		words := fmt.Sprintf("left out: %s: %s\n", b.Path, terminal.ErrorText(b.Err))
		if !a.warned[words] {
			a.warned[words] = true
			fmt.Fprint(a.Stderr, words)
		}
	}
}

// Here describes this machine, which is examined once per session.
func (a *Session) Here() (machine.Host, error) {
	if a.Config.Host != nil {
		return *a.Config.Host, nil
	}
	a.examining.Do(func() { a.host, a.hostError = machine.Here() })
	if a.hostError != nil {
		return a.host, Failure(a.hostError)
	}
	return a.host, nil
}

// HostOf returns the host that an article is measured on. For remote machines it is the host of the last connection, or
// UnknownHosts.
func (a *Session) HostOf(project *article.Project, c *Article) (machine.Host, error) {
	if address := a.Config.AddressOf(project); address != "" {
		if host, ok := machine.Cache(a.Config.Cache).Host(address); ok {
			return host, nil
		}
		return machine.Host{ID: UnknownHosts}, nil
	}
	this, err := a.Here()
	if err != nil || !project.EngineName().Can(spec.Nodes) || c.Planned == nil || !c.Planned.UsesHosts() {
		return this, err
	}
	known, ok := machine.Cache(a.Config.Cache).Hosts(this, AddressesOf(project, c.Planned.HostNames()))
	if !ok {
		return machine.Host{ID: UnknownHosts}, nil
	}
	return known, nil
}

// JoinErrors returns the error whose status takes precedence and prints the other one.
func (a *Session) JoinErrors(first, then error) error {
	kept := Worse(first, then)
	for _, err := range []error{first, then} {
		var s *StatusError
		if err != kept && errors.As(err, &s) && s.Err != nil {
			fmt.Fprintf(a.Stderr, "benchbook: %s\n", terminal.ErrorText(s.Err))
		}
	}
	return kept
}

// A Session is one use of the command: its folder, its output, and its engines.
type Session struct {
	Stdout, Stderr io.Writer
	Terminal       io.Writer // standard error for a progress bar
	Waits          io.Writer // for lines about waiting; nil means Stderr
	Version        string    // of benchbook
	Config         Config
	Dir            string
	JSON           bool        // with --json: Stdout is one JSON value
	CleansUp       atomic.Bool // after an interrupt, wait for the verb to clean up: see AwaitOnInterrupt

	examining sync.Once // sets host and hostError
	host      machine.Host
	hostError error

	warning sync.Mutex      // guards warned
	warned  map[string]bool // what WarnBad has printed
}

// AwaitOnInterrupt begins a section that cleans up after an interrupt; outside of one, an interrupt ends the command at
// once. The returned function ends the section, unless it was interrupted. Sections may be nested.
func (a *Session) AwaitOnInterrupt(ctx context.Context) func() {
	before := a.CleansUp.Swap(true)
	return func() {
		if ctx.Err() == nil {
			a.CleansUp.Store(before)
		}
	}
}

// Confirm asks the user a yes-or-no question; an interrupt ends the command at once. After a no the error is otherwise,
// which states the consequence. Without a terminal it also has the hint.
func (a *Session) Confirm(question, otherwise, hint string) error {
	yes, asked := false, false
	if a.Config.Ask != nil {
		before := a.CleansUp.Swap(false)
		defer a.CleansUp.Store(before)
		yes, asked = a.Config.Ask(question)
	}
	switch {
	case yes:
		return nil
	case asked:
		return Failure(errors.New(otherwise))
	}
	return UsageError(fmt.Errorf("%s: there is no terminal to ask on; %s", otherwise, hint))
}

// Lock locks a machine by a file on this one, so that only one run uses it at a time. It waits for another run; doing
// tells other runs what this one does.
func (a *Session) Lock(ctx context.Context, host machine.Host, doing string) (unlock func(), err error) {
	if a.Config.LockDir == "" {
		return func() {}, nil
	}
	return machine.Lock(ctx, host, a.Config.LockDir, doing, func(busy *engine.BusyError) { a.NoteWaiting(busy) })
}

// NoteWaiting prints that this run waits for another one.
func (a *Session) NoteWaiting(busy error) {
	fmt.Fprintf(cmp.Or(a.Waits, a.Stderr), "%v: waiting until it ends\n", busy)
}

// Plans checks articles and plans their chosen experiments. Problems are printed; the error names the consequence.
func (a *Session) Plans(project *article.Project, list []*Article, o plan.Options, consequence string) error {
	problems, err := a.Check(project, list, o)
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		PrintProblems(a.Stderr, problems)
		return Failure(fmt.Errorf("%s; %s", phrase.Count(len(problems), "problem"), consequence))
	}
	for _, c := range list {
		c.KeepExperiments(c.Planned)
	}
	return nil
}

// SelectPlanned calls Select and then Plans.
func (a *Session) SelectPlanned(args []string, o plan.Options, consequence string) (project *article.Project,
	list []*Article, err error) {
	if project, list, err = a.Select(args); err == nil {
		err = a.Plans(project, list, o, consequence)
	}
	return project, list, err
}

// Present returns the images and programs on the project's engine. It connects only when a record names an image.
func (a *Session) Present(project *article.Project) *images.Present {
	return &images.Present{Agent: a.Config.Agent, Connect: func(ctx context.Context) (engine.Engine, error) {
		return a.Config.EngineOf(ctx, project, nil)
	}}
}
