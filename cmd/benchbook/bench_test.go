package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/lab"
)

// These benchmarks say how long an author waits for check. Each reports its time per article beside the time in all.

// largeArticle is an article of about 10,000 lines and 200 blocks: experiments, claims, tables, figures and listings
// between prose.
func largeArticle() string {
	var b strings.Builder
	b.WriteString("---\ntitle: A large article\ndescription: To be checked fast.\n---\n\n")
	for i := range 40 {
		fmt.Fprintf(&b, "## Part %d\n\n", i)
		for range 30 {
			b.WriteString("Some prose with *emphasis*, a [link](https://example.com/), `code` and a note on what was " +
				"measured.\nIt goes on for another line.\n\n")
		}
		fmt.Fprintf(&b, "```python file=server%d.py\n%s```\n\n", i, strings.Repeat("print('hello')  # a line of code\n", 100))
		fmt.Fprintf(&b, "```yaml experiment\nname: e%d\nservices:\n  server:\n    image: debian:bookworm-slim\n"+
			"    configs: [{source: server%d.py, target: /srv/server.py}]\n    command: python3 -u /srv/server.py\n"+
			"    expose: [\"8080\"]\n"+
			"matrix:\n  kind: [a, b, c]\n  size: [1, 2]\nload:\n  target: http://server:8080/${{ matrix.kind }}\n"+
			"  connections: 10\n```\n\n", i, i)
		fmt.Fprintf(&b, "It is `{value} throughput{experiment=\"e%d\", kind=\"a\", size=\"1\"} | round 1`, [as "+
			"said](claim:c%d), in [](#tbl-t%d).\n\n", i, i, i)
		fmt.Fprintf(&b, "```yaml claim\nname: c%d\nexperiment: e%d\n"+
			"expect: throughput{kind=\"a\", size=\"1\"} > throughput{kind=\"b\", size=\"1\"}\n```\n\n", i, i)
		fmt.Fprintf(&b, "```yaml table\nlabel: tbl-t%d\nexperiment: e%d\nrows: [kind, size]\n"+
			"columns: [throughput, latency.p99]\n```\n\n", i, i)
		fmt.Fprintf(&b, "```yaml figure\nlabel: fig-f%d\nexperiment: e%d\nkind: dots\nx: throughput\ny: kind\n```\n\n", i, i)
		b.WriteString(strings.Repeat("A line of prose.\n\n", 30))
	}
	return b.String()
}

func benchCheck(b *testing.B, articles map[string]string) {
	b.Helper()
	dir := b.TempDir()
	put(b, filepath.Join(dir, "benchbook.yaml"), "title: x\nallow: [sysctls]\n")
	for slug, text := range articles {
		if err := os.MkdirAll(filepath.Join(dir, "experiments", slug), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "experiments", slug, "article.md"), []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	none := lab.Config{}
	var out strings.Builder
	for b.Loop() {
		out.Reset()
		if status := run([]string{"check", "-C", dir}, &out, io.Discard, none); status != 0 {
			b.Fatalf("status %d\n%s", status, out.String())
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N)/float64(len(articles)), "ms/article")
}

func BenchmarkCheckLarge(b *testing.B) {
	text := largeArticle()
	if lines := strings.Count(text, "\n"); lines < 10_000 {
		b.Fatalf("the article has only %d lines", lines)
	}
	benchCheck(b, map[string]string{"large": text})
}

func BenchmarkCheckThousand(b *testing.B) {
	text, err := os.ReadFile("../../experiments/async-101/article.md")
	if err != nil {
		b.Fatal(err)
	}
	articles := map[string]string{}
	for i := range 1000 {
		articles[fmt.Sprintf("article-%d", i)] = string(text)
	}
	benchCheck(b, articles)
}
