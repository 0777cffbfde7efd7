package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"benchbook/lab"
	"benchbook/notebook/article"
	"benchbook/render/rendertest"
)

// These benchmarks say how long an author waits for render, with all that it does: reading, planning, judging, drawing
// and writing. The goals are 300 ms for an article with ten figures and ten tables from a thousand records; 10 s, on
// two cores, for a thousand articles with three figures and two tables each, with less than 500 MB in memory.

// manyExhibits is an article about so many servers, with figures of several kinds and tables.
func manyExhibits(servers, repetitions, figures, tables int) string {
	var b strings.Builder
	b.WriteString("---\ntitle: Many figures\ndescription: To be rendered fast.\n---\n\n## What was run\n\n" +
		"Prose with *emphasis* and `code`.\n\n")
	b.WriteString("```dockerfile file=Dockerfile\nFROM debian:bookworm-slim\n```\n\n```yaml experiment\nname: servers\n" +
		"services: {server: {build: ., expose: [\"8080\"]}}\n" +
		"matrix:\n  server:\n")
	for i := range servers {
		fmt.Fprintf(&b, "    - s%02d\n", i)
	}
	fmt.Fprintf(&b, "load: {target: \"http://server:8080/\", connections: 10}\nrepetitions: %d\ncalibrate: false\n```\n\n",
		repetitions)
	b.WriteString("It does `{value} throughput{server=\"s00\"}`, [more than the other](claim:c).\n\n```yaml claim\n" +
		"name: c\nexpect: throughput{server=\"s01\"} > throughput{server=\"s00\"}\n```\n\n")
	for i := range figures {
		fmt.Fprintf(&b, "## Part %d\n\nSee [](#fig-f%d).\n\n```yaml figure\nlabel: fig-f%d\nkind: %s\nx: %s\ny: server\n"+
			"```\n\n", i, i, i,
			[]string{"dots", "bars", "distribution"}[i%3], []string{"throughput", "latency.p50", "latency.p99",
				"cpu.server"}[i%4])
	}
	for i := range tables {
		fmt.Fprintf(&b, "```yaml table\nlabel: tbl-t%d\nrows: [server]\n"+
			"columns: [throughput, latency.p50, latency.p99, failed, cpu.server]\nsort: %s\n```\n\n", i,
			[]string{"throughput", "latency.p99"}[i%2])
	}
	return b.String()
}

// benchProject writes a project of so many articles, with a record for each repetition.
func benchProject(b *testing.B, articles, servers, repetitions, figures, tables int) string {
	b.Helper()
	dir := b.TempDir()
	text := []byte(manyExhibits(servers, repetitions, figures, tables))
	sample := rendertest.New(b, "sample", text)
	for k := range servers {
		var throughputs []float64
		for i := range repetitions {
			throughputs = append(throughputs, 500+50*float64(k)+float64(i*7%13))
		}
		sample.Measure("full", "servers", fmt.Sprintf("s%02d", k), throughputs)
	}
	write := func(name string, data []byte) {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	write(filepath.Join(dir, article.ProjectFile), nil)
	for i := range articles {
		slug := fmt.Sprintf("article-%03d", i)
		folder := filepath.Join(dir, "experiments", slug)
		write(filepath.Join(folder, article.FileName), bytes.Replace(text, []byte("Many figures"),
			[]byte("Article "+strconv.Itoa(i)), 1))
		have := map[string]bool{}
		for _, r := range sample.Records {
			r := *r
			r.Article = slug
			r.Condense(have)
			data, err := r.Bytes()
			if err != nil {
				b.Fatal(err)
			}
			write(filepath.Join(folder, "records", r.Path()), data)
		}
	}
	return dir
}

func benchRender(b *testing.B, dir string, again bool) {
	b.Helper()
	render := func(out string) {
		var said bytes.Buffer
		if status := run([]string{"render", "-C", dir, "--out", out}, io.Discard, &said, lab.Config{}); status != 0 {
			b.Fatalf("status %d: %s", status, said.String())
		}
	}
	sites := b.TempDir()
	out := filepath.Join(sites, "site")
	if again {
		render(out)
	}
	resetPeak(b)
	for i := 0; b.Loop(); i++ {
		// Each new site gets a folder of its own, and all stay until the end: for a minute after tens of thousands of files
		// were removed, ext4 takes several times as long to make others, since it looks for the numbers of files that were
		// not in use just now.
		if !again {
			out = filepath.Join(sites, strconv.Itoa(i))
		}
		render(out)
	}
	b.ReportMetric(peakMB(b), "MB-peak")
}

func BenchmarkRenderLarge(b *testing.B) {
	dir := benchProject(b, 1, 20, 50, 10, 10)
	b.Run("new", func(b *testing.B) { benchRender(b, dir, false) })
	b.Run("unchanged", func(b *testing.B) { benchRender(b, dir, true) })
}

func BenchmarkRenderThousand(b *testing.B) {
	dir := benchProject(b, 1000, 3, 5, 3, 2)
	b.Run("new", func(b *testing.B) { benchRender(b, dir, false) })
	b.Run("unchanged", func(b *testing.B) { benchRender(b, dir, true) })
}

// resetPeak forgets how much memory this process had at most, where Linux can.
func resetPeak(b *testing.B) {
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Logf("the peak is that of the whole process: %v", err)
	}
}

// peakMB is how much memory this process had at most; 0 where nobody tells.
func peakMB(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmHWM:" {
			kB, err := strconv.ParseFloat(fields[1], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kB / 1000
		}
	}
	return 0
}
