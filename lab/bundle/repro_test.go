package bundle

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/lab"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
)

// The author's records are renamed to other hosts line by line, and invalid lines are dropped, so that none counts as a
// result of this machine.
func TestRenameHosts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "[a]*")
	long := `{"host": "` + strings.Repeat("x", record.MaxLine) + `"}`
	p, _ := must.Two(extract(t.Context(), handmade(t, map[string]string{"project/benchbook.yaml": "title: X\n",
		"project/experiments/x/records/c2-aaaaaa/full/1.jsonl": "{\"host\":\"c2-aaaaaa\"}\nnot JSON\nnull\n{\"trial\": \"b\"}\n" +
			long + "\n{}\n"}), "1", dir))
	const host = `{"host":"c2-aaaaaa-author"`
	want := map[string]string{"c2-aaaaaa-author/full/1.jsonl": host + "}\n" + host + `,"trial":"b"}` + "\n" + host + "}\n"}
	assert.Map(t, tree(t, p.RecordsDir("x")), want)
}

// The texts of a bundle are printed without terminal control sequences.
func TestTextsAreHarmless(t *testing.T) {
	const hostile, harmless = "\x1b]0;owned\x07\x1b[2Jrm\u202e\n-rf", `rm\u202e -rf`
	var out bytes.Buffer
	r := &reproduction{Session: &lab.Session{Stdout: &out, Stderr: &out}, project: &article.Project{},
		article: &lab.Article{Doc: &article.Document{}, Planned: &plan.Plan{Profile: plan.Full}},
		records: []*record.Record{{Host: hostile}}}
	r.project.Author.Value, r.article.Doc.Front.Title.Value = hostile, hostile
	r.printOrigin()
	if n := strings.Count(out.String(), harmless); n != 3 || strings.ContainsAny(out.String(), "\x1b\x07\u202e") {
		t.Errorf("%d of 3 texts are printed in plain letters:\n%q", n, out.String())
	}
}
