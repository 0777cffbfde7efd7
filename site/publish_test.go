package site

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// gitIn runs git in a folder, as somebody.
func gitIn(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=Somebody Else", "GIT_AUTHOR_EMAIL=else@example.org", "GIT_COMMITTER_NAME=Somebody Else",
		"GIT_COMMITTER_EMAIL=else@example.org")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// A publisher is a project in a repository, with a bare one as its remote.
type publisher struct {
	t           *testing.T
	dir, remote string
	site        string
}

func newPublisher(t *testing.T) *publisher {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git; install it with apt-get install git")
	}
	t.Setenv("GIT_CONFIG_GLOBAL", "/dev/null")
	t.Setenv("GIT_CONFIG_SYSTEM", "/dev/null")
	t.Setenv("GIT_TERMINAL_PROMPT", "0")
	p := &publisher{t: t, dir: filepath.Join(t.TempDir(), "project: one"), remote: filepath.Join(t.TempDir(), "pages.git")}
	p.site = filepath.Join(p.dir, "_site")
	must.Do(os.Mkdir(p.dir, 0o755))
	gitIn(t, p.dir, "init", "-q", "-b", "main")
	gitIn(t, p.dir, "config", "user.name", "Author")
	gitIn(t, p.dir, "config", "user.email", "author@example.org")
	gitIn(t, t.TempDir(), "init", "-q", "--bare", p.remote)
	gitIn(t, p.dir, "remote", "add", "origin", p.remote)
	return p
}

// render makes a site of files.
func (p *publisher) render(files map[string]string) {
	p.t.Helper()
	data := map[string]File{}
	for name, text := range files {
		data[name] = File{Data: []byte(text)}
	}
	must.Get(update(p.site, data, false))
}

func (p *publisher) publish(dryRun bool) (Published, error) {
	p.t.Helper()
	before := contents(p.t, p.dir)
	out, err := Branch{Repository: p.dir, Remote: "origin", Name: "gh-pages"}.Publish(p.t.Context(), p.site, "Test site",
		dryRun)
	if after := contents(p.t, p.dir); !maps.Equal(before, after) {
		p.t.Errorf("publishing changed something here: %v", changedIn(before, after))
	}
	return out, err
}

func (p *publisher) mustPublish() Published {
	p.t.Helper()
	return must.Get(p.publish(false))
}

// pages are the files of the branch, but for our manifest.
func (p *publisher) pages() map[string]string {
	p.t.Helper()
	out := map[string]string{}
	for _, name := range strings.Fields(gitIn(p.t, p.remote, "ls-tree", "-r", "--name-only", "gh-pages")) {
		if name != manifestFile {
			out[name] = gitIn(p.t, p.remote, "cat-file", "blob", "gh-pages:"+name)
		}
	}
	return out
}

// elsewhere lets somebody else commit to the branch.
func (p *publisher) elsewhere(message string, change func(dir string)) {
	p.t.Helper()
	dir := filepath.Join(p.t.TempDir(), "clone")
	gitIn(p.t, p.t.TempDir(), "clone", "-q", p.remote, dir)
	if strings.Contains(gitIn(p.t, dir, "branch", "-r"), "origin/gh-pages") {
		gitIn(p.t, dir, "checkout", "-q", "gh-pages")
	} else {
		gitIn(p.t, dir, "checkout", "-q", "-b", "gh-pages")
	}
	change(dir)
	gitIn(p.t, dir, "add", "-A")
	gitIn(p.t, dir, "commit", "-q", "-m", message)
	gitIn(p.t, dir, "push", "-q", "origin", "gh-pages")
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	name = filepath.Join(dir, name)
	must.Do(os.MkdirAll(filepath.Dir(name), 0o755))
	must.Do(os.WriteFile(name, []byte(text), 0o644))
}

// contents digests every file below a folder, those of git too.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	must.Do(filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			out[name] = "folder"
			return err
		}
		data, err := os.ReadFile(name)
		out[name] = fmt.Sprintf("%x", sha256.Sum256(data))
		return err
	}))
	return out
}

func changedIn(a, b map[string]string) (names []string) {
	for name := range b {
		if a[name] != b[name] {
			names = append(names, name)
		}
	}
	for name := range a {
		if _, has := b[name]; !has {
			names = append(names, name)
		}
	}
	return names
}

func (p *publisher) wants(want map[string]string) {
	p.t.Helper()
	want = maps.Clone(want)
	want[noJekyll] = ""
	if got := p.pages(); !maps.Equal(got, want) {
		p.t.Errorf("the branch has %q, want %q", got, want)
	}
}

func TestPublish(t *testing.T) {
	slowtest.Skip(t)
	p := newPublisher(t) // there are no commits yet
	site := map[string]string{"index.html": "one", "pair/index.html": "pair", "pair/old.svg": "old"}
	p.render(site)
	if out, err := p.publish(true); err != nil || out.Commit != "" || len(out.Written) != 4 {
		t.Errorf("a dry run gives %+v, %v", out, err)
	}
	assert.Equal(t, gitIn(t, p.remote, "for-each-ref"), "", "left by a dry run")
	first := p.mustPublish()
	p.wants(site)
	if again := p.mustPublish(); again.Commit != "" || len(again.Written)+len(again.Removed) > 0 {
		t.Errorf("publishing the same again gives %+v", again)
	}

	put(t, p.dir, "article.md", "text")
	gitIn(t, p.dir, "add", "article.md")
	gitIn(t, p.dir, "commit", "-q", "-m", "write")
	gitIn(t, p.dir, "checkout", "-q", "--detach")
	put(t, p.dir, "staged", "not committed")
	gitIn(t, p.dir, "add", "staged")
	site = map[string]string{"index.html": "two", "pair/index.html": "pair"}
	p.render(site)
	out := p.mustPublish()
	p.wants(site)
	assert.Slice(t, out.Removed, []string{"pair/old.svg"}, "removed")
	assert.Equal(t, gitIn(t, p.remote, "rev-parse", "gh-pages^"), first.Commit, "the commit follows")
	message := gitIn(t, p.remote, "log", "-1", "--format=%an: %B", "gh-pages")
	assert.Contains(t, message, "Author: Publish Test site", "From "+gitIn(t, p.dir, "rev-parse", "--short", "HEAD"))

	// A file of others stays, and what they committed too.
	p.elsewhere("Name the domain", func(dir string) { put(t, dir, "CNAME", "bench.example") })
	site["index.html"] = "three"
	p.render(site)
	p.mustPublish()
	site["CNAME"] = "bench.example"
	p.wants(site)
	if log := gitIn(t, p.remote, "log", "--format=%s", "gh-pages"); strings.Count(log, "\n") != 3 ||
		!strings.Contains(log, "Name the domain") {
		t.Errorf("the branch has the commits %q", log)
	}
}

// Files that somebody else committed stay.
func TestPublishRefuses(t *testing.T) {
	slowtest.Skip(t)
	site := map[string]string{"index.html": "ours", "pair/index.html": "pair"}
	for _, test := range []struct {
		name   string
		change func(p *publisher)
		want   string
	}{
		{"a branch that somebody else made", func(p *publisher) {
			p.elsewhere("Write a page", func(dir string) { put(t, dir, "README.md", "theirs") })
		}, "holds files that no build of a site wrote"},
		{"a file of somebody else where the site has one", func(p *publisher) {
			p.render(map[string]string{"index.html": "ours"})
			p.mustPublish()
			p.elsewhere("Write a page", func(dir string) { put(t, dir, "pair/index.html", "theirs") })
		}, "pair/index.html"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPublisher(t)
			test.change(p)
			tip := gitIn(t, p.remote, "rev-parse", "gh-pages")
			p.render(site)
			_, err := p.publish(false)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "in publish: of benchbook.yaml") ||
				strings.Contains(err.Error(), os.TempDir()) {
				t.Errorf("got %v", err)
			}
			if now := gitIn(t, p.remote, "rev-parse", "gh-pages"); now != tip {
				t.Error("the branch was changed")
			}
		})
	}
}

// Somebody else pushes between our looking and our pushing: the site goes on top of that.
func TestPublishMeanwhile(t *testing.T) {
	p := newPublisher(t)
	p.render(map[string]string{"index.html": "one"})
	p.mustPublish()
	p.render(map[string]string{"index.html": "two"})
	once := filepath.Join(t.TempDir(), "once")
	// The remote moves by itself as soon as a push arrives, the first time.
	hook := fmt.Sprintf(`#!/bin/sh
[ -e '%[1]s' ] && exit 0
touch '%[1]s'
unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x@y GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x@y
git update-ref refs/heads/gh-pages $(git commit-tree -p gh-pages -m meanwhile gh-pages^{tree})
`, once)
	must.Do(os.WriteFile(filepath.Join(p.remote, "hooks", "pre-receive"), []byte(hook), 0o755))
	p.mustPublish()
	if log := gitIn(t, p.remote, "log", "--format=%s",
		"gh-pages"); log != "Publish Test site\nmeanwhile\nPublish Test site" {
		t.Errorf("the branch has the commits %q", log)
	}
}

func TestPublishFails(t *testing.T) {
	slowtest.Skip(t)
	for _, test := range []struct {
		name string
		to   func(p *publisher) Branch
		want []string
	}{
		{"no such remote", func(p *publisher) Branch { return Branch{p.dir, "upstream", "gh-pages"} },
			[]string{`no remote "upstream"`, "it has origin"}},
		{"no remote at all", func(p *publisher) Branch {
			gitIn(p.t, p.dir, "remote", "remove", "origin")
			return Branch{p.dir, "origin", "gh-pages"}
		}, []string{`no remote "origin"`, "git remote add origin ADDRESS"}},
		{"the remote is gone", func(p *publisher) Branch {
			must.Do(os.RemoveAll(p.remote))
			return Branch{p.dir, "origin", "gh-pages"}
		}, []string{"origin cannot be read", "see that its address is right"}},
		{"no rights", func(p *publisher) Branch {
			hook := "#!/bin/sh\necho you may not write here >&2\nexit 1\n"
			must.Do(os.WriteFile(filepath.Join(p.remote, "hooks", "pre-receive"), []byte(hook), 0o755))
			return Branch{p.dir, "origin", "gh-pages"}
		}, []string{"origin does not take branch gh-pages", "see that you may write there", "you may not write here"}},
		{"no repository", func(p *publisher) Branch { return Branch{p.t.TempDir(), "origin", "gh-pages"} },
			[]string{"is in no git repository", "name a folder"}},
		{"no git", func(p *publisher) Branch {
			p.t.Setenv("PATH", p.t.TempDir())
			return Branch{p.dir, "origin", "gh-pages"}
		}, []string{"needs git: install it"}},
		{"the branch that one works on", func(p *publisher) Branch { return Branch{p.dir, "origin", "main"} },
			[]string{"main is the branch that you work on"}},
		{"no name of a branch", func(p *publisher) Branch { return Branch{p.dir, "origin", "a..b"} },
			[]string{`"a..b" cannot be the name of a branch`}},
		{"nobody", func(p *publisher) Branch {
			gitIn(p.t, p.dir, "config", "user.useConfigOnly", "true")
			gitIn(p.t, p.dir, "config", "--unset", "user.email")
			return Branch{p.dir, "origin", "gh-pages"}
		}, []string{"git does not know who you are"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPublisher(t)
			p.render(map[string]string{"index.html": "one"})
			to := test.to(p)
			_, err := to.Publish(t.Context(), p.site, "Test site", false)
			for _, want := range test.want {
				if assert.Error(t, err, want); err != nil && strings.Contains(err.Error(), "\n") {
					t.Errorf("several lines: %v", err)
				}
			}
		})
	}
	t.Run("no site", func(t *testing.T) {
		p := newPublisher(t)
		_, err := p.publish(false)
		assert.Error(t, err, "make it with benchbook render")
	})
	t.Run("a remote that hangs", func(t *testing.T) {
		defer func(d time.Duration) { publishTime = d }(publishTime)
		publishTime = 2 * time.Second
		p := newPublisher(t)
		p.render(map[string]string{"index.html": "one"})
		gitIn(p.t, p.dir, "remote", "set-url", "origin", "ssh://example.invalid/x")
		t.Setenv("GIT_SSH_COMMAND", "sleep 60 #")
		began := time.Now()
		_, err := p.publish(false)
		assert.Error(t, err, "has not ended within 2s")
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("it took %s", took)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		p := newPublisher(t)
		p.render(map[string]string{"index.html": "one"})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := (Branch{p.dir, "origin", "gh-pages"}).Publish(ctx, p.site, "Test site", false); !errors.Is(err,
			context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestPublishFolder(t *testing.T) {
	p := newPublisher(t)
	p.render(map[string]string{"index.html": "one", "old.html": "old"})
	to := filepath.Join(t.TempDir(), "www")
	if out, err := PublishFolder(p.site, to, true); err != nil ||
		!slices.Equal(out.Written, []string{noJekyll, "index.html", "old.html"}) {
		t.Errorf("a dry run gives %+v, %v", out, err)
	}
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a dry run makes the folder")
	}
	must.Get(PublishFolder(p.site, to, false))
	put(t, to, "CNAME", "bench.example")
	p.render(map[string]string{"index.html": "two"})
	for _, dryRun := range []bool{true, false} {
		out, err := PublishFolder(p.site, to, dryRun)
		if err != nil || !slices.Equal(out.Written, []string{"index.html"}) ||
			!slices.Equal(out.Removed, []string{"old.html"}) {
			t.Errorf("dry run %v gives %+v, %v", dryRun, out, err)
		}
	}
	for name, want := range map[string]string{"index.html": "two", "CNAME": "bench.example", noJekyll: ""} {
		if data, err := os.ReadFile(filepath.Join(to, name)); err != nil || string(data) != want {
			t.Errorf("%s has %q, %v, want %q", name, data, err, want)
		}
	}
	theirs := t.TempDir()
	put(t, theirs, "index.html", "theirs")
	if _, err := PublishFolder(p.site, theirs, false); err == nil || !strings.Contains(err.Error(),
		"holds files that no build of a site wrote") {
		t.Errorf("got %v", err)
	}
}
