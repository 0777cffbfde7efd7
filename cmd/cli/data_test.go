package cli

import (
	"encoding/csv"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/slowtest"
)

// rowsOf reads a CSV file. Its head has no column twice.
func rowsOf(t *testing.T, name, text string) (rows [][]string) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) == 0 {
		t.Fatalf("%s: %d rows, %v", name, len(rows), err)
	}
	if columns := slices.Sorted(slices.Values(rows[0])); len(slices.Compact(slices.Clone(columns))) != len(columns) {
		t.Errorf("%s has a column twice: %q", name, rows[0])
	}
	return rows
}

// toldApart fails the test if two rows have the same in all columns but those of results.
func toldApart(t *testing.T, name string, rows [][]string, results ...string) {
	t.Helper()
	seen := map[string]bool{}
	for _, row := range rows[1:] {
		var key []string
		for i, value := range row {
			if !slices.Contains(results, rows[0][i]) {
				key = append(key, rows[0][i]+"="+value)
			}
		}
		if words := strings.Join(key, " "); seen[words] {
			t.Errorf("%s has two rows of %s", name, words)
		} else {
			seen[words] = true
		}
	}
}

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
	files := 0
	err := filepath.WalkDir(out, func(path string, e fs.DirEntry, err error) error {
		if err != nil || filepath.Base(filepath.Dir(path)) != "data" || filepath.Ext(path) != ".csv" {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(out, path)
		if err != nil {
			return err
		}
		rows := rowsOf(t, name, string(data))
		toldApart(t, name, rows, results...)
		page, err := os.ReadFile(filepath.Join(filepath.Dir(path), "..", "index.html"))
		if err != nil {
			return err
		}
		if at := slices.Index(rows[0], "run"); at >= 0 {
			for _, row := range rows[1:] {
				if row[at] != "" && !strings.Contains(string(page), row[at]) {
					t.Errorf("%s: the page says nothing of run %s", name, row[at])
					break
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 50 {
		t.Errorf("there are only %d files of data", files)
	}
}
