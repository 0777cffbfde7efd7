package measure

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"benchbook/internal/files"
	"benchbook/internal/phrase"
	"benchbook/lab"
	"benchbook/lab/show"
	"benchbook/notebook/article"
	"benchbook/notebook/compare"
	"benchbook/notebook/plan"
)

// benchFolder holds the records of bench, in the project's hidden folder. Each pair of revisions has a folder of its
// own there, because both must be measured in one run.
const benchFolder = "bench"

// benchRepetitions is the number of repetitions, as in articles: a cell is measured until its change is decided.
const benchRepetitions = "up to 20"

// BenchOptions select what Bench compares and how it measures.
type BenchOptions struct {
	Options
	compare.ChangeOptions
	Dirty  bool // B is the working tree
	Format string
}

// A bench measures two revisions of a project.
type bench struct {
	show.Revisions
	session *lab.Session
	options BenchOptions
	args    []string // remaining arguments
}

// Bench measures two revisions and prints what has changed. args has A, then optionally B (HEAD by default; none if
// o.Dirty), then articles. The error has StatusGate if the condition of --fail-on is met.
func Bench(ctx context.Context, a *lab.Session, args []string, o BenchOptions) (err error) {
	b := &bench{session: a, options: o, args: args, Revisions: show.Revisions{Profile: o.Profile,
		Repetitions: benchRepetitions, ChangeOptions: o.ChangeOptions, SameBuilds: map[string]bool{}}}
	if b.Project, _, err = a.Open(nil); err != nil {
		return lab.UsageError(err)
	}
	if err = b.readRevisions(ctx); err != nil {
		return err
	}
	if b.Project, b.Articles, err = a.Select(b.args); err != nil {
		return err
	}
	o.ChooseEngine(b.Project)
	unseen, err := b.unseen(ctx)
	if err != nil {
		return err
	}
	c, err := b.measure(ctx)
	switch {
	case c != nil:
		for _, sentence := range unseen {
			fmt.Fprintf(a.Stderr, "warning: the same on both sides: %s\n", sentence)
		}
		if printed := c.Print(a, o.Format); printed != nil {
			return lab.Failure(printed)
		}
		return a.JoinErrors(err, cmp.Or(c.Judged(), c.Gated(a)))
	case err != nil:
		return err
	case len(unseen) > 0:
		return lab.UsageError(fmt.Errorf("bench compares what build, configs and volumes take from the repository, and "+
			"cannot tell what %s and %s differ in: %s; add a build or configs, or measure each with benchbook run and compare "+
			"them", b.A.Name, b.B.Name, strings.Join(unseen, "; ")))
	}
	same := b.Comparison()
	same.Same = true
	return a.Print(same, func() {
		w := a.Stdout
		if o.Format == show.FormatCSV { // keep standard output pure CSV
			w = a.Stderr
		}
		fmt.Fprintf(w, "%s and %s are the same in all that is measured of %s\n", b.A.Name, b.B.Name,
			phrase.List(lab.SlugsOf(b.Articles)))
		changes, err := files.Git(ctx, b.Project.Dir).WithoutFilters().Run("", "status", "--porcelain", "--untracked-files=no")
		if b.B.Name == head && err == nil && changes != "" {
			fmt.Fprintf(a.Stderr, "uncommitted changes do not count: benchbook bench %s --dirty measures them\n", b.A.Name)
		}
	})
}

// measure measures the missing repetitions of both revisions and compares them. The comparison is nil if nothing that
// is measured differs. With an error, it may cover the cells that did not fail.
func (b *bench) measure(ctx context.Context) (*show.Comparison, error) {
	if same, err := b.Same(); err != nil || same {
		return nil, err
	}
	state, err := stateFolder(b.Project.Dir)
	if err != nil {
		return nil, lab.Failure(err)
	}
	// Names are part of the trials, so the same commits under other names need another folder.
	sum := sha256.Sum256([]byte(b.A.Name + "\x00" + b.B.Name))
	b.Project.RecordsIn = filepath.Join(state, benchFolder, fmt.Sprintf("%.12s-%.12s-%x", b.A.Commit, b.B.Commit, sum[:4]))
	o := b.options.Options
	o.Same = func(l *lab.Article, e *plan.Experiment) {
		name := l.Slug + "#" + e.Name
		fmt.Fprintf(b.session.Stderr, "%s: the builds of %s and %s have the same results, so it is not measured\n", name,
			b.A.Name, b.B.Name)
		b.SameBuilds[name] = true
	}
	o.Revisions, o.Open, o.Repetitions = []plan.Revision{b.A, b.B}, b.Open, b.Repetitions
	if !o.Quiet {
		fmt.Fprintf(b.session.Stderr, "A is %s (%.10s), B is %s (%.10s)\n", b.A.Name, b.A.Commit, b.B.Name, b.B.Commit)
	}
	measured := Run(ctx, b.session, b.Project, b.Articles, o)
	if s, ok := errors.AsType[*lab.StatusError](measured); measured != nil && (!ok || s.Status != lab.StatusFailed) {
		return nil, measured
	}
	c, err := b.Compare(b.session)
	if c == nil && measured != nil {
		return nil, measured
	}
	return c, b.session.JoinErrors(measured, err)
}

// Names of revisions: the newest commit and uncommitted work.
const (
	head        = "HEAD"
	workingTree = "working tree"
)

// readRevisions takes both revisions from the arguments. For uncommitted work it makes a commit on no branch.
func (b *bench) readRevisions(ctx context.Context) (err error) {
	if b.A, err = b.revision(ctx, b.args[0]); err != nil {
		return err
	}
	b.args = b.args[1:]
	if b.options.Dirty {
		b.B.Name = workingTree
		if b.B.Commit, err = uncommitted(ctx, b.Project.Dir, b.Project.Repository()); err != nil {
			err = lab.Failure(fmt.Errorf("git cannot read what is not committed: %w", err))
		}
		return err
	}
	name := head
	if len(b.args) > 0 && !b.session.IsArticle(b.Project, b.args[0]) {
		name, b.args = b.args[0], b.args[1:]
	}
	if b.B, err = b.revision(ctx, name); err == nil && b.B.Name == b.A.Name {
		err = lab.UsageError(fmt.Errorf("%s is on both sides: name two revisions, or add --dirty to compare it with what is "+
			"not committed", b.A.Name))
	}
	return err
}

func (b *bench) revision(ctx context.Context, name string) (plan.Revision, error) {
	commit, err := files.Git(ctx, b.Project.Dir).Resolve(name)
	switch {
	case errors.Is(err, files.ErrNoRevision):
		err = lab.UsageError(fmt.Errorf("no revision %q in the git repository: name a tag, branch or commit", name))
	case err != nil:
		err = lab.UsageError(fmt.Errorf("no revision %q: git says: %s", name, files.Reason(err)))
	}
	return plan.Revision{Name: name, Commit: commit}, err
}

// stateFolder returns the project's hidden folder, and creates it if necessary. Users may remove it at any time.
func stateFolder(dir string) (string, error) {
	folder := filepath.Join(dir, article.StateDir)
	ignore := filepath.Join(folder, ".gitignore") // makes git ignore the folder without changing the project's files
	if _, err := os.Stat(ignore); err == nil {
		return folder, nil
	}
	return folder, files.Write(ignore, []byte("*\n"))
}

// uncommitted commits the working tree without ignored files, and returns the commit, which is the same until a file
// changes. Index, branches and files stay as they are; git later removes the commit, because nothing refers to it.
func uncommitted(ctx context.Context, dir, root string) (string, error) {
	state, err := stateFolder(dir) // git ignores this folder
	if err != nil {
		return "", err
	}
	folder, err := os.MkdirTemp(state, "index-")
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
