package lab

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/projects"
	"benchbook/notebook/record"
)

// RevisionOf says which revision of the repository an article is measured from, as record.FactRevision has it. Records
// in the folder of the article are no part of it. Where there is no repository, no commit, or no git it says so: nobody
// needs one to measure.
func RevisionOf(ctx context.Context, project *projects.Project, slug string) string {
	commit, err := Git(ctx, project.Dir, nil, "rev-parse", "--verify", "--short=12", "HEAD")
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
	// configuration started. Files that git ignores may be used all the same, and are in no commit.
	folder, err := filepath.Rel(project.Dir, project.ArticleDir(slug))
	if err != nil {
		return record.NoRevision + "its folder is not in the project"
	}
	records := filepath.Base(project.RecordsDir(slug))
	folder = filepath.ToSlash(folder)
	changed, err := Git(ctx, project.Dir, nil, "--no-optional-locks", "-c", "core.fsmonitor=false", "status",
		"--porcelain", "--untracked-files=all", "--ignored=matching", "--",
		folder, article.ProjectFile, ":(exclude)"+folder+"/"+records)
	revision := strings.TrimSpace(string(commit))
	if err != nil || len(bytes.TrimSpace(changed)) > 0 {
		revision += "+changes"
	}
	return revision
}

// Git runs git in a folder.
func Git(ctx context.Context, dir string, stdin io.Reader, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Stdin = dir, stdin
	out, err := cmd.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok && len(failed.Stderr) > 0 {
		err = errors.New(strings.TrimSpace(string(failed.Stderr)))
	}
	return out, err
}
