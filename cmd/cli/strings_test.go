package cli

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/render/rendertest"
)

// Hostile texts of articles and records stay plain text wherever verbs print them: on a terminal, in a comment on a
// pull request, in tables, in JSON and in a README.
func TestHostileOutput(t *testing.T) {
	slowtest.Skip(t)
	text := strings.Replace(must.Read(filepath.Join("..", "..", "render", "testdata", "sockets.md")),
		"connections: 10", "connections: 5", 1) // those of the made-up results
	const payload = rendertest.Evil + rendertest.Acting
	evil := payload + "\n\n# evil\n```\n<evil-x>\n| evil | @everyone"
	oneLine := strings.NewReplacer("\n", " ", "\t", " ")
	before, after := "20261112T100000Z-once", "20261114T100000Z-next" // as rendertest calls them
	for h := range rendertest.HostileArticles(t, []byte(text), payload) {
		b := h.Bench
		for i, r := range b.Records {
			r.Log, r.Output = evil, evil
			r.Facts["packages.server"], r.Facts[evil] = evil+r.Run, evil+r.Run
			r.Missing = map[string]string{"rps": evil}
			r.Samples = append(r.Samples, record.Sample{Metric: "own", Value: 1, Unit: evil})
			if i%5 == 4 {
				r.Failure, r.Samples = evil, nil
			}
			if err := record.Dir(filepath.Join(b.Dir(), "records")).Save(r); err != nil {
				t.Fatal(err)
			}
		}
		dir := filepath.Join(b.Dir(), "..", "..")
		must.Write(filepath.Join(dir, "page.md"),
			strings.ReplaceAll("# Page\n\n<!-- benchbook: table tbl-sockets of hostile -->END"+
				"<!-- benchbook: figure fig-throughput of hostile -->END<!-- benchbook: claim async-is-faster of hostile -->END",
				"END", "\n<!-- /benchbook -->\n\n"))
		for _, args := range [][]string{{"check"}, {"plan"}, {"plan", "--json"}, {"show"}, {"show", "hostile"},
			{"show", "hostile", "--run", after, "--trial", "async"},
			{"show", "--json"}, {"show", "--format", "csv"}, {"show", "--format", "benchfmt"},
			{"show", "hostile#sockets"}, {"compare", before, after}, {"compare", before, after, "--format", "md"},
			{"compare", before, after, "--json"}, {"compare", before, after, "--format", "csv"}, {"weave", "page.md"},
			{"render"}, {"run"}} {
			name := strings.Join(args, " ")
			t.Run(name, func(t *testing.T) {
				status, stdout, stderr := benchbook(dir, args...)
				if len(stdout) == 0 && len(stderr) == 0 {
					t.Errorf("it printed nothing, with status %d", status)
				}
				said := oneLine.Replace(stdout + stderr)
				assert.Equal(t, said, source.Plain(said), "what is said, and what of it does not act")
				if format := args[len(args)-1]; status != 0 && format != "check" && format != "benchfmt" {
					t.Fatalf("status %d: %s", status, stderr)
				}
				switch format := args[len(args)-1]; format {
				case "--json", "csv":
					rendertest.HarmlessFile(t, "x."+strings.TrimPrefix(format, "--"), []byte(stdout))
				case "md":
					harmlessMarkdown(t, stdout)
				case "page.md":
					harmlessMarkdown(t, must.Read(filepath.Join(dir, "page.md")))
				}
			})
		}
		break // the first has most of the texts, and problems hide those of the others
	}
}

// harmlessMarkdown fails the test if a comment or README has hostile markup when rendered as on GitHub.
func harmlessMarkdown(t *testing.T, text string) {
	t.Helper()
	var page bytes.Buffer
	markdown := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))
	must.Do(markdown.Convert([]byte(text), &page))
	assert.Lacks(t, page.String(), "<evil", "<script", "<img src=//", "onerror=\"", "<base", "<style", "<h1>evil",
		`href="javascript:`)
}
