package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
	put(t, filepath.Join(folder, "Dockerfile"), "FROM scratch\nCOPY a.txt /\n")
	put(t, filepath.Join(folder, "a.txt"), "one")
	put(t, filepath.Join(dir, ".gitattributes"), "* filter=evil diff=evil merge=evil ident\n")
	remote := filepath.Join(t.TempDir(), "remote.git")
	sub := filepath.Join(dir, "sub")
	put(t, filepath.Join(sub, ".gitattributes"), "* filter=below\n")
	put(t, filepath.Join(sub, "file"), "one")
	inGit(t, sub)
	git(t, sub, "commit", "-q", "-m", "one")
	git(t, dir, "init", "-q", "--bare", remote)
	inGit(t, dir)
	git(t, dir, "commit", "-q", "-m", "one")
	git(t, dir, "remote", "add", "origin", remote)
	proof := filepath.Join(t.TempDir(), "ran")
	touch := filepath.Join(t.TempDir(), "touch.sh")
	put(t, touch, "#!/bin/sh\necho \"$0 $@\" >> "+proof+"\n")
	must.Do(os.Chmod(touch, 0o755))
	for _, key := range []string{"core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.gitProxy", "core.askPass",
		"core.alternateRefsCommand", "diff.external", "diff.evil.command", "diff.evil.textconv", "merge.evil.driver",
		"filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "credential.helper", "gpg.program",
		"sequence.editor", "uploadpack.packObjectsHook", "pager.status", "pager.diff", "pager.log", "alias.status",
		"alias.ls-files", "remote.origin.uploadpack", "remote.origin.receivepack", "interactive.diffFilter"} {
		git(t, dir, "config", key, touch)
	}
	git(t, dir, "config", "filter.evil.required", "true")
	git(t, sub, "config", "filter.below.clean", touch)
	put(t, filepath.Join(sub, "file"), "two")
	git(t, dir, "config", "commit.gpgSign", "true")
	hooks := filepath.Join(dir, ".git", "hooks")
	for _, hook := range []string{"pre-commit", "post-checkout", "post-index-change", "reference-transaction", "pre-auto-gc",
		"fsmonitor-watchman", "post-commit", "commit-msg"} {
		must.Do(errors.Join(os.MkdirAll(hooks, 0o755), os.Symlink(touch, filepath.Join(hooks, hook))))
	}
	put(t, filepath.Join(folder, "a.txt"), "two")
	for _, args := range [][]string{{"check"}, {"plan"}, {"run"}, {"show"}, {"compare", "HEAD", "full"}, {"render"},
		{"doctor"}, {"clean"}, {"bundle", "pair", "--output", filepath.Join(t.TempDir(), "pair.bundle")},
		{"publish", "--dry-run"}, {"publish"}, {"bench", "HEAD", "--dirty"}} {
		status, _, stderr := benchbook(dir, args...)
		if ran, err := os.ReadFile(proof); err == nil {
			t.Errorf("%q ran %s", args, ran)
			_ = os.Remove(proof)
		}
		if want := map[string]int{"compare": 2, "bundle": 1}[args[0]]; status != want {
			t.Errorf("%q: status %d, want %d\n%s", args, status, want, stderr)
		}
	}
}
