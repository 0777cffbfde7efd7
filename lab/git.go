package lab

import (
	"context"
	"errors"
	"os/exec"
	"strings"

	"benchbook/internal/files"
	"benchbook/notebook/article"
	"benchbook/notebook/record"
)

// RevisionOf returns the project's git revision for record.FactRevision. It ends in "+changes" if the repository has
// uncommitted changes other than records and generated files. Without a revision, the text says why.
func RevisionOf(ctx context.Context, project *article.Project) string {
	repository := files.Git(ctx, project.Dir)
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
	// The command takes no locks, writes nothing, and runs no filters of the repository.
	args := []string{"status", "--porcelain", "--untracked-files=all", "--", ":/"}
	for _, made := range []string{"experiments/*/records/**", "*.records/**", "_site/**", ".benchbook/**"} {
		args = append(args, ":(top,exclude,glob)**/"+made)
	}
	if changes, err := repository.WithoutFilters().Run("", args...); err != nil || changes != "" {
		revision += "+changes"
	}
	return revision
}
