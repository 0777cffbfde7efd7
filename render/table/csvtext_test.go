package table_test

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/source"
	"benchbook/render/table"
)

// Text that a spreadsheet would take for a formula gets an apostrophe.
func TestCell(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "async": "async", "a=b": "a=b", "-1.5e-3": "-1.5e-3", "+3": "+3",
		`=HYPERLINK("https://example.org")`: `'=HYPERLINK("https://example.org")`,
		"+1+cmd":                            "'+1+cmd",
		"-O2":                               "'-O2",
		"@SUM(A1)":                          "'@SUM(A1)",
		" \t=1+1":                           "' \t=1+1",
		"\r\n=1+1":                          "'\r\n=1+1",
		"＝1+1":                              "'＝1+1",
		"'s-hertogenbosch":                  "''s-hertogenbosch",
	} {
		assert.Equal(t, table.CSVCell(text), want)
	}
}

// What is written is read back whole once the apostrophe is off, and no cell but a number begins a formula.
func FuzzWrite(f *testing.F) {
	for _, text := range []string{"", "=1", " -x", "'", "a\nb", `"`, "\ufeff=1", "+5"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var b bytes.Buffer
		must.Do(table.WriteCSV(&b, [][]string{{"head", text}}))
		row, err := csv.NewReader(&b).Read()
		if err != nil || len(row) != 2 {
			t.Fatalf("read back %q, %v", row, err)
		}
		// Control characters are shown by their numbers. The reader of CSV knows no carriage return before the end of a line.
		if got, want := strings.TrimPrefix(row[1], "'"),
			strings.ReplaceAll(source.Plain(text), "\r\n", "\n"); got != want && row[1] != want {
			t.Errorf("%q comes back as %q", want, row[1])
		}
		if _, err := strconv.ParseFloat(row[1], 64); err != nil && strings.ContainsAny(firstOf(strings.TrimSpace(row[1])),
			"=+-@") {
			t.Errorf("%q begins a formula", row[1])
		}
	})
}

func firstOf(text string) string { return text[:min(1, len(text))] }

// A parameter with the name of one of our columns gets another name.
func TestHead(t *testing.T) {
	got := table.CSVHead([]string{"article", "run"}, []string{"server", "run", "value"}, []string{"unit", "value"})
	assert.Equal(t, strings.Join(got, " "), "article run server matrix.run matrix.value unit value")
}
