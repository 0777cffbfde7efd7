// Package lab does the work of the command's verbs: it selects the articles of a project, plans and checks them, knows
// the engines of this machine, examines the machine, and cleans up. The packages below it measure, show, render
// and bundle.
//
// A Session is one use of the command. It prints to its Stdout and Stderr. Errors carry the exit status: see WithStatus.
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

// Select opens the project and reads the articles that the arguments name.
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

// read reads the text of the article, which has to have the selected experiments.
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

// Open opens the project of the folder, or a project of one Markdown file that belongs to no project. It returns the
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

// OpenSite is Open for a verb that renders a whole site.
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

// markdown returns the Markdown file that an argument names, if it is not an article of the project, which may be nil.
func (a *Session) markdown(project *article.Project, arg string) (file, experiment string, ok bool) {
	file, experiment, _ = strings.Cut(arg, "#")
	file = a.Located(file)
	info, err := os.Stat(file)
	ok = filepath.Ext(file) == ".md" && err == nil && info.Mode().IsRegular() &&
		(project == nil || a.slugOf(project, file) == "")
	return file, experiment, ok
}

// At returns a path that the user names for something that is written: it is seen from the folder that -C names.
func (a *Session) At(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(a.Dir, name)
}

// Located returns a path that exists, as seen from the current folder, or else from the folder that -C names.
func (a *Session) Located(name string) string {
	if _, err := os.Stat(name); err != nil && !filepath.IsAbs(name) {
		return filepath.Join(a.Dir, name)
	}
	return name
}

// Check plans every article, and returns all problems, the project's first.
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

// PrintJSON writes data for other programs.
func PrintJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return Failure(err)
	}
	return nil
}

// Words is where sentences go: with --json standard output has JSON only.
func (a *Session) Words() io.Writer {
	if a.JSON {
		return a.Stderr
	}
	return a.Stdout
}

// Print writes v as JSON with --json, and otherwise calls text.
func (a *Session) Print(v any, text func()) error {
	if a.JSON {
		return PrintJSON(a.Stdout, v)
	}
	text()
	return nil
}

// Records reads the records of an article. Bad files are printed and returned separately.
func (a *Session) Records(project *article.Project, c *Article) (records []*record.Record, bad []record.Bad,
	err error) {
	records, bad, err = a.ReadRecords(project.RecordsDir(c.Slug))
	a.WarnBad(bad)
	return records, bad, err
}

// ReadRecords reads and checks a folder of records.
func (a *Session) ReadRecords(folder string) (records []*record.Record, bad []record.Bad, err error) {
	records, bad, err = record.Dir(folder).Read()
	if !a.Config.Scripted { // made-up records contradict themselves
		record.Check(records, time.Now())
	}
	return records, bad, err
}

// Lay reads the records of an article, and returns them with the options of its dataset.
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

// WarnBad prints bad files, each once.
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

// Here returns this machine, which is examined once.
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

// HostOf returns the host of a planned article's results: this machine, or others as of the last connection.
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

// JoinErrors returns the error whose status takes precedence, and prints the other one.
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
	Waits          io.Writer // for lines about waiting; nil for Stderr
	Version        string    // of benchbook
	Config         Config
	Dir            string
	JSON           bool        // with --json: Stdout is one JSON value
	CleansUp       atomic.Bool // an interrupt lets the verb clean up, see AwaitOnInterrupt

	examining sync.Once // sets host and hostError
	host      machine.Host
	hostError error

	warning sync.Mutex      // guards warned
	warned  map[string]bool // what WarnBad has printed
}

// AwaitOnInterrupt begins a part of a verb that cleans up after an interrupt; other parts are ended at once. The returned
// function ends the part, unless there was an interrupt: then the verb runs to its end. Parts may be nested.
func (a *Session) AwaitOnInterrupt(ctx context.Context) func() {
	before := a.CleansUp.Swap(true)
	return func() {
		if ctx.Err() == nil {
			a.CleansUp.Store(before)
		}
	}
}

// Confirm asks the user. The error names the consequence of a no, with a hint where there is no terminal to ask on.
// Meanwhile an interrupt ends the command at once.
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

// Lock locks a machine by a file of this one, so that no two runs use it at the same time: a second one waits. doing
// describes this run to the second one.
func (a *Session) Lock(ctx context.Context, host machine.Host, doing string) (unlock func(), err error) {
	if a.Config.LockDir == "" {
		return func() {}, nil
	}
	return machine.Lock(ctx, host, a.Config.LockDir, doing, func(busy *engine.BusyError) { a.NoteWaiting(busy) })
}

// NoteWaiting prints which run this one waits for.
func (a *Session) NoteWaiting(busy error) {
	fmt.Fprintf(cmp.Or(a.Waits, a.Stderr), "%v: waiting until it ends\n", busy)
}

// Plans plans the chosen experiments of articles. Problems are printed, with an error that names the consequence.
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

// SelectPlanned is Select and then Plans.
func (a *Session) SelectPlanned(args []string, o plan.Options, consequence string) (project *article.Project,
	list []*Article, err error) {
	if project, list, err = a.Select(args); err == nil {
		err = a.Plans(project, list, o, consequence)
	}
	return project, list, err
}

// Present returns the images and programs on the engine of a project. It connects when a record names one.
func (a *Session) Present(project *article.Project) *images.Present {
	return &images.Present{Agent: a.Config.Agent, Connect: func(ctx context.Context) (engine.Engine, error) {
		return a.Config.EngineOf(ctx, project, nil)
	}}
}
