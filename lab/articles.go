package lab

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/source"
	"benchbook/site"
)

// An Article is an article that a verb works on.
type Article struct {
	Slug        string
	Experiments []string // names after #; all if empty
	Doc         *article.Document
	Problems    source.Problems
	Planned     *plan.Plan // from the last call of Plan
}

// Each calls do for every item and its index, in parallel. It returns the first error in the order of the list.
func Each[T any](list []T, do func(int, T) error) error {
	failed := make([]error, len(list))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, item := range list {
		group.Go(func() error {
			failed[i] = do(i, item)
			return nil
		})
	}
	_ = group.Wait() // errors are in failed, in the order of the items
	return cmp.Or(failed...)
}

// ReadArticle reads an article of the project. A slug that the site cannot show is a problem of the article.
func ReadArticle(project *article.Project, slug string) (*article.Document, error) {
	doc, err := project.Article(slug)
	if err != nil {
		return nil, err
	}
	if err := site.CheckSlug(slug); err != nil {
		doc.Problems.Add("bad-name", source.Pos{Source: doc.Source}, "%v", err).Hint = "rename the folder of the article"
	}
	return doc, nil
}

// slugOf returns the slug of the article that name, a slug, folder or file, refers to; empty if no article matches.
func (a *Session) slugOf(project *article.Project, name string) string {
	slugs, _ := project.Slugs() // their problems are printed when they are read
	if slices.Contains(slugs, name) {
		return name
	}
	path := a.Located(name)
	if filepath.Base(path) == article.FileName {
		path = filepath.Dir(path)
	}
	named, _ := os.Stat(path)
	slug, _ := slice.Find(slugs, func(slug string) bool {
		folder, _ := os.Stat(project.ArticleDir(slug))
		return os.SameFile(named, folder) // false without one of them
	})
	return slug
}

// IsArticle reports whether an argument names an article rather than a revision. A name that is both counts as the
// article; refs/heads/NAME is the branch.
func (a *Session) IsArticle(project *article.Project, arg string) bool {
	name, _, _ := strings.Cut(arg, "#")
	return filepath.Ext(name) == ".md" || a.slugOf(project, name) != ""
}

// Plan plans all experiments of an article.
func (c *Article) Plan(project *article.Project, o plan.Options) (err error) {
	if c.Planned, err = plan.New(project, c.Doc, o, &c.Problems); err != nil {
		return UsageError(err)
	}
	return nil
}

// PrintProblems writes problems as text, each followed by an empty line.
func PrintProblems(w io.Writer, problems []*source.Problem) {
	for _, p := range problems {
		fmt.Fprintln(w, p)
	}
}

// SlugsOf returns the slugs of articles.
func SlugsOf(list []*Article) []string {
	return slice.Map(list, func(c *Article) string { return c.Slug })
}

// Wants reports whether an experiment of the article is selected.
func (c *Article) Wants(experiment string) bool {
	return len(c.Experiments) == 0 || slices.Contains(c.Experiments, experiment)
}

// KeepExperiments removes experiments that are not selected from p.Experiments. They stay in p.All.
func (c *Article) KeepExperiments(p *plan.Plan) {
	p.Experiments = slices.DeleteFunc(p.Experiments, func(e *plan.Experiment) bool { return !c.Wants(e.Name) })
}
