package site

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"
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
