package site

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"benchbook/slowtest"
)

// Where the system does not tell of changes, they are found by looking: files that come, change and go, and nothing
// else.
func TestPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		root := filepath.Join(dir, "experiments")
		file := filepath.Join(dir, "benchbook.yaml")
		told := make(chan []string, 10)
		w := &watcher{roots: []string{root}, files: []string{file}, told: func(changed []string) { told <- changed }}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() { w.poll(ctx); close(ended) }()
		defer func() { cancel(); <-ended }()
		if changed := <-told; changed != nil {
			t.Errorf("first %q is told, and not that anything may have changed", changed)
		}
		article := filepath.Join(root, "pair", "article.md")
		steps := []struct {
			name string
			do   func() error
			want []string
		}{
			{"made", func() error {
				return first(os.MkdirAll(filepath.Dir(article), 0o755), os.WriteFile(article, []byte("one"), 0o644),
					os.WriteFile(article+"~", nil, 0o644), os.Mkdir(filepath.Join(root, ".git"), 0o755),
					os.WriteFile(filepath.Join(root, ".git", "index"), nil, 0o644))
			}, []string{article}},
			{"changed", func() error {
				return first(os.WriteFile(article, []byte("three"), 0o644), os.WriteFile(file, nil, 0o644))
			}, []string{file, article}},
			{"removed", func() error { return os.RemoveAll(root) }, []string{article}},
		}
		for _, step := range steps {
			if err := step.do(); err != nil {
				t.Fatal(err)
			}
			var all []string // a look may come in the middle of a step
			for limit := time.After(time.Minute); !slices.Equal(all, step.want); {
				select {
				case changed := <-told:
					all = append(all, changed...)
					slices.Sort(all)
					all = slices.Compact(all)
					if slices.ContainsFunc(all, func(name string) bool { return !slices.Contains(step.want, name) }) {
						t.Fatalf("%s: told is %q, want %q", step.name, all, step.want)
					}
				case <-limit:
					t.Fatalf("%s: told is %q, want %q", step.name, all, step.want)
				}
			}
		}
	})
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Thousands of files in thousands of folders are followed; of very many changes it is told only that there are some.
func TestWatchMany(t *testing.T) {
	slowtest.Skip(t)
	dir := t.TempDir()
	told := make(chan []string, 1000)
	w := &watcher{roots: []string{dir}, notice: func(text string) { t.Log(text) },
		told: func(changed []string) { told <- changed }}
	for i := range 30 {
		for k := range 50 {
			if err := os.MkdirAll(filepath.Join(dir, string(rune('a'+i%26))+string(rune('a'+i/26)), "records",
				string(rune('a'+k%26))+string(rune('a'+k/26))), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { w.watch(ctx); close(ended) }()
	defer func() { cancel(); <-ended }()
	// Folders are followed one after the other: when something is told of the last, all are.
	last := filepath.Join(dir, "zb", "last")
	if err := os.MkdirAll(filepath.Dir(last), 0o755); err != nil {
		t.Fatal(err)
	}
	for followed := false; !followed; {
		if err := os.WriteFile(last, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		select {
		case <-told:
			followed = true
		case <-time.After(50 * time.Millisecond):
		}
	}
	begin := time.Now()
	for i := range 3000 {
		name := filepath.Join(dir, "aa", "records", "aa", time.Now().Format("150405.000000000")+string(rune('a'+i%26))+
			".json")
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	lost, named := false, 0
	for quiet := time.After(time.Minute); !lost && named < 3000; {
		select {
		case changed := <-told:
			lost = lost || changed == nil
			named += len(slices.DeleteFunc(changed, func(name string) bool { return name == last }))
		case <-quiet:
			t.Fatalf("after %v %d changes are told", time.Since(begin), named)
		}
	}
}
