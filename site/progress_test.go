package site_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"benchbook/site"
)

// contentsOf are the files below a folder, by path, with the manifest.
func contentsOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		out[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// follow begins to show progress on the pages in a folder.
func follow(t *testing.T, dir string, words string) *site.Follower {
	t.Helper()
	f, err := site.Follow(dir)
	if err != nil || f == nil {
		t.Fatal(f, err)
	}
	if err := f.Say(words); err != nil {
		t.Fatal(err)
	}
	return f
}

// Nothing of a progress that was shown is left on the pages, however it ends.
func TestProgressLeavesNothing(t *testing.T) {
	rebuild := func(t *testing.T, dir string, _ *site.Follower) { build(t, samplePages(t), dir) }
	tests := []struct {
		name   string
		end    func(*testing.T, string, *site.Follower)
		stamps bool // times of files are as before, too
	}{
		{"closed, as after an interrupt", func(t *testing.T, _ string, f *site.Follower) {
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}, true},
		{"the site is built, and then it is closed", func(t *testing.T, dir string, f *site.Follower) {
			rebuild(t, dir, f)
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}, false},
		{"the site is built, and the run goes on", func(t *testing.T, dir string, f *site.Follower) {
			rebuild(t, dir, f)
			if err := errors.Join(f.Say("2 of 9 done"), f.Close()); err != nil {
				t.Error(err)
			}
		}, false},
		{"killed, and the site is built", rebuild, false},
		{"killed, followed again, and closed", func(t *testing.T, dir string, _ *site.Follower) {
			if err := follow(t, dir, "again").Close(); err != nil {
				t.Error(err)
			}
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			build(t, samplePages(t), dir)
			before := contentsOf(t, dir)
			stamp, files := site.Stamp(dir)
			if stamp == "" || files != len(before)-1 {
				t.Fatalf("the stamp is %q of %d files, and there are %d beside the manifest", stamp, files, len(before)-1)
			}
			f := follow(t, dir, "measuring x#y: 1 of 9 done")
			if during, _ := site.Stamp(dir); during == stamp {
				t.Error("the stamp does not tell that progress is shown")
			}
			if now := contentsOf(t, dir); !strings.Contains(now[filepath.Join(dir, "progress.js")], "1 of 9 done") {
				t.Errorf("the progress is %q", now[filepath.Join(dir, "progress.js")])
			}
			tt.end(t, dir, f)
			after := contentsOf(t, dir)
			for name, data := range after {
				if before[name] != data {
					t.Errorf("%s has changed, or is new", name)
				}
			}
			if len(after) != len(before) {
				t.Errorf("there are %d files, and there were %d", len(after), len(before))
			}
			if now, _ := site.Stamp(dir); tt.stamps && now != stamp {
				t.Error("the site counts as changed")
			}
		})
	}
}

// A site that somebody has changed, or taken files out of, has another stamp, or none.
func TestStamp(t *testing.T) {
	dir := t.TempDir()
	if stamp, _ := site.Stamp(dir); stamp != "" {
		t.Errorf("an empty folder has the stamp %q", stamp)
	}
	build(t, samplePages(t), dir)
	index := filepath.Join(dir, "index.html")
	stamp, _ := site.Stamp(dir)
	data, err := os.ReadFile(index)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(index, append(data, ' '), 0o644); err != nil {
		t.Fatal(err)
	}
	if now, _ := site.Stamp(dir); now == stamp || now == "" {
		t.Errorf("with a changed file it is %q", now)
	}
	if err := os.Remove(index); err != nil {
		t.Fatal(err)
	}
	if now, _ := site.Stamp(dir); now != "" {
		t.Errorf("without a file it is %q", now)
	}
}

// Single files have no script that could show anything.
func TestNobodyFollowsSingleFiles(t *testing.T) {
	dir := t.TempDir()
	if f, err := site.Follow(dir); f != nil || err != nil {
		t.Error(f, err)
	}
}

// A page that was opened from a disk shows the progress of a run, and itself anew when it ends.
func TestBrowserProgress(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	dir := t.TempDir()
	build(t, samplePages(t), dir)
	f := follow(t, dir, "measuring x#y: 1 of 9 done")
	do(ctx, t, openIn(dir, "sockets/index.html", 1280, "light"))
	if !ask[bool](ctx, t, `window.isOld = true`) {
		t.Fatal("the page has no script")
	}
	shows := func(condition string) {
		t.Helper()
		if !ask[bool](ctx, t, `new Promise(done => {
			const from = performance.now(), box = () => document.querySelector("html > aside[role=status]")?.textContent ?? "";
			const look = () => (`+condition+`) ? done(true) : performance.now() - from > 20_000 ? done(false) : setTimeout(look, 50);
			look();
		})`) {
			t.Fatalf("it never holds that %s", condition)
		}
	}
	shows(`box().includes("1 of 9 done")`)
	if err := f.Say("measuring x#y: 2 of 9 done"); err != nil {
		t.Fatal(err)
	}
	shows(`box().includes("2 of 9 done") && window.isOld`)
	build(t, samplePages(t), dir)
	// The page that waits goes away with its promise.
	for range 200 {
		expression := `!window.isOld && document.readyState === "complete"`
		if isNew, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression)); err == nil && isNew {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	shows(`!window.isOld && box() === ""`)
}
