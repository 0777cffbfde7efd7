package measure

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"benchbook/internal/files"
	"benchbook/lab"
	"benchbook/lab/show"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/compare"
	"benchbook/notebook/plan"

	"benchbook/notebook/source"
)

// benchFolder is the folder of records of comparisons, in the hidden folder of the project. Each pair of revisions has a
// folder of its own in it, as both must be measured in one run.
const benchFolder = "bench"

// benchRepetitions measures every cell until it is decided whether the cell has changed.
const benchRepetitions = "up to 20"

// BenchOptions say what Bench compares, and how it is measured.
type BenchOptions struct {
	Options
	show.CompareOptions
	Dirty  bool // B is the working tree
	Format string
}

// A bench compares revisions of one project.
type bench struct {
	*lab.Session
	BenchOptions
	project  *article.Project
	articles []*lab.Article
	gate     *compare.Gate
	folder   string
	args     []string // arguments that are not read yet
}

// Bench measures both revisions, and prints what has changed. The arguments are A, B unless it is HEAD or not
// committed, and articles. The error has the status that FailOn asks for.
func Bench(ctx context.Context, a *lab.Session, args []string, o BenchOptions) (err error) {
	b := &bench{Session: a, BenchOptions: o, args: args}
	if b.gate, err = o.Gate(); err != nil {
		return err
	}
	if _, err = o.Slowdown(); err != nil {
		return err
	}
	if b.project, _, err = a.Open(nil); err != nil {
		return lab.UsageError(err)
	}
	base, head, err := b.revisions(ctx)
	if err != nil {
		return err
	}
	if err := b.open(); err != nil {
		return err
	}
	unseen, err := b.unseen(ctx, base, head)
	if err != nil {
		return err
	}
	c, err := b.compare(ctx, base, head)
	switch {
	case c != nil:
		for _, sentence := range unseen {
			fmt.Fprintf(b.Stderr, "warning: the same on both sides: %s\n", sentence)
		}
		if printed := c.Print(a, o.Format); printed != nil {
			return lab.Failure(printed)
		}
		return a.JoinErrors(err, cmp.Or(c.Judged(), c.Gated(a)))
	case err == nil:
		if len(unseen) > 0 {
			return lab.UsageError(fmt.Errorf("bench compares what build, configs and volumes take from the repository, and "+
				"cannot tell what %s and %s differ in: %s; add a build or configs, or measure each with benchbook run and compare "+
				"them", base.Name, head.Name, strings.Join(unseen, "; ")))
		}
		if b.Format == show.FormatJSON {
			same := b.pair(base, head).Comparison()
			same.Same = true
			return lab.PrintJSON(b.Stdout, same)
		}
		fmt.Fprintf(b.words(), "%s and %s are the same in all that is measured of %s\n", base.Name, head.Name,
			terminal.InSentence(lab.SlugsOf(b.articles)))
	}
	return err
}

// open reads the project and the articles that the arguments name.
func (b *bench) open() (err error) {
	if b.folder, err = lab.StateFolder(b.project.Dir, benchFolder); err != nil {
		return lab.Failure(err)
	}
	if b.project, b.articles, err = b.Select(b.args); err != nil {
		return err
	}
	b.ChooseEngine(b.project)
	return nil
}

// compare measures the missing repetitions of two revisions, and compares them. The comparison is nil if no cell differs. With an
// error, there may be a comparison of the cells that did not fail.
func (b *bench) compare(ctx context.Context, base, head plan.Revision) (*show.Comparison, error) {
	r := b.pair(base, head)
	if same, err := r.Same(); err != nil || same {
		return nil, err
	}
	for _, l := range b.articles { // of the plan of one revision
		l.Problems = source.Problems{}
	}
	// Another name makes other trials, of which half would count as measured.
	sum := sha256.Sum256([]byte(base.Name + "\x00" + head.Name))
	b.project.RecordsIn = b.recordsOf(fmt.Sprintf("%x", sum[:4]), base, head)
	o := b.Options
	r.SameBuilds = map[string]bool{}
	o.Same = func(l *lab.Article, e *plan.Experiment) {
		name := l.Slug + "#" + e.Name
		fmt.Fprintf(b.Stderr, "%s: the builds of %s and %s have the same results, so it is not measured\n", name, base.Name,
			head.Name)
		r.SameBuilds[name] = true
	}
	o.Revisions, o.Open, o.Repetitions = []plan.Revision{base, head}, r.Open, benchRepetitions
	fmt.Fprintf(b.Stderr, "A is %s (%.10s), B is %s (%.10s)\n", base.Name, base.Commit, head.Name, head.Commit)
	measured := Run(ctx, b.Session, b.project, b.articles, o)
	if s, ok := errors.AsType[*lab.StatusError](measured); measured != nil && (!ok || s.Status != lab.StatusFailed) {
		return nil, measured
	}
	c, err := r.Compare(b.Session)
	if c == nil && measured != nil {
		return nil, measured
	}
	return c, b.JoinErrors(measured, err)
}

// words is where sentences go: to standard error if data for programs goes to standard output.
func (b *bench) words() io.Writer {
	if b.Format == show.FormatJSON || b.Format == show.FormatCSV {
		return b.Stderr
	}
	return b.Stdout
}

func (b *bench) pair(base, head plan.Revision) *show.Revisions {
	return &show.Revisions{Project: b.project, Articles: b.articles, Profile: b.Profile, Repetitions: benchRepetitions,
		A: base, B: head, CompareOptions: b.CompareOptions, Gate: b.gate}
}

// workingTree is the name of the revision that is not committed.
const workingTree = "working tree"

// revisions reads both revisions from the arguments. Uncommitted work becomes a commit on no branch.
func (b *bench) revisions(ctx context.Context) (base, head plan.Revision, err error) {
	if base, err = b.revision(ctx, b.args[0]); err != nil {
		return base, head, err
	}
	b.args = b.args[1:]
	if b.Dirty {
		head.Name = workingTree
		if head.Commit, err = uncommitted(ctx, b.project.Dir, b.project.Repository()); err != nil {
			err = lab.Failure(fmt.Errorf("git cannot read what is not committed: %w", err))
		}
		return base, head, err
	}
	name := "HEAD"
	if len(b.args) > 0 && !b.isArticle(b.args[0]) {
		name, b.args = b.args[0], b.args[1:]
	}
	if head, err = b.revision(ctx, name); err == nil && head.Name == base.Name {
		err = lab.UsageError(fmt.Errorf("%s is on both sides: name two revisions, or add --dirty to compare it with what is "+
			"not committed", base.Name))
	}
	return base, head, err
}

func (b *bench) revision(ctx context.Context, name string) (plan.Revision, error) {
	commit, err := files.Git(ctx, b.project.Dir).Resolve(name)
	switch {
	case errors.Is(err, files.ErrNoRevision):
		err = lab.UsageError(fmt.Errorf("no revision %q in the git repository: name a tag, branch or commit", name))
	case err != nil:
		err = lab.UsageError(fmt.Errorf("no revision %q: git says: %s", name, files.Reason(err)))
	}
	return plan.Revision{Name: name, Commit: commit}, err
}

// isArticle reports whether an argument names an article rather than a revision. A slug that is a branch as well is
// an article; refs/heads/SLUG is the branch.
func (b *bench) isArticle(arg string) bool {
	slugs, _ := b.project.Slugs() // their problems are printed when they are read
	name, _, _ := strings.Cut(arg, "#")
	if slices.Contains(slugs, name) || filepath.Ext(name) == ".md" {
		return true
	}
	return slices.ContainsFunc([]string{name, filepath.Join(b.Dir, name)}, func(folder string) bool {
		_, err := os.Stat(filepath.Join(folder, article.FileName))
		return err == nil
	})
}

// uncommitted makes a commit of a working tree without ignored files: the same commit as long as nothing changes. Index,
// branches and files do not change; git removes the commit one day, as nothing refers to it.
func uncommitted(ctx context.Context, dir, root string) (string, error) {
	state, err := lab.StateFolder(dir, benchFolder) // git ignores this folder
	if err != nil {
		return "", err
	}
	folder, err := os.MkdirTemp(filepath.Dir(state), "index-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(folder)
	repository := files.Git(ctx, root, "GIT_INDEX_FILE="+filepath.Join(folder, "index"), "GIT_AUTHOR_NAME=benchbook",
		"GIT_AUTHOR_EMAIL=benchbook@localhost", "GIT_AUTHOR_DATE=@0 +0000", "GIT_COMMITTER_NAME=benchbook",
		"GIT_COMMITTER_EMAIL=benchbook@localhost", "GIT_COMMITTER_DATE=@0 +0000").WithoutFilters()
	if _, err = repository.Run("", "read-tree", "HEAD"); err == nil {
		_, err = repository.Run("", "add", "--all", ".")
	}
	if err != nil {
		return "", err
	}
	tree, err := repository.Run("", "write-tree")
	if err != nil {
		return "", err
	}
	return repository.Commit("HEAD", tree, "what is not committed")
}

// recordsOf is the folder of the records of revisions that are measured together.
func (b *bench) recordsOf(kind string, revisions ...plan.Revision) string {
	name := ""
	for _, r := range revisions {
		name += fmt.Sprintf("%.12s-", r.Commit)
	}
	return filepath.Join(b.folder, name+kind)
}
