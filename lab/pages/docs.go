package pages

import (
	"fmt"
	"path/filepath"
	"slices"

	"benchbook/lab"
	"benchbook/notebook/projects"
	"benchbook/notebook/source"
	"benchbook/render"
	"benchbook/site/theme"
)

// Problems are what is wrong with the files that the project has for the theme, and with the pages beside its articles.
func Problems(project *projects.Project) []*source.Problem {
	var look, docs source.Problems
	theme.OfProject(project, &look)
	project.ReadDocs(&docs)
	return append(look.Sorted(), docs.Sorted()...)
}

// renderDocs renders the pages that the project has beside its articles. Those that cannot be read are left out, and
// links that lead to nothing are text; that is what the problems say.
func renderDocs(a *lab.Session, project *projects.Project, look *theme.Theme, articles []string) ([]*render.DocsPage,
	[]*source.Problem, error) {
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

// docsDir is the folder in which a project has pages beside its articles; empty if it has none.
func docsDir(project *projects.Project) string { return folderOf(project, project.Docs.Value) }

// themeDir is the folder in which a project has files for the theme; empty if it has none.
func themeDir(project *projects.Project) string { return folderOf(project, project.Theme.Value) }

func folderOf(project *projects.Project, name string) string {
	if name == "" {
		return ""
	}
	return filepath.Join(project.Dir, filepath.FromSlash(name))
}

// Roots are the folders of which a change changes the site.
func Roots(project *projects.Project) []string {
	if file := project.File(); file != "" {
		return []string{project.RecordsDir("")}
	}
	roots := []string{filepath.Join(project.Dir, ArticlesDir), themeDir(project), docsDir(project),
		project.RecordsIn}
	return slices.DeleteFunc(roots, func(folder string) bool { return folder == "" })
}
