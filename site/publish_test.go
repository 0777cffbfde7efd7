package site

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// A publisher is a project in a repository, with a bare one as its remote.
type publisher struct {
	t                 *testing.T
	dir, remote, site string
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
	must.Git(p.dir, "init", "-q", "-b", "main")
	must.Git(p.dir, "config", "user.name", "Author")
	must.Git(p.dir, "config", "user.email", "author@example.org")
	must.Git(t.TempDir(), "init", "-q", "--bare", p.remote)
	must.Git(p.dir, "remote", "add", "origin", p.remote)
	return p
}

// render makes a site of files.
func (p *publisher) render(files map[string]string) {
	p.t.Helper()
	data := map[string]File{}
	for name, text := range files {
		data[name] = File{Data: []byte(text)}
	}
	must.Get(update(p.site, data))
}

// publish publishes the site, and checks that nothing changes here, also in what git keeps.
func (p *publisher) publish(dryRun bool) (Published, error) {
	p.t.Helper()
	before := contents(p.dir)
	out, err := Branch{Repository: p.dir, Remote: "origin", Name: "gh-pages"}.Publish(p.t.Context(), p.site, "Test site", dryRun)
	assert.Map(p.t, contents(p.dir), before, "the files here")
	return out, err
}

func (p *publisher) mustPublish() Published {
	p.t.Helper()
	return must.Get(p.publish(false))
}

// elsewhere lets somebody else commit a file to the branch.
func (p *publisher) elsewhere(name, text string) {
	p.t.Helper()
	dir := filepath.Join(p.t.TempDir(), "clone")
	must.Git(p.t.TempDir(), "clone", "-q", p.remote, dir)
	if strings.Contains(must.Git(dir, "branch", "-r"), "origin/gh-pages") {
		must.Git(dir, "checkout", "-q", "gh-pages")
	} else {
		must.Git(dir, "checkout", "-q", "-b", "gh-pages")
	}
	must.Write(filepath.Join(dir, name), text)
	must.Git(dir, "add", "-A")
	must.Git(dir, "commit", "-q", "-m", "Write "+name)
	must.Git(dir, "push", "-q", "origin", "gh-pages")
}

// contents digests the files below a folder, those of git too.
func contents(dir string) map[string]string {
	out := map[string]string{}
	must.Do(filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			out[name] = fmt.Sprintf("%x", sha256.Sum256(must.Get(os.ReadFile(name))))
		}
		return err
	}))
	return out
}

// wants compares the branch, without our manifest.
func (p *publisher) wants(want map[string]string) {
	p.t.Helper()
	want = maps.Clone(want)
	want[noJekyll] = ""
	got := map[string]string{}
	for _, name := range strings.Fields(must.Git(p.remote, "ls-tree", "-r", "--name-only", "gh-pages")) {
		if name != manifestFile {
			got[name] = must.Git(p.remote, "cat-file", "blob", "gh-pages:"+name)
		}
	}
	assert.Map(p.t, got, want, "the branch")
}

func TestPublish(t *testing.T) {
	slowtest.Skip(t)
	p := newPublisher(t) // there are no commits yet
	site := map[string]string{"index.html": "one", "pair/index.html": "pair", "pair/old.svg": "old"}
	p.render(site)
	if out, err := p.publish(true); err != nil || out.Commit != "" || len(out.Written) != 4 {
		t.Errorf("a dry run gives %+v, %v", out, err)
	}
	assert.Equal(t, must.Git(p.remote, "for-each-ref"), "", "left by a dry run")
	first := p.mustPublish()
	p.wants(site)
	if again := p.mustPublish(); again.Commit != "" || len(again.Written)+len(again.Removed) > 0 {
		t.Errorf("publishing the same again gives %+v", again)
	}

	must.Write(filepath.Join(p.dir, "article.md"), "text")
	must.Git(p.dir, "add", "article.md")
	must.Git(p.dir, "commit", "-q", "-m", "write")
	must.Git(p.dir, "checkout", "-q", "--detach")
	must.Write(filepath.Join(p.dir, "staged"), "not committed")
	must.Git(p.dir, "add", "staged")
	site = map[string]string{"index.html": "two", "pair/index.html": "pair"}
	p.render(site)
	out := p.mustPublish()
	p.wants(site)
	assert.Slice(t, out.Removed, []string{"pair/old.svg"}, "removed")
	assert.Equal(t, must.Git(p.remote, "rev-parse", "gh-pages^"), first.Commit, "the commit follows")
	message := must.Git(p.remote, "log", "-1", "--format=%an: %B", "gh-pages")
	assert.Contains(t, message, "Author: Publish Test site", "From "+must.Git(p.dir, "rev-parse", "--short", "HEAD"))

	// A file of others stays, and what they committed too.
	p.elsewhere("CNAME", "bench.example")
	site["index.html"] = "three"
	p.render(site)
	p.mustPublish()
	site["CNAME"] = "bench.example"
	p.wants(site)
	assert.Equal(t, must.Git(p.remote, "log", "--format=%s", "gh-pages"),
		"Publish Test site\nWrite CNAME\nPublish Test site\nPublish Test site", "the commits")

	// A file that others added is not replaced by one of ours.
	p.elsewhere("other/index.html", "theirs")
	site["other/index.html"] = "ours"
	p.render(site)
	_, err := p.publish(false)
	assert.Error(t, err, "other/index.html")
	assert.Error(t, err, "in publish: of benchbook.yaml")
	assert.Lacks(t, err.Error(), os.TempDir())
	site["other/index.html"] = "theirs"
	p.wants(site)
}

// If somebody else pushes between our fetch and our push, the site is committed on top of that.
func TestPublishMeanwhile(t *testing.T) {
	p := newPublisher(t)
	p.render(map[string]string{"index.html": "one"})
	p.mustPublish()
	p.render(map[string]string{"index.html": "two"})
	// The remote moves by itself as soon as a push arrives, the first time.
	hook := fmt.Sprintf(`#!/bin/sh
[ -e '%[1]s' ] && exit 0
touch '%[1]s'
unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x@y GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x@y
git update-ref refs/heads/gh-pages $(git commit-tree -p gh-pages -m meanwhile gh-pages^{tree})
`, filepath.Join(t.TempDir(), "once"))
	must.Do(os.WriteFile(filepath.Join(p.remote, "hooks", "pre-receive"), []byte(hook), 0o755))
	p.mustPublish()
	assert.Equal(t, must.Git(p.remote, "log", "--format=%s", "gh-pages"),
		"Publish Test site\nmeanwhile\nPublish Test site", "the commits")
}

// Errors say in one line what to do.
func TestPublishFails(t *testing.T) {
	slowtest.Skip(t)
	for _, test := range []struct {
		name string
		to   func(p *publisher) Branch
		want []string
	}{
		{"no site", func(p *publisher) Branch {
			must.Do(os.RemoveAll(p.site))
			return Branch{p.dir, "origin", "gh-pages"}
		}, []string{"make it with benchbook render"}},
		{"no repository", func(p *publisher) Branch { return Branch{p.t.TempDir(), "origin", "gh-pages"} },
			[]string{"is in no git repository", "render -o FOLDER"}},
		{"no such remote", func(p *publisher) Branch { return Branch{p.dir, "upstream", "gh-pages"} },
			[]string{`no remote "upstream"`, "it has origin"}},
		{"the remote is gone", func(p *publisher) Branch {
			must.Do(os.RemoveAll(p.remote))
			return Branch{p.dir, "origin", "gh-pages"}
		}, []string{"origin cannot be read", "see that its address is right"}},
		{"no rights", func(p *publisher) Branch {
			hook := "#!/bin/sh\necho you may not write here >&2\nexit 1\n"
			must.Do(os.WriteFile(filepath.Join(p.remote, "hooks", "pre-receive"), []byte(hook), 0o755))
			return Branch{p.dir, "origin", "gh-pages"}
		}, []string{"origin does not take branch gh-pages", "see that you may write there", "you may not write here"}},
		{"no git", func(p *publisher) Branch {
			p.t.Setenv("PATH", p.t.TempDir())
			return Branch{p.dir, "origin", "gh-pages"}
		}, []string{"needs git: install it"}},
		{"the branch that one works on", func(p *publisher) Branch { return Branch{p.dir, "origin", "main"} },
			[]string{"main is the branch that you work on"}},
		{"no name of a branch", func(p *publisher) Branch { return Branch{p.dir, "origin", "a..b"} },
			[]string{`"a..b" cannot be the name of a branch`}},
		{"nobody", func(p *publisher) Branch {
			must.Git(p.dir, "config", "user.useConfigOnly", "true")
			must.Git(p.dir, "config", "--unset", "user.email")
			return Branch{p.dir, "origin", "gh-pages"}
		}, []string{"git does not know who you are"}},
		{"a branch that somebody else made", func(p *publisher) Branch {
			p.elsewhere("README.md", "theirs")
			return Branch{p.dir, "origin", "gh-pages"}
		}, []string{"holds files that no build of a site wrote"}},
		{"a remote that hangs", func(p *publisher) Branch {
			was := publishTime
			p.t.Cleanup(func() { publishTime = was })
			publishTime = 2 * time.Second
			must.Git(p.dir, "remote", "set-url", "origin", "ssh://example.invalid/x")
			p.t.Setenv("GIT_SSH_COMMAND", "sleep 60 #")
			return Branch{p.dir, "origin", "gh-pages"}
		}, []string{"has not ended within 2s"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPublisher(t)
			p.render(map[string]string{"index.html": "one"})
			_, err := test.to(p).Publish(t.Context(), p.site, "Test site", false)
			for _, want := range test.want {
				if assert.Error(t, err, want); err != nil && strings.Contains(err.Error(), "\n") {
					t.Errorf("several lines: %v", err)
				}
			}
		})
	}
}
