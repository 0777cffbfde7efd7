package pages

import (
	"fmt"
	"path/filepath"

	"benchbook/lab"
	"benchbook/notebook/projects"
	"benchbook/notebook/source"
	"benchbook/render"
	"benchbook/site/theme"
)

// DocsProblems are what is wrong with the pages that the project has beside its articles.
func DocsProblems(project *projects.Project) []*source.Problem {
	var problems source.Problems
	project.ReadDocs(&problems)
	return problems.Sorted()
}

// renderDocs renders the pages that the project has beside its articles. Those that cannot be read are left out, and links that lead to nothing
// are text; that is what the problems say.
func renderDocs(a *lab.Session, project *projects.Project, look *theme.Theme, articles []string) ([]*render.DocsPage, []*source.Problem, error) {
	var problems source.Problems
	docs := project.ReadDocs(&problems)
	if docs == nil {
		return nil, problems.Sorted(), nil
	}
	renderer, err := render.New(look)
	if err != nil {
		return nil, nil, themeError(a, look, err)
	}
	pages, err := renderer.Docs(docs, render.Options{Articles: articles})
	if err != nil {
		return nil, nil, themeError(a, look, err)
	}
	for _, p := range pages {
		for _, w := range p.Warnings {
			fmt.Fprintln(a.Stderr, w)
		}
	}
	return pages, problems.Sorted(), nil
}

// DocsDir is the folder in which a project has pages beside its articles; empty if it has none.
func DocsDir(project *projects.Project) string {
	if project.Docs.Value == "" {
		return ""
	}
	return filepath.Join(project.Dir, filepath.FromSlash(project.Docs.Value))
}
