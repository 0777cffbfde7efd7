package site

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"benchbook/internal/files"
)

// noJekyll makes GitHub Pages serve files whose names begin with _.
const noJekyll = ".nojekyll"

// Published is the result of publishing a site.
type Published struct {
	To     string // the target in words
	Commit string // empty for a dry run, or if nothing changed
	Report
}

// built returns the files of the site in dir, and those that publishing adds.
func built(dir string) (map[string]File, error) {
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
	out := map[string]File{noJekyll: {}}
	for _, name := range names {
		if info, err := root.Lstat(filepath.FromSlash(name)); err != nil || !info.Mode().IsRegular() {
			return nil, fmt.Errorf("the site in %s lacks the file %s: make it again with benchbook render", dir, name)
		}
		out[name] = File{From: filepath.Join(dir, filepath.FromSlash(name))}
	}
	return out, nil
}

// Branch is a branch of a git remote to publish a site to, such as gh-pages. Publishing adds commits, never forces, and
// keeps files that others added. It does not change the local repository: neither working tree nor index, branches or
// objects.
type Branch struct {
	Repository string // a folder in it
	Remote     string // a name, such as origin, or an address
	Name       string // such as gh-pages
}

// attempts is how often a push is tried if others push at the same time.
const attempts = 3

// publishTime limits publishing, so that a hanging remote does not block a CI job.
var publishTime = 10 * time.Minute

// Publish commits the site in dir, which Build made, to the branch and pushes it. title goes into the commit message. A
// dry run commits and pushes nothing.
func (b Branch) Publish(ctx context.Context, dir, title string, dryRun bool) (out Published, err error) {
	limited, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	defer func() {
		if err != nil && ctx.Err() == nil && limited.Err() != nil {
			err = fmt.Errorf("publishing to %s has not ended within %s: see that the remote answers", b.Remote, publishTime)
		}
	}()
	out = Published{To: fmt.Sprintf("branch %s of %s", b.Name, b.Remote)}
	site, err := built(dir)
	if err != nil {
		return out, err
	}
	p, err := b.open(limited)
	if err != nil {
		return out, err
	}
	defer os.RemoveAll(p.temporary)
	for range attempts {
		tip, err := p.checkout()
		if err != nil {
			return out, err
		}
		if out.Report, err = update(p.work, site); err != nil {
			return out, fmt.Errorf("publishing to %s: %w; or name another branch in publish: of benchbook.yaml", out.To,
				errors.New(strings.ReplaceAll(err.Error(), p.work, "it")))
		}
		if dryRun || len(out.Written)+len(out.Removed) == 0 {
			return out, nil
		}
		commit, err := p.commit(tip, "Publish "+title)
		if err != nil {
			return out, err
		}
		switch err := p.Push(p.url, commit, b.Name); {
		case err == nil:
			out.Commit = commit
			return out, nil
		case !errors.Is(err, files.ErrMoved):
			return out, fmt.Errorf("%s does not take branch %s: see that you may write there, and that the branch is not "+
				"protected (%w)", b.Remote, b.Name, err)
		}
	}
	return out, fmt.Errorf("branch %s of %s: %w", b.Name, b.Remote, files.ErrMoved)
}

// A publication is a working tree of the branch in a temporary folder. It uses the configuration of the repository.
type publication struct {
	*files.Repository
	Branch
	url             string // of the remote: pushing to its name would update remote-tracking branches
	head            string // short revision of the repository; may be empty
	temporary, work string // folders
}

func (b Branch) open(ctx context.Context) (*publication, error) {
	here := files.Git(ctx, b.Repository)
	folders, err := here.Run("", "rev-parse", "--path-format=absolute", "--absolute-git-dir", "--git-path", "objects")
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("publishing needs git: install it, or make the site elsewhere with benchbook render -o FOLDER")
	case err != nil && strings.Contains(err.Error(), "not a git repository"):
		return nil, fmt.Errorf("%s is in no git repository: make one with git init and git remote add, or make the site "+
			"elsewhere with benchbook render -o FOLDER", b.Repository)
	case err != nil:
		return nil, fmt.Errorf("opening the git repository: %w", err)
	}
	gitDir, objects, _ := strings.Cut(folders, "\n")
	p := &publication{Branch: b}
	if p.url, err = b.address(here); err != nil {
		return nil, err
	}
	if _, err := here.Run("", "check-ref-format", "refs/heads/"+b.Name); err != nil {
		return nil, fmt.Errorf("%q cannot be the name of a branch: name another one in publish: of benchbook.yaml", b.Name)
	}
	if on, err := here.Run("", "symbolic-ref", "--quiet", "--short", "HEAD"); err == nil && on == b.Name {
		return nil, fmt.Errorf("%s is the branch that you work on: name one for the site alone in publish: of benchbook.yaml", b.Name)
	}
	p.head, _ = here.Run("", "rev-parse", "--short", "--verify", "--quiet", "HEAD")
	if p.temporary, err = os.MkdirTemp("", "benchbook-publish-"); err != nil {
		return nil, fmt.Errorf("publishing: %w", err)
	}
	p.work = filepath.Join(p.temporary, "work")
	own := filepath.Join(p.temporary, "objects")
	if err := errors.Join(os.Mkdir(p.work, 0o700), os.Mkdir(own, 0o700)); err != nil {
		return nil, errors.Join(fmt.Errorf("publishing: %w", err), os.RemoveAll(p.temporary))
	}
	p.Repository = files.Git(ctx, b.Repository, "GIT_DIR="+gitDir, "GIT_WORK_TREE="+p.work, "GIT_OBJECT_DIRECTORY="+own,
		"GIT_ALTERNATE_OBJECT_DIRECTORIES="+strconv.Quote(objects), "GIT_INDEX_FILE="+filepath.Join(p.temporary, "index"),
		// Files are published as they were rendered.
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=core.autocrlf", "GIT_CONFIG_VALUE_0=false")
	return p, nil
}

// address returns the URL of the remote.
func (b Branch) address(here *files.Repository) (string, error) {
	if strings.ContainsAny(b.Remote, `/:\`) || b.Remote == "." || b.Remote == ".." {
		if abs, err := filepath.Abs(b.Remote); err == nil && !strings.Contains(b.Remote, ":") {
			return abs, nil
		}
		return b.Remote, nil
	}
	url, err := here.Run("", "remote", "get-url", "--push", "--", b.Remote)
	if err != nil {
		known, _ := here.Run("", "remote")
		return "", fmt.Errorf("the repository has no remote %q: add it with git remote add %s ADDRESS, or name another one "+
			"in publish: of benchbook.yaml; it has %s", b.Remote, b.Remote, cmp.Or(strings.Join(strings.Fields(known), ", "), "none"))
	}
	return url, nil
}

// checkout fetches the branch and checks it out; tip is empty if the branch does not exist.
func (p *publication) checkout() (tip string, err error) {
	ref := "refs/heads/" + p.Name
	found, err := p.Run("", "ls-remote", "--", p.url, ref)
	tip, _, _ = strings.Cut(found, "\t")
	if err == nil && tip != "" {
		_, err = p.Run("", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--", p.url, ref)
	}
	if err != nil {
		return "", fmt.Errorf("%s cannot be read: see that its address is right and that you may read it (%w)", p.Remote, err)
	}
	if tip == "" {
		return "", nil
	}
	if _, err := p.Run("", "read-tree", "--reset", "-u", tip); err != nil {
		return "", fmt.Errorf("checking out branch %s: %w", p.Name, err)
	}
	return tip, nil
}

// commit commits the working tree on top of a tip, which may be empty.
func (p *publication) commit(tip, message string) (string, error) {
	if _, err := p.Run("", "add", "--all", "--force", "."); err != nil {
		return "", fmt.Errorf("adding the site to branch %s: %w", p.Name, err)
	}
	tree, err := p.Run("", "write-tree")
	if err != nil {
		return "", err
	}
	message += "\n"
	if p.head != "" {
		message += "\nFrom " + p.head + ".\n"
	}
	return p.Commit(tip, tree, message)
}
