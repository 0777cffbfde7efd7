package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/source"
	"benchbook/site"
)

// A chosen is an article that a verb is about.
type chosen struct {
	slug        string
	experiments []string // names after #; all if empty
	doc         *article.Document
	problems    source.Problems
	planned     *plan.Plan // in full, where that need not be planned anew
}

// each does something with each of the articles, as many at a time as there are cores. The error is that of the first that has one.
func each(list []*chosen, do func(*chosen) error) error {
	failed := make([]error, len(list))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, c := range list {
		group.Go(func() error {
			failed[i] = do(c)
			return nil
		})
	}
	_ = group.Wait() // errors are in failed, in the order of the articles
	return cmp.Or(failed...)
}

// choose opens the project and reads the articles that the arguments name.
func (a *session) choose(args []string) (*article.Project, []*chosen, error) {
	project, err := article.OpenProject(a.dir)
	if err != nil {
		return nil, nil, usageError(err)
	}
	slugs, err := project.Slugs()
	if err != nil {
		return nil, nil, failure(err)
	}
	var list []*chosen
	if len(args) == 0 {
		for _, slug := range slugs {
			list = append(list, &chosen{slug: slug})
		}
		if len(list) == 0 {
			return nil, nil, usageError(errors.New("the project has no articles: write one to experiments/NAME/article.md"))
		}
	}
	for _, arg := range args {
		name, experiment, _ := strings.Cut(arg, "#")
		slug, ok := slugOf(project, slugs, name)
		if !ok && !filepath.IsAbs(name) {
			slug, ok = slugOf(project, slugs, filepath.Join(a.dir, name)) // as in the folder that -C names
		}
		if !ok {
			return nil, nil, usageError(fmt.Errorf("no article %q: %s", name, source.Suggest(name, slugs)))
		}
		i := slices.IndexFunc(list, func(c *chosen) bool { return c.slug == slug })
		if i < 0 {
			i = len(list)
			list = append(list, &chosen{slug: slug})
		}
		if experiment != "" {
			list[i].experiments = append(list[i].experiments, experiment)
		}
	}
	err = each(list, func(c *chosen) (err error) {
		c.doc, err = readArticle(project, c.slug)
		return err
	})
	if err != nil {
		return nil, nil, failure(err)
	}
	for _, c := range list {
		for _, name := range c.experiments {
			if err := c.hasExperiment(name); err != nil {
				return nil, nil, usageError(err)
			}
		}
	}
	return project, list, nil
}

// readArticle reads an article of the project. That the site could not show it is a problem before it is measured, not after.
func readArticle(project *article.Project, slug string) (*article.Document, error) {
	doc, err := project.Article(slug)
	if err != nil {
		return nil, err
	}
	if err := site.CheckSlug(slug, !project.Docs.IsZero()); err != nil {
		doc.Problems.Add("bad-name", source.Pos{Source: doc.Source}, "%v", err).Hint = "rename the folder of the article"
	}
	return doc, nil
}

func (c *chosen) hasExperiment(name string) error {
	var known []string
	for _, e := range c.doc.Experiments {
		if e.Name.Value == name {
			return nil
		}
		known = append(known, e.Name.Value)
	}
	return fmt.Errorf("article %s has no experiment %q: %s", c.slug, name, source.Suggest(name, known))
}

// slugOf finds the article that a slug, a folder or a file means.
func slugOf(project *article.Project, slugs []string, name string) (string, bool) {
	if slices.Contains(slugs, name) {
		return name, true
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return "", false
	}
	if filepath.Base(path) == article.FileName {
		path = filepath.Dir(path)
	}
	for _, slug := range slugs {
		a, errA := os.Stat(path)
		b, errB := os.Stat(project.ArticleDir(slug))
		if errA == nil && errB == nil && os.SameFile(a, b) {
			return slug, true
		}
	}
	return "", false
}

// plan plans an article under a profile and checks all that can be known without running it.
func (c *chosen) plan(project *article.Project, o plan.Options) (*plan.Plan, error) {
	p, err := plan.New(project, c.doc, o, &c.problems)
	if err != nil {
		return nil, usageError(err)
	}
	return p, nil
}

// check plans every article and gathers all problems, the project's own first.
func (a *session) check(project *article.Project, list []*chosen, o plan.Options) (plans map[string]*plan.Plan, problems []*source.Problem, err error) {
	var mu sync.Mutex
	plans = map[string]*plan.Plan{}
	err = each(list, func(c *chosen) error {
		p, err := c.plan(project, o)
		if err != nil {
			return err
		}
		c.problems.Merge(&c.doc.Problems)
		dataset.Check(c.doc, p, &c.problems)
		mu.Lock()
		defer mu.Unlock()
		plans[c.slug] = p
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	problems = project.Problems.Sorted()
	for _, c := range list {
		problems = append(problems, c.problems.Sorted()...)
	}
	return plans, problems, nil
}

// printProblems writes problems for people, each followed by an empty line.
func printProblems(w io.Writer, problems []*source.Problem) {
	for _, p := range problems {
		fmt.Fprintln(w, p)
	}
}

func slugsOf(list []*chosen) []string {
	var slugs []string
	for _, c := range list {
		slugs = append(slugs, c.slug)
	}
	return slugs
}

// problemJSON is a problem as data.
type problemJSON struct {
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	Severity string `json:"severity"` // error or warning
	Rule     string `json:"rule"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
}

func problemsJSON(problems []*source.Problem) []problemJSON {
	out := []problemJSON{}
	for _, p := range problems {
		j := problemJSON{Severity: p.Severity.String(), Rule: p.Rule, Message: p.Message, Hint: p.Hint}
		if p.Pos.Source != nil {
			j.File = p.Pos.Source.Path
			j.Line, j.Column = p.Pos.Source.Position(p.Pos.Start)
		}
		out = append(out, j)
	}
	return out
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return failure(err)
	}
	return nil
}
