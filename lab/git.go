package lab

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"benchbook/internal/files"
	"benchbook/internal/git"
	"benchbook/notebook/article"

	"benchbook/notebook/record"
	"benchbook/notebook/yamltext"
)

// RevisionOf says which revision of the repository an article is measured from, as record.FactRevision has it. Records
// are no part of it, nor what benchbook makes. Where there is no repository, no commit, or no git it says so: nobody
// needs one to measure.
func RevisionOf(ctx context.Context, project *article.Project, doc *article.Document) string {
	repository := git.New(ctx, project.Dir)
	revision, err := repository.Run("", "rev-parse", "--verify", "--short=12", "HEAD")
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return record.NoRevision + "git is not installed"
	case err != nil && strings.Contains(err.Error(), "not a git repository"):
		return record.NoRevision + "not in a git repository"
	case err != nil && strings.Contains(err.Error(), "dubious ownership"):
		return record.NoRevision + "the git repository is somebody else's"
	case err != nil:
		return record.NoRevision + "nothing is committed"
	}
	// Somebody's editor may be at work in the repository: nothing is locked or written, and no program of its
	// configuration started.
	args := append([]string{"-c", "core.fsmonitor=false", "status", "--porcelain", "--untracked-files=all"},
		inputPaths(project, doc)...)
	for _, made := range []string{"experiments/*/records/**", "*.records/**", "_site/**", ".benchbook/**"} {
		args = append(args, ":(top,exclude,glob)**/"+made)
	}
	if changes, err := repository.Run("", args...); err != nil || changes != "" {
		revision += "+changes"
	}
	return revision
}

// inputPaths are what git has to look at to know whether an article is as committed: its folder and the project file,
// or all of the repository where the article uses more than its folder. Files in that folder that git ignores may be
// used all the same, and are in no commit; elsewhere most of them are not.
func inputPaths(project *article.Project, doc *article.Document) []string {
	folder := project.ArticleDir(doc.Slug)
	if slices.ContainsFunc(doc.Experiments, func(e *article.ExperimentBlock) bool {
		return e.Node != nil && usesMore(e.Node)
	}) {
		return []string{"--", ":/"}
	}
	file := filepath.Join(project.Dir, article.ProjectFile)
	if project.File() == "" {
		return []string{"--ignored=traditional", "--", folder, file}
	}
	above, err := article.OpenProject(project.Dir)
	if err != nil {
		return []string{"--", folder}
	}
	if _, ok := files.Below(project.Repository(), above.Dir); !ok {
		return []string{"--", folder}
	}
	return []string{"--", folder, filepath.Join(above.Dir, article.ProjectFile)}
}

// usesMore says of what an experiment is written as that it names Compose files, or a path outside its folder.
func usesMore(n *yamltext.Node) bool {
	return strings.HasPrefix(n.Text.Value, "../") || n.Text.Value == ".." || slices.ContainsFunc(n.Items, usesMore) ||
		slices.ContainsFunc(n.Fields, func(f yamltext.Field) bool { return f.Key.Value == "compose" || usesMore(f.Value) })
}
