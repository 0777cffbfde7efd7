package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// An article comes with its repository, whose configuration, hooks and attributes can name programs. No verb starts one,
// except the hook pre-push where it publishes.
func TestRepositoryThatRunsPrograms(t *testing.T) {
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	t.Setenv("GIT_CONFIG_SYSTEM", os.DevNull)
	for _, who := range []string{"AUTHOR_NAME", "AUTHOR_EMAIL", "COMMITTER_NAME", "COMMITTER_EMAIL"} {
		t.Setenv("GIT_"+who, "x")
	}
	built := strings.Replace(pair, `image: "server:${{ matrix.version }}"`, "build: {context: ., git: HEAD}", 1)
	dir, folder := project(t, "pair", built)
	must.Write(filepath.Join(folder, "Dockerfile"), "FROM scratch\nCOPY a.txt /\n")
	must.Write(filepath.Join(folder, "a.txt"), "one")
	must.Write(filepath.Join(dir, ".gitattributes"), "* filter=evil diff=evil merge=evil ident\n")
	remote := filepath.Join(t.TempDir(), "remote.git")
	sub := filepath.Join(dir, "sub")
	must.Write(filepath.Join(sub, ".gitattributes"), "* filter=below\n")
	must.Write(filepath.Join(sub, "file"), "one")
	inGit(sub)
	must.Git(sub, "commit", "-q", "-m", "one")
	must.Git(dir, "init", "-q", "--bare", remote)
	inGit(dir)
	must.Git(dir, "commit", "-q", "-m", "one")
	must.Git(dir, "remote", "add", "origin", remote)
	proof := filepath.Join(t.TempDir(), "ran")
	touch := filepath.Join(t.TempDir(), "touch.sh")
	must.Write(touch, "#!/bin/sh\necho \"$0 $@\" >> "+proof+"\n")
	must.Do(os.Chmod(touch, 0o755))
	for _, key := range []string{"core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.gitProxy", "core.askPass",
		"core.alternateRefsCommand", "diff.external", "diff.evil.command", "diff.evil.textconv", "merge.evil.driver",
		"filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "credential.helper", "gpg.program",
		"sequence.editor", "uploadpack.packObjectsHook", "pager.status", "pager.diff", "pager.log", "alias.status",
		"alias.ls-files", "remote.origin.uploadpack", "remote.origin.receivepack", "interactive.diffFilter"} {
		must.Git(dir, "config", key, touch)
	}
	must.Git(dir, "config", "filter.evil.required", "true")
	must.Git(sub, "config", "filter.below.clean", touch)
	must.Write(filepath.Join(sub, "file"), "two")
	must.Git(dir, "config", "commit.gpgSign", "true")
	hooks := filepath.Join(dir, ".git", "hooks")
	for _, hook := range []string{"pre-commit", "post-checkout", "post-index-change", "reference-transaction", "pre-auto-gc",
		"fsmonitor-watchman", "post-commit", "commit-msg"} {
		must.Do(errors.Join(os.MkdirAll(hooks, 0o755), os.Symlink(touch, filepath.Join(hooks, hook))))
	}
	must.Write(filepath.Join(folder, "a.txt"), "two")
	for _, args := range [][]string{{"check"}, {"plan"}, {"run"}, {"show"}, {"compare", "HEAD", "full"}, {"render"},
		{"doctor"}, {"clean"}, {"bundle", "pair", "--output", filepath.Join(t.TempDir(), "pair.bundle")},
		{"publish", "--dry-run"}, {"publish"}, {"bench", "HEAD", "--dirty"}} {
		status, _, stderr := benchbook(dir, args...)
		if ran, err := os.ReadFile(proof); err == nil {
			t.Errorf("%q ran %s", args, ran)
			_ = os.Remove(proof)
		}
		assert.Equal(t, status, map[string]int{"compare": 2, "bundle": 1}[args[0]], "status of %q\n%s", args, stderr)
	}
}
