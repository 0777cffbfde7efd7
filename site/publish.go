package site

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"benchbook/internal/files"
)

// noJekyll keeps GitHub Pages from leaving out files that begin with _.
const noJekyll = ".nojekyll"

type Published struct {
	To      string   `json:"to"`               // in words
	Commit  string   `json:"commit,omitempty"` // that was made; empty for a folder, or if nothing changed
	Files   int      `json:"files"`            // of the site
	Written []string `json:"written"`          // new or changed, sorted
	Removed []string `json:"removed"`          // likewise
}

// read reads a built site and adds what publishing needs.
func read(dir string) (map[string][]byte, error) {
	noSite := fmt.Errorf("there is no site in %s: make it with benchbook render", dir)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, noSite
	}
	defer root.Close()
	if _, err := root.Lstat(manifestFile); err != nil {
		return nil, noSite
	}
	names, err := readManifest(root, dir)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{noJekyll: {}}
	for _, name := range names {
		data, err := readIn(root, name)
		if err != nil {
			return nil, fmt.Errorf("the site in %s is not whole: %w: make it again with benchbook render", dir, err)
		}
		files[name] = data
	}
	return files, nil
}

// PublishFolder copies the site that Build made in dir. Files of others stay; a folder with files but without a site is
// an error.
func PublishFolder(dir, to string, dryRun bool) (Published, error) {
	out := Published{To: to, Written: []string{}, Removed: []string{}}
	files, err := read(dir)
	if err != nil {
		return out, err
	}
	out.Files = len(files)
	report, err := differences(to, files)
	if err == nil && !dryRun {
		report, err = write(to, files)
	}
	out.Written, out.Removed = append(out.Written, report.Written...), append(out.Removed, report.Removed...)
	if err != nil {
		return out, fmt.Errorf("publishing to %s: %w", to, err)
	}
	return out, nil
}

func differences(dir string, files map[string][]byte) (Report, error) {
	r := Report{Files: len(files)}
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		r.Written = slices.Sorted(maps.Keys(files))
		return r, nil
	}
	if err != nil {
		return r, err
	}
	defer root.Close()
	old, err := readManifest(root, dir)
	if err != nil {
		return r, err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if now, err := readIn(root, name); err != nil || !bytes.Equal(now, files[name]) {
			r.Written = append(r.Written, name)
		}
	}
	for _, name := range old {
		if _, kept := files[name]; !kept {
			r.Removed = append(r.Removed, name)
		}
	}
	return r, nil
}

// Branch is a branch of a git remote that a site is published to, such as gh-pages.
//
// What others have committed there is never overwritten: every commit follows those that are there, nothing is ever
// pushed by force, files that no publishing has written stay, and one of those that somebody has changed since, or that
// stands where the site has one of its own, is an error. Nothing of the repository that it is published from changes,
// neither its working tree nor its index, branches or objects: all that is made for it is made in a temporary folder.
type Branch struct {
	Repository string // a folder in it
	Remote     string // a name, such as origin, or an address
	Name       string // such as gh-pages
}

// publishTrailer marks our commits, with the version of their format.
const publishTrailer = "Benchbook-Site: 1"

// attempts is how often a push is repeated after others have pushed.
const attempts = 3

// publishTime is how long publishing to a branch may take: a remote that hangs must not hold a job of CI.
var publishTime = 10 * time.Minute

// Publish commits the site that Build has made in dir to the branch, with a title, and pushes it. With dryRun it is not
// pushed.
//
// The error says what is in the way, and what to do about it.
func (b Branch) Publish(ctx context.Context, dir, title string, dryRun bool) (Published, error) {
	limited, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	out, err := b.publish(limited, dir, title, dryRun)
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		err = fmt.Errorf("publishing to %s has not ended within %s, and was given up: see that the remote answers",
			b.Remote, publishTime)
	}
	return out, err
}

func (b Branch) publish(ctx context.Context, dir, title string, dryRun bool) (Published, error) {
	out := Published{To: fmt.Sprintf("branch %s of %s", b.Name, b.Remote), Written: []string{}, Removed: []string{}}
	pages, err := read(dir)
	if err != nil {
		return out, err
	}
	if out.Files = len(pages); slices.ContainsFunc(slices.Collect(maps.Keys(pages)),
		func(name string) bool { return strings.ContainsAny(name, "\n\"\\") }) {
		return out, errors.New("the site has a file with a line break, a quote or a backslash in its name: rename the " +
			"article that it is of")
	}
	g, err := openRepository(ctx, b.Repository)
	if err != nil {
		return out, err
	}
	defer os.RemoveAll(g.temporary)
	url, err := g.address(b.Remote)
	if err != nil {
		return out, err
	}
	if _, err := g.Run("", "check-ref-format", "refs/heads/"+b.Name); err != nil {
		return out, fmt.Errorf("%q cannot be the name of a branch: name another one with --branch", b.Name)
	}
	if head, err := g.Run("", "symbolic-ref", "--quiet", "--short", "HEAD"); err == nil && head == b.Name {
		return out, fmt.Errorf("%s is the branch that you work on: name one for the site alone with --branch", b.Name)
	}
	if pages[manifestFile], err = manifestOf(slices.Sorted(maps.Keys(pages))); err != nil {
		return out, err
	}
	blobs, err := g.blobs(pages)
	if err != nil {
		return out, err
	}
	for range attempts {
		var commit string
		if commit, err = g.commit(b, url, title, blobs, &out); err != nil || commit == "" {
			return out, err
		}
		if dryRun {
			return out, nil
		}
		err = g.push(url, commit, b)
		if !errors.Is(err, files.ErrMoved) {
			out.Commit = commit
			break
		}
	}
	return out, err
}

// A branchRepository is one that is published from, without changing it.
type branchRepository struct {
	*files.Repository
	temporary string // folder
	head      string // revision that is checked out, short; empty if there is none
}

func openRepository(ctx context.Context, dir string) (*branchRepository, error) {
	g := &branchRepository{Repository: files.Git(ctx, dir)}
	objects, err := g.Run("", "rev-parse", "--path-format=absolute", "--git-path", "objects")
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("publishing to a branch needs git: install it, or name a folder to publish to")
	case err != nil && strings.Contains(err.Error(), "not a git repository"):
		return nil, fmt.Errorf("%s is in no git repository: make one with git init and git remote add, or name a folder "+
			"to publish to", dir)
	case err != nil:
		return nil, fmt.Errorf("looking at the git repository: %w", err)
	}
	g.head, _ = g.Run("", "rev-parse", "--short", "--verify", "--quiet", "HEAD")
	if g.temporary, err = os.MkdirTemp("", "benchbook-publish-"); err != nil {
		return nil, fmt.Errorf("publishing: %w", err)
	}
	made := filepath.Join(g.temporary, "objects")
	if err := os.Mkdir(made, 0o700); err != nil {
		return nil, errors.Join(fmt.Errorf("publishing: %w", err), os.RemoveAll(g.temporary))
	}
	g.Repository = g.With("GIT_OBJECT_DIRECTORY="+made, "GIT_ALTERNATE_OBJECT_DIRECTORIES="+strconv.Quote(objects),
		"GIT_INDEX_FILE="+filepath.Join(g.temporary, "index"))
	return g, nil
}

// address returns the URL of a remote. Pushing to the URL leaves no trace in the repository, as pushing to the name
// would.
func (g *branchRepository) address(remote string) (string, error) {
	if strings.ContainsAny(remote, `/:\`) || remote == "." || remote == ".." {
		if abs, err := filepath.Abs(remote); err == nil && !strings.Contains(remote, ":") {
			return abs, nil
		}
		return remote, nil
	}
	url, err := g.Run("", "remote", "get-url", "--push", "--", remote)
	if err == nil {
		return url, nil
	}
	known, err := g.Run("", "remote")
	if err != nil || known == "" {
		return "", fmt.Errorf("the repository has no remote %q, and no other: add it with git remote add %s ADDRESS", remote,
			remote)
	}
	return "", fmt.Errorf("the repository has no remote %q: name one with --remote, it has %s", remote,
		strings.Join(strings.Fields(known), ", "))
}

// blobs writes the files of a site as objects and returns their names.
func (g *branchRepository) blobs(files map[string][]byte) (map[string]string, error) {
	names := slices.Sorted(maps.Keys(files))
	var paths strings.Builder
	for i, name := range names {
		// The bytes that were read are those that are published, whatever happens to the folder meanwhile.
		file := filepath.Join(g.temporary, "files", strconv.Itoa(i))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return nil, fmt.Errorf("publishing: %w", err)
		}
		if err := os.WriteFile(file, files[name], 0o600); err != nil {
			return nil, fmt.Errorf("publishing: %w", err)
		}
		fmt.Fprintln(&paths, file)
	}
	printed, err := g.Run(paths.String(), "hash-object", "-w", "--no-filters", "--stdin-paths")
	if err != nil {
		return nil, err
	}
	blobs := map[string]string{}
	for i, blob := range strings.Fields(printed) {
		blobs[names[i]] = blob
	}
	return blobs, nil
}

// commit puts a site on top of the branch; empty if the branch has it.
func (g *branchRepository) commit(b Branch, url, title string, blobs map[string]string, out *Published) (string,
	error) {
	tip, err := g.fetch(url, b)
	if err != nil {
		return "", err
	}
	there, before := map[string]string{}, map[string]string{} // of the tip; and of what we wrote last, as we wrote it
	if tip != "" {
		if there, err = g.Tree(tip, ""); err != nil {
			return "", err
		}
		if before, err = g.before(tip); err != nil {
			return "", err
		}
	}
	if err := g.foreign(b, tip, there, before, blobs); err != nil {
		return "", err
	}
	index := out.changes(there, before, blobs)
	if index == "" {
		return "", nil
	}
	tree, err := g.WriteTree(tip, index)
	if err != nil {
		return "", err
	}
	message := "Publish " + title + "\n\n"
	if g.head != "" {
		message += "From " + g.head + ".\n\n"
	}
	return g.Commit(tip, tree, message+publishTrailer+"\n")
}

// changes lists what a site changes of a tree, for git's index; before is what we wrote last.
func (p *Published) changes(there, before, blobs map[string]string) string {
	p.Written, p.Removed = []string{}, []string{} // also of an attempt that came too late
	var index strings.Builder
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, kept := blobs[name]; !kept && there[name] != "" {
			p.Removed = append(p.Removed, name)
			index.WriteString(files.TreeChange(name, ""))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(blobs)) {
		if there[name] != blobs[name] {
			p.Written = append(p.Written, name)
			index.WriteString(files.TreeChange(name, blobs[name]))
		}
	}
	return index.String()
}

// fetch fetches the branch; empty without one.
func (g *branchRepository) fetch(url string, b Branch) (tip string, err error) {
	ref := "refs/heads/" + b.Name
	found, err := g.Run("", "ls-remote", "--", url, ref)
	if err != nil {
		return "", fmt.Errorf("%s cannot be read: see that its address is right and that you may read it (%w)", b.Remote, err)
	}
	for line := range strings.Lines(found) {
		if commit, name, _ := strings.Cut(strings.TrimSpace(line), "\t"); name == ref {
			tip = commit
		}
	}
	if tip == "" {
		return "", nil
	}
	if _, err := g.Run("", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--", url,
		ref); err != nil {
		return "", fmt.Errorf("%s cannot be read: %w", b.Remote, err)
	}
	return tip, nil
}

// before returns the files of the last published commit below a commit; empty without one.
func (g *branchRepository) before(tip string) (map[string]string, error) {
	last, err := g.Run("", "log", "-1", "--first-parent", "--format=%H", "--grep=^"+publishTrailer+"$", tip)
	if err != nil || last == "" {
		return nil, err
	}
	all, err := g.Tree(last, "")
	if err != nil {
		return nil, err
	}
	text, err := g.Run("", "cat-file", "blob", last+":"+manifestFile)
	if err != nil {
		return nil, err
	}
	var m manifest
	if err := json.Unmarshal([]byte(text), &m); err != nil || m.SchemaVersion != manifestVersion {
		return nil, fmt.Errorf("what was published before has a %s that this version does not know: name another branch "+
			"with --branch", manifestFile)
	}
	ours := map[string]string{}
	for _, name := range append(m.Files, manifestFile) {
		if blob, ok := all[name]; ok {
			ours[name] = blob
		}
	}
	return ours, nil
}

// foreign is an error if files of others would be overwritten or removed.
func (g *branchRepository) foreign(b Branch, tip string, there, before, blobs map[string]string) error {
	var names []string
	for name, blob := range there {
		wanted, isOurs := blobs[name]
		was, wasOurs := before[name]
		switch {
		case wasOurs && was == blob, isOurs && wanted == blob:
		case isOurs || wasOurs:
			names = append(names, name)
		default: // it stays, unless the site needs a folder of that name, or has a file where its folder is
			for other := range blobs {
				if strings.HasPrefix(other, name+"/") || strings.HasPrefix(name, other+"/") {
					names = append(names, name)
					break
				}
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	who, err := g.Run("", "log", "-1", "--format=%h by %an", tip, "--", ":(top,literal)"+names[0])
	if err != nil {
		return err
	}
	const shown = 3
	list := strings.Join(names[:min(shown, len(names))], ", ")
	if len(names) > shown {
		list += fmt.Sprintf(" and %d more", len(names)-shown)
	}
	return fmt.Errorf("branch %s of %s has files that somebody else has committed, and that the site would replace: %s "+
		"(%s): take them out of the branch, or name another one with --branch", b.Name, b.Remote, list, who)
}

// push pushes a commit, never by force.
func (g *branchRepository) push(url, commit string, b Branch) error {
	err := g.Push(url, commit, b.Name)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, files.ErrMoved):
		return fmt.Errorf("branch %s of %s: %w", b.Name, b.Remote, err)
	}
	return fmt.Errorf("%s does not take branch %s: "+
		"see that you may write there, and that the branch is not protected (%w)", b.Remote, b.Name, err)
}
