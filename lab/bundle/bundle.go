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

	"github.com/docker/go-units"
	"github.com/google/renameio/v2"

	"benchbook/internal/files"
	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/lab/show"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
)

// projectFolder is the folder in a bundle that holds the project or its whole repository.
const projectFolder = "project"

// Options select what goes into a bundle.
type Options struct {
	Out    string // file to write; ARTICLE.bundle by default
	Images bool   // include the images of the article
	// Program includes this program, so that others can repeat the article without installing it.
	Program  bool
	Appendix string // file for the artifact appendix; may be empty
}

// Create writes an article to one file, with the files it uses, the records its page shows and, if wanted, its images.
// It checks that these files are enough to plan the article.
func Create(ctx context.Context, a *lab.Session, args []string, o Options) (err error) {
	project, list, err := a.SelectPlanned(args, plan.Options{}, "nothing was bundled")
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
	out := a.At(cmp.Or(o.Out, c.Slug+".bundle"))
	b := &builder{Session: a, project: project, article: c}
	if b.dir, err = os.MkdirTemp(filepath.Dir(out), ".benchbook-bundle-"); err != nil {
		return lab.Failure(err)
	}
	defer os.RemoveAll(b.dir)
	if err = b.collect(ctx); err == nil && o.Images {
		err = b.addImages(ctx)
	}
	if err == nil && o.Program {
		name := ""
		if name, err = os.Executable(); err == nil {
			err = b.copy(ctx, name, programName)
		}
	}
	if err == nil {
		err = b.write(ctx, out, o.Program)
	}
	if err == nil && o.Appendix != "" {
		err = b.writeAppendix(a.At(o.Appendix), out)
	}
	if err != nil {
		return lab.Interrupted(ctx, err)
	}
	return nil
}

// builder collects the files of a bundle in a folder.
type builder struct {
	*lab.Session
	project  *article.Project
	article  *lab.Article
	dir      string           // temporary folder with the files of the bundle
	root     string           // the project's folder, or its repository's
	tracked  map[string]bool  // absolute paths of the files that git tracks
	complete bool             // the bundle has everything that the plan reads
	shown    *dataset.Dataset // what the article's page shows
}

// collect copies the tracked files that the article needs, and its records.
func (b *builder) collect(ctx context.Context) error {
	if err := b.listTracked(ctx); err != nil {
		return err
	}
	needed, private := b.reads()
	found := maps.Clone(needed)
	b.addOwn(found)
	b.root, b.complete = b.project.Dir, true
	for _, name := range slices.Sorted(maps.Keys(found)) {
		base := filepath.Base(name)
		switch {
		case private[name] || strings.HasPrefix(base, ".env.") || strings.HasSuffix(base, ".env"):
			fmt.Fprintf(b.Stderr, "left out: %s, as it may hold secrets: everybody who repeats the article needs an own file\n",
				terminal.Relative(name))
			b.complete = b.complete && !needed[name]
			delete(found, name)
			continue
		case !b.tracked[name]:
			return fmt.Errorf("git does not track %s, and a bundle holds only files that it tracks: git add it first",
				terminal.Relative(name))
		}
		if _, ok := files.Below(b.root, name); !ok {
			b.root = b.project.Repository()
		}
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if err := b.add(ctx, name); err != nil {
			return err
		}
	}
	if err := b.check(); err != nil {
		return err
	}
	return b.addRecords(ctx)
}

// addOwn adds the project file, the article, and the tracked files in its folder except records and hidden files.
func (b *builder) addOwn(found map[string]bool) {
	dir := b.project.ArticleDir(b.article.Slug)
	found[b.settings()], found[filepath.Join(dir, article.FileName)] = true, true
	for name := range b.tracked {
		below, ok := files.Below(dir, name)
		if !ok || strings.HasPrefix(below, ".") || strings.Contains(below, "/.") || strings.HasPrefix(below, recordsName+"/") {
			continue
		}
		if info, err := os.Lstat(name); err == nil && info.Mode().IsRegular() {
			found[name] = true
		}
	}
}

func (b *builder) settings() string { return filepath.Join(b.project.Dir, article.ProjectFile) }

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

// reads returns the files that the plans of all profiles read, and the files that may hold secrets. Resolved paths are
// translated back to paths in the repository.
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
	for _, p := range append([]*plan.Plan{b.article.Planned}, b.article.Planned.Others()...) {
		add(found, p.Reads)
		add(private, p.Secrets)
	}
	return found, private
}

// recordsName is the name of the folder with an article's records.
var recordsName = article.RecordsName(article.FileName)

// add copies a file of the project into the bundle.
func (b *builder) add(ctx context.Context, name string) error {
	below, _ := files.Below(b.root, name)
	return b.copy(ctx, name, filepath.Join(projectFolder, below))
}

// copy copies a file into the bundle. Of the project file it copies only settingsKeys.
func (b *builder) copy(ctx context.Context, name, path string) error {
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
	to := filepath.Join(b.dir, path)
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

// check plans the article from the copied files, and returns an error if the keys of its trials differ.
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
			problems.Sorted()[0])
	case !slices.Equal(keysOf(p), keysOf(b.article.Planned)):
		return errors.New("the bundle would not be complete: opened elsewhere, its experiments have other inputs")
	}
	return nil
}

// keysOf returns a line for each trial of a plan, with its names and its key.
func keysOf(p *plan.Plan) (out []string) {
	for _, e := range p.Experiments {
		for _, t := range e.Trials {
			out = append(out, fmt.Sprintln(e.Name, t.Name, t.Calibration, t.Key))
		}
	}
	return out
}

// addRecords adds the tracked runs of all hosts in the profile that the page shows. No run may be missing: each one
// makes the judgement of claims stricter.
func (b *builder) addRecords(ctx context.Context) error {
	var err error
	if b.shown, err = show.ShownDataset(b.Session, b.project, b.article); err != nil {
		return err
	}
	dir := b.project.RecordsDir(b.article.Slug)
	for _, run := range slice.Add([]string{}, slice.Map(b.shown.Records, (*record.Record).Path)...) {
		if !b.tracked[filepath.Join(dir, run)] {
			fmt.Fprintf(b.Stderr, "left out: run %s, as git does not track its records\n", run)
		}
	}
	runs := filepath.Join("*", b.shown.Profile, "*")
	for _, name := range slices.Sorted(maps.Keys(b.tracked)) {
		below, ok := files.Below(dir, name)
		if isIn, err := filepath.Match(runs, below); err == nil && ok && isIn && record.IsRun(below) {
			info, err := os.Lstat(name)
			if err == nil && !info.Mode().IsRegular() { // a link may lead to a private file
				fmt.Fprintf(b.Stderr, "left out: %s is not a regular file\n", terminal.Relative(name))
				continue
			}
			if err == nil {
				err = b.add(ctx, name)
			}
			// git also tracks a file that was removed, until that is committed.
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// programName is the name of this program in a bundle.
const programName = "benchbook"

// write writes the bundle to a file. The file appears under its name only when it is complete.
func (b *builder) write(ctx context.Context, out string, hasProgram bool) error {
	to, err := renameio.NewPendingFile(out, renameio.WithPermissions(0o644), renameio.WithTempDir(filepath.Dir(out)))
	if err != nil {
		return err
	}
	defer to.Cleanup()
	m := manifest{Article: b.article.Slug}
	digest, err := write(ctx, to, b.dir, &m)
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
		Files  int    `json:"files"` // number of files in the bundle
		Bytes  int64  `json:"bytes"`
		Digest string `json:"digest"`
	}{out, m.Files, size, digest}
	return b.Print(written, func() {
		repeat := "benchbook repro " + out
		if hasProgram {
			repeat = fmt.Sprintf("tar -xzf %s %s && ./%s repro %s", out, programName, programName, out)
		}
		fmt.Fprintf(b.Stdout, "%s: %s, %s, %s\nrepeat it with: %s\n", out, phrase.Count(m.Files, "file"),
			units.BytesSize(float64(size)), digest, repeat)
	})
}
