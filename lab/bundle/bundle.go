package bundle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/docker/go-units"
	"github.com/google/renameio/v2"

	"benchbook/internal/files"
	"benchbook/lab"
	"benchbook/lab/show"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// projectFolder is the folder of a bundle with the project, or with its repository.
const projectFolder = "project"

// Options say what goes into a bundle.
type Options struct {
	Out    string // a file; ARTICLE.bundle by default
	Images bool   // with all images of the article
	List   bool   // print the names of the files only
}

// Create writes an article, the files it uses, the records its page shows and, if wanted, its images to one file, after
// checking that the article can be planned from these files alone.
func Create(ctx context.Context, a *lab.Session, args []string, o Options) (err error) {
	project, list, plans, err := a.SelectPlanned(args, plan.Options{}, "nothing was bundled")
	if err != nil {
		return err
	}
	c := list[0]
	switch {
	case len(c.Experiments) > 0:
		return lab.UsageError(fmt.Errorf("only a whole article can be bundled: write %s", c.Slug))
	case project.File() != "":
		return lab.UsageError(fmt.Errorf("%s is in no project: move it to experiments/NAME/article.md, with benchbook.yaml "+
			"next to experiments", terminal.Relative(project.File())))
	}
	out := cmp.Or(o.Out, c.Slug+".bundle")
	b := &builder{Session: a, project: project, article: c, plan: plans[c.Slug]}
	found, err := b.find(ctx)
	if err != nil {
		return lab.Failure(err)
	}
	if o.List {
		var names []string
		for _, name := range found {
			names = append(names, b.pathOf(name))
		}
		return a.Print(names, func() { fmt.Fprintln(a.Stdout, strings.Join(names, "\n")) })
	}
	if b.dir, err = os.MkdirTemp(filepath.Dir(out), ".benchbook-bundle-"); err != nil {
		return lab.Failure(err)
	}
	defer os.RemoveAll(b.dir)
	if err := b.collect(ctx, found, o.Images); err != nil {
		return err
	}
	if err := b.write(ctx, out); err != nil {
		return lab.Interrupted(ctx, err)
	}
	return nil
}

// builder collects the files of a bundle in a folder.
type builder struct {
	*lab.Session
	project  *article.Project
	article  *lab.Article
	plan     *plan.Plan
	dir      string          // temporary folder with the files of the bundle
	root     string          // the project's folder, or its repository's
	tracked  map[string]bool // absolute paths of the files that git tracks
	complete bool            // everything that the plan reads is in it
	manifest manifest
}

// collect copies files of the project, the records and, if wanted, the images.
func (b *builder) collect(ctx context.Context, found []string, withImages bool) error {
	for _, name := range found {
		if err := b.add(ctx, name); err != nil {
			return lab.Interrupted(ctx, err)
		}
	}
	err := b.check()
	if err == nil {
		err = b.addRecords(ctx)
	}
	if err != nil {
		return lab.Failure(err)
	}
	if withImages {
		return b.addImages(ctx)
	}
	return nil
}

// find returns the tracked files that the article needs, sorted, and prints the names of others.
func (b *builder) find(ctx context.Context) ([]string, error) {
	if err := b.listTracked(ctx); err != nil {
		return nil, err
	}
	found, private := b.reads()
	needed, dir := maps.Clone(found), b.project.ArticleDir(b.article.Slug)
	if err := addVisible(dir, found); err != nil {
		return nil, err
	}
	for _, name := range []string{b.settings(), filepath.Join(dir, article.FileName)} {
		if found[name] = true; !b.tracked[name] {
			return nil, fmt.Errorf("git does not track %s, and a bundle holds only files that it tracks: git add it first",
				terminal.Relative(name))
		}
	}
	b.root, b.complete = b.project.Dir, true
	for _, name := range slices.Sorted(maps.Keys(found)) {
		base, why := filepath.Base(name), ""
		if private[name] || strings.HasPrefix(base, ".env.") || strings.HasSuffix(base, ".env") {
			why = "as it may hold secrets: everybody who repeats the article needs an own file"
			b.complete = b.complete && !needed[name]
		} else if !b.tracked[name] {
			why = "as git does not track it"
		}
		if why != "" {
			fmt.Fprintf(b.Stderr, "left out: %s, %s\n", terminal.Relative(name), why)
			delete(found, name)
		} else if _, ok := files.Below(b.root, name); !ok {
			b.root = b.project.Repository()
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

func (b *builder) settings() string { return filepath.Join(b.project.Dir, article.ProjectFile) }

// listTracked lists the files that git tracks in the project's repository and its submodules.
func (b *builder) listTracked(ctx context.Context) error {
	top := b.project.Repository()
	if _, name := files.RepositoryAbove(b.project.Dir); name != ".git" {
		return errors.New("a bundle holds only files that git tracks, and the project is not in a git repository: run " +
			"git init and git add in its folder first")
	}
	list, err := files.Git(ctx, top).Run("", "ls-files", "-z", "--full-name", "--recurse-submodules")
	b.tracked = map[string]bool{}
	for name := range strings.SplitSeq(list, "\x00") {
		b.tracked[filepath.Join(top, filepath.FromSlash(name))] = true
	}
	return err
}

// reads returns the files that the plans of all profiles read, and those that may hold secrets. Files behind links get
// their paths in the project.
func (b *builder) reads() (found, private map[string]bool) {
	found, private = map[string]bool{}, map[string]bool{}
	resolved, err := filepath.EvalSymlinks(b.project.Repository())
	add := func(to map[string]bool, names []string) {
		for _, name := range names {
			if below, ok := files.Below(resolved, name); err == nil && ok {
				name = filepath.Join(b.project.Repository(), below)
			}
			to[name] = true
		}
	}
	for _, p := range append([]*plan.Plan{b.plan}, b.plan.Others()...) {
		add(found, slices.Concat(p.Reads, p.EnvFiles))
		add(private, slices.Concat(p.Secrets, p.EnvFiles))
	}
	return found, private
}

// addVisible adds the files below the folder of an article, without its records and without hidden ones.
func addVisible(dir string, found map[string]bool) error {
	return filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != dir && strings.HasPrefix(e.Name(), "."), name == filepath.Join(dir, recordsName):
			if e.IsDir() {
				return filepath.SkipDir
			}
		case e.Type().IsRegular():
			found[name] = true
		}
		return nil
	})
}

// recordsName is the folder of records in an article's folder.
var recordsName = article.RecordsName(article.FileName)

// pathOf returns the path of a file of the project in the bundle.
func (b *builder) pathOf(name string) string {
	below, _ := files.Below(b.root, name)
	return filepath.ToSlash(filepath.Join(projectFolder, below))
}

// add copies a file of the project, and of its settings only settingsKeys.
func (b *builder) add(ctx context.Context, name string) error {
	from, err := os.Open(name)
	if err != nil {
		return err
	}
	defer from.Close()
	info, err := from.Stat()
	if err != nil {
		return err
	}
	var content io.Reader = files.Stream{Context: ctx, Reader: from}
	if name == b.settings() {
		if content, err = portableSettings(content); err != nil {
			return fmt.Errorf("%s: %w", article.ProjectFile, err)
		}
	}
	to := filepath.Join(b.dir, filepath.FromSlash(b.pathOf(name)))
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, content)
	return errors.Join(err, out.Close())
}

// check plans the copied files as another user would, and compares the keys of the trials.
func (b *builder) check() error {
	mark := filepath.Join(b.dir, projectFolder, files.Boundary)
	if err := files.Write(mark, nil); err != nil || !b.complete {
		return errors.Join(err, os.RemoveAll(mark))
	}
	defer os.Remove(mark)
	below, _ := files.Below(b.root, b.project.Dir)
	opened, err := article.OpenProject(filepath.Join(b.dir, projectFolder, below))
	if err == nil {
		err = checkSettings(opened)
	}
	if err != nil {
		return err
	}
	doc, err := lab.ReadArticle(opened, b.article.Slug)
	if err != nil {
		return err
	}
	problems := doc.Problems
	p, err := plan.New(opened, doc, plan.Options{}, &problems)
	switch {
	case err != nil:
		return err
	case !problems.Empty():
		return fmt.Errorf("the bundle would not be complete: opened elsewhere, its article has problems: %s",
			firstOf(&problems))
	case !slices.Equal(keysOf(p), keysOf(b.plan)):
		return errors.New("the bundle would not be complete: opened elsewhere, its experiments have other inputs; " +
			"benchbook bundle --list names the files that are in it")
	}
	return nil
}

func firstOf(problems *source.Problems) string {
	return strings.TrimSpace(problems.Sorted()[0].String())
}

// keysOf returns the names and keys of all trials of a plan.
func keysOf(p *plan.Plan) (out []string) {
	for _, e := range p.Experiments {
		for _, t := range e.Trials {
			out = append(out, fmt.Sprintln(e.Name, t.Name, t.Calibration, t.Key))
		}
	}
	return out
}

// addRecords adds the records of the profile that the page shows, of all hosts. All runs are among them, since each
// makes the judgement of a claim stricter.
func (b *builder) addRecords(ctx context.Context) error {
	b.article.Planned = b.plan
	d, err := show.ShownDataset(b.Session, b.project, b.article)
	if err != nil {
		return err
	}
	b.manifest = manifest{Article: b.article.Slug, Title: b.article.Doc.Front.Title.OneLine().Value,
		Author: b.project.Author.Value, Claims: show.NewArticle(d).Verdicts()}
	for _, set := range append([]*dataset.Dataset{d}, d.Siblings()...) {
		if set.Profile != d.Profile || len(set.Records()) == 0 {
			continue
		}
		b.manifest.Hosts = append(b.manifest.Hosts, set.Host)
		runs := map[string]bool{}
		for _, r := range set.Records() {
			runs[r.Path()] = true
			if r.Ended.After(b.manifest.Date) {
				b.manifest.Date = r.Ended.UTC().Truncate(time.Second)
			}
		}
		unfinished := record.Unfinished(set.Records())
		for _, run := range slices.Sorted(maps.Keys(runs)) {
			if err := b.addRun(ctx, run, unfinished[run]); err != nil {
				return err
			}
		}
	}
	return nil
}

// addRun adds the tracked file of a finished run, given below the records folder.
func (b *builder) addRun(ctx context.Context, run string, unfinished bool) error {
	name := filepath.Join(b.project.RecordsDir(b.article.Slug), run)
	switch {
	case unfinished:
		fmt.Fprintf(b.Stderr, "left out: run %s, as it is unfinished\n", run)
	case !b.tracked[name]:
		fmt.Fprintf(b.Stderr, "left out: run %s, as git does not track its records\n", run)
	default:
		return b.add(ctx, name)
	}
	return nil
}

// write writes the bundle to a file, which gets its name when it is whole.
func (b *builder) write(ctx context.Context, out string) error {
	to, err := renameio.NewPendingFile(out, renameio.WithPermissions(0o644), renameio.WithTempDir(filepath.Dir(out)))
	if err != nil {
		return err
	}
	defer to.Cleanup()
	digest, err := write(ctx, to, b.dir, &b.manifest)
	if err != nil {
		return err
	}
	size, err := to.Seek(0, io.SeekEnd)
	if err == nil {
		err = to.CloseAtomicallyReplace()
	}
	if err != nil {
		return err
	}
	written := struct {
		File   string `json:"file"`
		Files  int    `json:"files"` // in it
		Bytes  int64  `json:"bytes"`
		Digest string `json:"digest"`
	}{out, len(b.manifest.Files), size, digest}
	return b.Print(written, func() {
		fmt.Fprintf(b.Stdout, "%s: %s, %s, %s\nrepeat it with: benchbook repro %s\n", out,
			terminal.Count(len(b.manifest.Files), "file"), units.BytesSize(float64(size)), digest, out)
	})
}
