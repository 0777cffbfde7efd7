package archtest

import (
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/dataset"
	"benchbook/render/rendertest"
)

func read(name string) string { return must.Read(filepath.Join(root, name)) }

// The README shows the beginning of experiments/hello, whose committed records are fresh.
func TestReadmeShowsHello(t *testing.T) {
	text := read("experiments/hello/article.md")
	_, shown, ok := strings.Cut(read("README.md"), "````markdown\n")
	shown, _, closed := strings.Cut(shown, "````\n")
	if !ok || !closed || !strings.HasPrefix(text, shown) || len(shown) < 500 {
		t.Errorf("the article in the README is not how experiments/hello/article.md begins")
	}
	d := rendertest.Committed(t, root, "hello")
	for _, e := range d.Experiments {
		for _, c := range e.Cells {
			assert.Equal(t, c.State, dataset.Fresh, "the committed records of %s: measure them again", c.Trial.Name)
		}
	}
}
