// Package bundles puts all that somebody else needs to repeat an article into one file, and opens such a file.
package bundles

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
	"benchbook/internal/git"
	"benchbook/lab"
	"benchbook/lab/results"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/bundle"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"

	"benchbook/internal/slice"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/runner/machine"
)

// Where things lie in a bundle.
const (
	ProjectFolder = "project"    // the project, or the repository that it is in, as far as the article needs it
	ImagesFile    = "images.tar" // what docker save writes of the images, without names
)

// Suffix ends the names of bundles.
const Suffix = ".bundle"

// Options say what goes into a bundle, and where that goes.
type Options struct {
	Out    string // a file; empty: ARTICLE.bundle
	Images bool   // all images of the article
	List   bool   // names the files, and writes none
}

// Bundle writes all that somebody else needs to repeat an article to one file: the article, the files that it uses,
// the records that pages show, and if wanted its images. Before it is given its name it is opened and planned, so
// that it is known to be complete.
func Bundle(ctx context.Context, a *lab.Session, args []string, o Options) error {
	project, list, plans, err := a.SelectPlanned(args, plan.Options{}, "nothing was bundled")
	if err != nil {
		return err
	}
	c := list[0]
	if err := whole(project, c); err != nil {
		return err
	}
	b := &bundling{Session: a, project: project, article: c, plan: plans[c.Slug]}
	if err := b.gather(ctx); err != nil {
		return lab.Failure(err)
	}
	if o.List {
		names := slice.Map(b.inputs, func(i bundle.Input) string { return i.Path })
		slices.Sort(names)
		fmt.Fprintln(a.Stdout, strings.Join(names, "\n"))
		return nil
	}
	if err := b.addShown(); err != nil {
		return lab.Failure(err)
	}
	out := cmp.Or(o.Out, c.Slug+Suffix)
	if o.Images {
		done, err := b.addImages(ctx, filepath.Dir(out))
		if err != nil {
			return lab.Interrupted(ctx, err)
		}
		defer done()
	}
	return b.write(ctx, out)
}

// A bundling is a bundle in the making.
type bundling struct {
	*lab.Session
	project *article.Project
	article *lab.Article
	plan    *plan.Plan
	root    string          // folder that paths in the bundle are counted from: that of the project, or of its repository
	tracked map[string]bool // whole paths of the files that git tracks
	lacks   bool            // a file was left out without which the article cannot be planned
	about   bundle.About
	inputs  []bundle.Input
}

// gather finds the files that the article needs, and names those that it leaves out.
func (b *bundling) gather(ctx context.Context) error {
	if err := b.findTracked(ctx); err != nil {
		return err
	}
	found, private, needed := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, p := range append([]*plan.Plan{b.plan}, b.plan.Others()...) {
		b.note(p, needed, private)
	}
	maps.Copy(found, needed)
	if err := filesOf(b.project.ArticleDir(b.article.Slug), found); err != nil {
		return err
	}
	for _, slug := range b.plan.Extends {
		found[filepath.Join(b.project.ArticleDir(slug), article.FileName)] = true
	}
	settingsFile := filepath.Join(b.project.Dir, article.ProjectFile)
	found[settingsFile] = true
	for _, name := range []string{settingsFile, filepath.Join(b.project.ArticleDir(b.article.Slug), article.FileName)} {
		if !b.tracked[name] {
			return fmt.Errorf("git does not track %s, and a bundle holds only files that it tracks: git add it first",
				terminal.Relative(name))
		}
	}
	b.root = b.project.Dir
	for _, name := range slices.Sorted(maps.Keys(found)) {
		why := b.leavesOut(name, private)
		if why != "" {
			fmt.Fprintf(b.Stderr, "left out: %s, %s\n", terminal.Relative(name), why)
			b.lacks = b.lacks || needed[name] && why == privateFile
			delete(found, name)
		} else if _, ok := files.Below(b.root, name); !ok {
			b.root = b.project.Repository()
		}
	}
	return b.addFiles(slices.Sorted(maps.Keys(found)), settingsFile)
}

// addFiles adds files of the project, and its settings file without what is of no use elsewhere.
func (b *bundling) addFiles(names []string, settingsFile string) error {
	_, settings, err := settingsOf(b.project.Dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		in := bundle.Input{Path: b.path(name), Executable: info.Mode()&0o100 != 0,
			Open: func() (io.ReadCloser, error) { return os.Open(name) }}
		if name == settingsFile {
			in.Open = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(string(settings))), nil }
		}
		b.inputs = append(b.inputs, in)
	}
	return nil
}

// findTracked lists the files that git tracks in the repository of the project, submodules included.
func (b *bundling) findTracked(ctx context.Context) error {
	top := b.project.Repository()
	if _, name := git.Top(b.project.Dir); name != ".git" {
		return errors.New("a bundle holds only files that git tracks, and the project is not in a git repository: run " +
			"git init and git add in its folder first")
	}
	list, err := git.New(ctx, top).Run("", "ls-files", "-z", "--full-name", "--recurse-submodules")
	if err != nil {
		return err
	}
	b.tracked = map[string]bool{}
	for name := range strings.SplitSeq(list, "\x00") {
		b.tracked[filepath.Join(top, filepath.FromSlash(name))] = true
	}
	return nil
}

// privateFile is the reason to leave out a file that often holds passwords.
const privateFile = "as it may hold secrets: whoever repeats the article needs a file of their own"

// leavesOut says why a file does not go into a bundle; empty if it does.
func (b *bundling) leavesOut(name string, private map[string]bool) string {
	base := filepath.Base(name)
	switch {
	case private[name], base == ".env", strings.HasPrefix(base, ".env."), strings.HasSuffix(base, ".env"):
		return privateFile
	case !b.tracked[name]:
		return "as git does not track it"
	}
	return ""
}

// note notes which files a plan has read, and which of them may hold secrets. A file that was reached by a link is
// named by its place in the project.
func (b *bundling) note(p *plan.Plan, found, private map[string]bool) {
	resolved, err := filepath.EvalSymlinks(b.project.Repository())
	here := func(name string) string {
		if below, ok := files.Below(resolved, name); err == nil && ok {
			return filepath.Join(b.project.Repository(), below)
		}
		return name
	}
	for _, name := range p.Reads {
		found[here(name)] = true
	}
	for _, name := range p.Secrets {
		private[here(name)] = true
	}
	for _, name := range p.EnvFiles {
		found[here(name)], private[here(name)] = true, true
	}
}

// filesOf finds the files in the folder of an article, without its records, and without what is hidden.
func filesOf(dir string, found map[string]bool) error {
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

// recordsName is the folder of records in that of an article.
var recordsName = article.RecordsName(article.FileName)

// path is where a file of the project is in the bundle.
func (b *bundling) path(name string) string {
	below, _ := files.Below(b.root, name) // which gather has seen to
	return path.Join(ProjectFolder, filepath.ToSlash(below))
}

// addShown adds the records of what the page shows.
func (b *bundling) addShown() error {
	this, err := machine.Here()
	if err != nil {
		return err
	}
	b.article.Planned = b.plan
	d, err := results.ShownDataset(b.Session, b.project, b.article, this)
	if err != nil {
		return err
	}
	return b.addRecords(d)
}

// addRecords adds the records of the profile that the page shows, of all hosts. All runs are among them, since claims
// are judged more strictly after each.
func (b *bundling) addRecords(d *dataset.Dataset) error {
	front := b.article.Doc.Front
	b.about = bundle.About{Article: b.article.Slug, Title: front.Title.OneLine().Value, Author: b.project.Author.Value}
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
		if err := b.addPacks(set); err != nil {
			return err
		}
	}
	slices.Sort(b.about.Hosts)
	b.about.Claims = b.claims(d)
	return nil
}

// addPacks adds the runs of a set of records.
func (b *bundling) addPacks(set *dataset.Dataset) error {
	dir := b.project.RecordsDir(b.article.Slug)
	runs := slice.Map(set.Records(), func(r *record.Record) string { return r.Run })
	slices.Sort(runs)
	for _, run := range slices.Compact(runs) {
		pack := record.PackPath(set.Host, set.Profile, run)
		if _, err := os.Stat(filepath.Join(dir, pack)); errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(b.Stderr, "run %s of host %s has not ended, and is left out\n", run, set.Host)
			continue
		}
		from := filepath.Join(dir, pack)
		if !b.tracked[from] {
			fmt.Fprintf(b.Stderr, "left out: run %s of host %s, as git does not track its records\n", run, set.Host)
			continue
		}
		at := filepath.Join(b.project.ArticleDir(b.article.Slug), recordsName, pack)
		b.inputs = append(b.inputs, bundle.Input{Path: b.path(at),
			Open: func() (io.ReadCloser, error) { return os.Open(from) }})
	}
	return nil
}

// claims returns the verdicts that somebody who repeats the article compares with.
func (b *bundling) claims(d *dataset.Dataset) (out []bundle.Claim) {
	for _, j := range claim.Judgements(d) {
		found := results.JudgementOutcome(&j)
		c := bundle.Claim{Name: j.Claim.Name.Value, Verdict: found.Verdict, Host: d.Host, Headline: j.Claim.Headline.V}
		if e := found.Effect; e != nil {
			c.Effect, c.Lo, c.Hi = &e.Value, e.Lo, e.Hi
		}
		out = append(out, c)
	}
	return out
}

// write writes the bundle, checks it, and only then gives it its name.
func (b *bundling) write(ctx context.Context, out string) error {
	m, digest, size, err := b.writeFile(ctx, out)
	if err != nil {
		return lab.Interrupted(ctx, lab.Failure(err))
	}
	fmt.Fprintf(b.Stdout, "%s: %s, %s, %s\nrepeat it with: benchbook repro %s\n", out,
		terminal.Count(len(m.Files), "file"), units.BytesSize(float64(size)), digest, out)
	return nil
}

func (b *bundling) writeFile(ctx context.Context, out string) (m bundle.Manifest, digest string, size int64, err error) {
	file, err := renameio.NewPendingFile(out, renameio.WithPermissions(0o644), renameio.WithTempDir(filepath.Dir(out)))
	if err != nil {
		return m, "", 0, err
	}
	defer file.Cleanup()
	for i, in := range b.inputs {
		b.inputs[i].Open = func() (io.ReadCloser, error) {
			from, err := in.Open()
			return struct {
				io.Reader
				io.Closer
			}{files.Stream{Context: ctx, Reader: from}, from}, err
		}
	}
	if m, digest, err = bundle.Write(file, b.about, b.inputs); err != nil {
		return m, "", 0, err
	}
	if size, err = file.Seek(0, io.SeekEnd); err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err == nil {
		err = b.check(files.Stream{Context: ctx, Reader: file})
	}
	if err == nil {
		err = file.CloseAtomicallyReplace()
	}
	return m, digest, size, err
}

// check opens the bundle as somebody else would, and plans its article: nothing may be missing.
func (b *bundling) check(file io.Reader) error {
	if b.lacks {
		return nil // which is said
	}
	dir, err := os.MkdirTemp("", "benchbook-bundle-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r, err := bundle.Open(file, bundle.Limits{})
	if err != nil {
		return err
	}
	opened, _, err := Open(context.Background(), r, filepath.Join(dir, "opened"),
		func(f bundle.File) bool { return f.Path == ImagesFile })
	if err != nil {
		return err
	}
	doc, err := lab.ReadArticle(opened, b.article.Slug)
	if err != nil {
		return err
	}
	problems := doc.Problems
	p, err := plan.New(opened, doc, plan.Options{}, &problems)
	if err != nil {
		return err
	}
	if !problems.Empty() {
		return fmt.Errorf("the bundle would not be complete: opened elsewhere, its article has problems: %s",
			firstOf(&problems))
	}
	if keysOf(p) != keysOf(b.plan) {
		return errors.New("the bundle would not be complete: opened elsewhere, its experiments have other inputs; " +
			"benchbook bundle --list names the files that are in it")
	}
	return nil
}

func firstOf(problems *source.Problems) string {
	return strings.TrimSpace(problems.Sorted()[0].String())
}

// keysOf are the keys of all trials of a plan.
func keysOf(p *plan.Plan) string {
	var out strings.Builder
	for _, e := range p.Experiments {
		for _, t := range e.Trials {
			fmt.Fprintln(&out, e.Name, t.Name, t.Calibration, t.Key)
		}
	}
	return out.String()
}
