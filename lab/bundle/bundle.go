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
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/docker/go-units"
	"github.com/google/renameio/v2"

	"benchbook/internal/files"
	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/lab/results"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/runner/machine"
)

// Paths in a bundle.
const (
	ProjectFolder = "project"     // the project, or its repository
	imagesFile    = "images.tar"  // output of docker save, without names
	imageListFile = "images.json" // an imageList
)

// Options say what goes into a bundle.
type Options struct {
	Out    string // a file; ARTICLE.bundle by default
	Images bool   // with all images of the article
	List   bool   // print the names of the files only
}

// Create writes an article, the files it uses, the records its page shows and, if wanted, its images to one file.
// Before the file gets its name it is opened and planned again, so that it is complete.
func Create(ctx context.Context, a *lab.Session, args []string, o Options) error {
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
	b := &builder{Session: a, project: project, article: c, plan: plans[c.Slug]}
	if err := b.addFiles(ctx); err != nil {
		return lab.Failure(err)
	}
	if o.List {
		names := slice.Map(b.inputs, func(i Input) string { return i.Path })
		slices.Sort(names)
		fmt.Fprintln(a.Stdout, strings.Join(names, "\n"))
		return nil
	}
	if err := b.addRecords(ctx); err != nil {
		return lab.Failure(err)
	}
	out := cmp.Or(o.Out, c.Slug+".bundle")
	if o.Images {
		done, err := b.addImages(ctx, filepath.Dir(out))
		if err != nil {
			return lab.Interrupted(ctx, err)
		}
		defer done()
	}
	if err := b.write(ctx, out); err != nil {
		return lab.Interrupted(ctx, lab.Failure(err))
	}
	return nil
}

// builder collects the files of a bundle.
type builder struct {
	*lab.Session
	project    *article.Project
	article    *lab.Article
	plan       *plan.Plan
	root       string          // the project's folder, or its repository's
	tracked    map[string]bool // absolute paths of the files that git tracks
	incomplete bool            // a private file was left out that the plan reads
	about      About
	inputs     []Input
}

// addFiles adds the tracked files that the article needs, and prints the names of others.
func (b *builder) addFiles(ctx context.Context) error {
	if err := b.listTracked(ctx); err != nil {
		return err
	}
	private, needed := map[string]bool{}, map[string]bool{}
	for _, p := range append([]*plan.Plan{b.plan}, b.plan.Others()...) {
		b.addReads(p, needed, private)
	}
	found, dir := maps.Clone(needed), b.project.ArticleDir(b.article.Slug)
	if err := listVisible(dir, found); err != nil {
		return err
	}
	for _, slug := range b.plan.Extends {
		found[filepath.Join(b.project.ArticleDir(slug), article.FileName)] = true
	}
	settingsFile := filepath.Join(b.project.Dir, article.ProjectFile)
	found[settingsFile] = true
	for _, name := range []string{settingsFile, filepath.Join(dir, article.FileName)} {
		if !b.tracked[name] {
			return fmt.Errorf("git does not track %s, and a bundle holds only files that it tracks: git add it first",
				terminal.Relative(name))
		}
	}
	b.root = b.project.Dir
	for _, name := range slices.Sorted(maps.Keys(found)) {
		why := b.whyNot(name, private)
		if why == "" {
			if _, ok := files.Below(b.root, name); !ok {
				b.root = b.project.Repository()
			}
			continue
		}
		b.incomplete = b.incomplete || why == privateFile && needed[name]
		fmt.Fprintf(b.Stderr, "left out: %s, %s\n", terminal.Relative(name), why)
		delete(found, name)
	}
	return b.addInputs(ctx, found, settingsFile)
}

// addInputs adds files of the project; its settings file only with settingsKeys.
func (b *builder) addInputs(ctx context.Context, found map[string]bool, settingsFile string) error {
	settings, err := portableSettings(b.project.Dir)
	if err != nil {
		return err
	}
	for name := range found {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		in := b.file(ctx, name, name)
		if name == settingsFile {
			in = text(in.Path, settings)
		}
		in.Executable = info.Mode()&0o100 != 0
		b.inputs = append(b.inputs, in)
	}
	return nil
}

const privateFile = "as it may hold secrets: everybody who repeats the article needs an own file"

// whyNot returns why a file is left out; empty if it is not.
func (b *builder) whyNot(name string, private map[string]bool) string {
	base := filepath.Base(name)
	switch {
	case private[name], base == ".env", strings.HasPrefix(base, ".env."), strings.HasSuffix(base, ".env"):
		return privateFile
	case !b.tracked[name]:
		return "as git does not track it"
	}
	return ""
}

// file returns a file of the machine as a file of the project in the bundle.
func (b *builder) file(ctx context.Context, name, from string) Input {
	below, _ := files.Below(b.root, name)
	return fileInput(ctx, path.Join(ProjectFolder, filepath.ToSlash(below)), from)
}

// fileInput returns an input with the content of a file. Reading ends with ctx.
func fileInput(ctx context.Context, path, name string) Input {
	return Input{Path: path, Open: func() (io.ReadCloser, error) {
		in, err := os.Open(name)
		return struct {
			io.Reader
			io.Closer
		}{files.Stream{Context: ctx, Reader: in}, in}, err
	}}
}

// listTracked lists the files that git tracks in the project's repository and its submodules.
func (b *builder) listTracked(ctx context.Context) error {
	top := b.project.Repository()
	if _, name := files.RepositoryAbove(b.project.Dir); name != ".git" {
		return errors.New("a bundle holds only files that git tracks, and the project is not in a git repository: run " +
			"git init and git add in its folder first")
	}
	list, err := files.Git(ctx, top).Run("", "ls-files", "-z", "--full-name", "--recurse-submodules")
	if err != nil {
		return err
	}
	b.tracked = map[string]bool{}
	for name := range strings.SplitSeq(list, "\x00") {
		b.tracked[filepath.Join(top, filepath.FromSlash(name))] = true
	}
	return nil
}

// addReads adds the files that a plan reads to found, and the ones that may hold secrets to private. Files behind links
// get their paths in the project.
func (b *builder) addReads(p *plan.Plan, found, private map[string]bool) {
	resolved, err := filepath.EvalSymlinks(b.project.Repository())
	inProject := func(name string) string {
		if below, ok := files.Below(resolved, name); err == nil && ok {
			return filepath.Join(b.project.Repository(), below)
		}
		return name
	}
	for _, name := range p.Reads {
		found[inProject(name)] = true
	}
	for _, name := range p.Secrets {
		private[inProject(name)] = true
	}
	for _, name := range p.EnvFiles {
		found[inProject(name)], private[inProject(name)] = true, true
	}
}

// listVisible adds the files below the folder of an article, without its records and without hidden ones.
func listVisible(dir string, found map[string]bool) error {
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

// addRecords adds the records of the profile that the page shows, of all hosts. All runs are among them, since a claim
// is judged more strictly after each.
func (b *builder) addRecords(ctx context.Context) error {
	host, err := machine.Here()
	if err != nil {
		return err
	}
	b.article.Planned = b.plan
	d, err := results.ShownDataset(b.Session, b.project, b.article, host)
	if err != nil {
		return err
	}
	b.about = About{Article: b.article.Slug, Title: b.article.Doc.Front.Title.OneLine().Value,
		Author: b.project.Author.Value, Claims: claimsOf(d)}
	for _, set := range append([]*dataset.Dataset{d}, d.Siblings()...) {
		if set.Profile != d.Profile || len(set.Records()) == 0 {
			continue
		}
		b.about.Hosts = append(b.about.Hosts, set.Host)
		for _, r := range set.Records() {
			if r.Ended.After(b.about.Date) {
				b.about.Date = r.Ended
			}
		}
		b.addRuns(ctx, set)
	}
	slices.Sort(b.about.Hosts)
	return nil
}

// addRuns adds the tracked files of the finished runs of a set.
func (b *builder) addRuns(ctx context.Context, set *dataset.Dataset) {
	unfinished := record.Unfinished(set.Records())
	runs := slice.Map(set.Records(), func(r *record.Record) string { return r.Run })
	slices.Sort(runs)
	for _, run := range slices.Compact(runs) {
		path := record.RunPath(set.Host, set.Profile, run)
		from := filepath.Join(b.project.RecordsDir(b.article.Slug), path)
		switch {
		case unfinished[path]:
			fmt.Fprintf(b.Stderr, "left out: run %s of host %s, as it is unfinished\n", run, set.Host)
		case !b.tracked[from]:
			fmt.Fprintf(b.Stderr, "left out: run %s of host %s, as git does not track its records\n", run, set.Host)
		default:
			at := filepath.Join(b.project.ArticleDir(b.article.Slug), recordsName, path)
			b.inputs = append(b.inputs, b.file(ctx, at, from))
		}
	}
}

func claimsOf(d *dataset.Dataset) (out []Claim) {
	for _, j := range claim.JudgeAll(d).Claims {
		o := results.JudgementOutcome(&j)
		c := Claim{Name: j.Claim.Name.Value, Verdict: o.Verdict, Host: d.Host, Headline: j.Claim.Headline.V}
		if e := o.Effect; e != nil {
			c.Effect, c.Lo, c.Hi = &e.Value, e.Lo, e.Hi
		}
		out = append(out, c)
	}
	return out
}

// write writes the bundle, checks it, and only then gives it its name.
func (b *builder) write(ctx context.Context, out string) error {
	file, err := renameio.NewPendingFile(out, renameio.WithPermissions(0o644), renameio.WithTempDir(filepath.Dir(out)))
	if err != nil {
		return err
	}
	defer file.Cleanup()
	m, digest, err := Write(file, b.about, b.inputs)
	if err != nil {
		return err
	}
	size, err := file.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err == nil && !b.incomplete {
		err = b.check(ctx, file)
	}
	if err == nil {
		err = file.CloseAtomicallyReplace()
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(b.Stdout, "%s: %s, %s, %s\nrepeat it with: benchbook repro %s\n", out,
		terminal.Count(len(m.Files), "file"), units.BytesSize(float64(size)), digest, out)
	return nil
}

// check opens the bundle as another user would, and compares the keys of its trials.
func (b *builder) check(ctx context.Context, file io.Reader) error {
	dir, err := os.MkdirTemp("", "benchbook-bundle-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r, err := Open(files.Stream{Context: ctx, Reader: file}, Limits{})
	if err != nil {
		return err
	}
	opened, _, err := extract(ctx, r, filepath.Join(dir, "opened"), func(f File) bool { return f.Path == imagesFile })
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
