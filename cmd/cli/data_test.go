package cli

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// In the data of every figure and table of the committed articles the rows are told apart by what they are of, no
// column is there twice, and every run is one that the page names. BENCHBOOK_TEST_SITE names the site of the articles
// if it is already rendered, as make test does.
func TestDataOfCommittedArticles(t *testing.T) {
	slowtest.SkipSequential(t)
	project, out := filepath.Join("..", ".."), os.Getenv("BENCHBOOK_TEST_SITE")
	if out == "" {
		out = t.TempDir()
		if status, _, stderr := benchbook(project, "render", "--output", out); status != 0 {
			t.Fatalf("status %d: %s", status, stderr)
		}
	}
	results := []string{"repetitions", "value", "lo", "hi", "interval", "published", "missing", "state", "validity",
		"limited_by", "run", "host",
		"seconds", "attempts", "invalid", "chosen", "met", "cpu_share", "cores_busy", "limits", "verdict", "effect", "reason"}
	files := must.Get(filepath.Glob(filepath.Join(out, "*", "data", "*.csv")))
	if len(files) < 50 {
		t.Fatalf("there are only %d files of data", len(files))
	}
	for _, path := range files {
		name, page := filepath.Base(path), must.Read(filepath.Join(filepath.Dir(path), "..", "index.html"))
		rows := must.Get(csv.NewReader(strings.NewReader(must.Read(path))).ReadAll())
		columns := slices.Sorted(slices.Values(rows[0]))
		assert.Equal(t, len(slices.Compact(columns)), len(rows[0]), "different columns of %s: %q", name, rows[0])
		seen := map[string]bool{}
		for _, row := range rows[1:] {
			key := ""
			for i, value := range row {
				if !slices.Contains(results, rows[0][i]) {
					key += rows[0][i] + "=" + value + " "
				}
				if rows[0][i] == "run" && !strings.Contains(page, value) {
					t.Errorf("%s: the page says nothing of run %s", name, value)
				}
			}
			assert.Equal(t, seen[key], false, "%s has another row of %s", name, key)
			seen[key] = true
		}
	}
}
