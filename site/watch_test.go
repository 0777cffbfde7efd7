package site

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// Where the system does not tell of changes, they are found by looking: files that come, change and go, and nothing else.
func TestPoll(t *testing.T) {
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
				os.WriteFile(article+"~", nil, 0o644), os.Mkdir(filepath.Join(root, ".git"), 0o755), os.WriteFile(filepath.Join(root, ".git", "index"), nil, 0o644))
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
		select {
		case changed := <-told:
			if !slices.Equal(changed, step.want) {
				t.Errorf("%s: told is %q, want %q", step.name, changed, step.want)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("%s: nothing is told", step.name)
		}
	}
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
	dir := t.TempDir()
	told := make(chan []string, 1000)
	w := &watcher{roots: []string{dir}, notice: func(text string) { t.Log(text) }, told: func(changed []string) { told <- changed }}
	for i := range 30 {
		for k := range 50 {
			if err := os.MkdirAll(filepath.Join(dir, string(rune('a'+i%26))+string(rune('a'+i/26)), "records", string(rune('a'+k%26))+string(rune('a'+k/26))), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { w.watch(ctx); close(ended) }()
	defer func() { cancel(); <-ended }()
	time.Sleep(300 * time.Millisecond)
	begin := time.Now()
	for i := range 3000 {
		name := filepath.Join(dir, "aa", "records", "aa", time.Now().Format("150405.000000000")+string(rune('a'+i%26))+".json")
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	lost, named := false, 0
	for quiet := time.After(10 * time.Second); !lost && named < 3000; {
		select {
		case changed := <-told:
			lost = lost || changed == nil
			named += len(changed)
		case <-quiet:
			t.Fatalf("after %v %d changes are told", time.Since(begin), named)
		}
	}
}
