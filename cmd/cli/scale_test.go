package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"benchbook/internal/test/must"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/source"
)

// BenchmarkScale reports seconds and the peak of memory of each verb that reads everything, in a project with an article
// of 5,000 cells, 10,000 records, 300 claims and 100 figures, and in one of 1,000 articles.
//
//	go test ./cmd/cli -run - -bench Scale -benchtime 1x
func BenchmarkScale(b *testing.B) {
	for _, project := range []struct {
		name     string
		articles int
		text     string
	}{
		{"5000_cells", 1, scaleArticle(100, 50, 300, 100)},
		{"1000_articles", 1000, scaleArticle(2, 2, 3, 2)},
	} {
		b.Run(project.name, func(b *testing.B) {
			dir := b.TempDir()
			scaleProject(b, dir, project.articles, project.text)
			for _, verb := range []string{"check", "plan", "show", "render"} {
				b.Run(verb, func(b *testing.B) {
					for b.Loop() {
						var output bytes.Buffer
						cmd := exec.Command(os.Args[0], "-C", dir, verb)
						cmd.Args[0], cmd.Stderr = "benchbook", &output
						if err := cmd.Run(); err != nil {
							b.Fatalf("%v\n%.1000s", err, &output)
						}
						usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
						b.ReportMetric(float64(usage.Maxrss)/1024, "MiB")
					}
				})
			}
		})
	}
}

// scaleArticle returns an article with a matrix of two axes, of servers s1, s2, … and clients 1, 2, …
func scaleArticle(servers, clients, claims, figures int) string {
	axis := func(prefix string, n int) (list string) {
		for i := range n {
			list += fmt.Sprintf("%q, ", fmt.Sprint(prefix, i+1))
		}
		return list
	}
	text := "---\ntitle: At scale\n---\n\n```dockerfile file=Dockerfile\nFROM debian:bookworm-slim\n```\n\n" +
		recordtest.Fence("experiment", fmt.Sprintf(`name: grid
services: {server: {build: ., expose: ["8080"]}}
matrix: {server: [%s], clients: [%s]}
load: {target: "http://server:8080/${{ matrix.server }}", connections: "${{ matrix.clients }}"}
repetitions: 2
calibrate: false`, axis("s", servers), axis("", clients)))
	for i := range claims {
		text += recordtest.Fence("claim", fmt.Sprintf("name: c%d\nexpect: throughput{server=\"s%d\", clients=\"1\"} > "+
			"throughput{server=\"s%d\", clients=\"2\"}", i, i%servers+1, (i+1)%servers+1)) +
			fmt.Sprintf("[The claim](claim:c%d) in a sentence.\n\n", i)
	}
	for i := range figures {
		text += recordtest.Fence("figure", fmt.Sprintf("label: fig-%d\nexperiment: grid\nkind: dots\nx: throughput\n"+
			"y: server\nwhere: clients == \"%d\"\ntitle: Throughput %d\ncaption: Each server.", i, i%clients+1, i)) +
			fmt.Sprintf("See [](#fig-%d).\n\n", i)
	}
	return text
}

// scaleProject writes a project whose articles have a record of every repetition.
func scaleProject(b *testing.B, dir string, articles int, text string) {
	b.Helper()
	must.Write(filepath.Join(dir, article.ProjectFile), "")
	project := must.Get(article.OpenProject(dir))
	for i := range articles {
		slug := fmt.Sprintf("article-%d", i)
		name := filepath.Join(dir, "experiments", slug, article.FileName)
		must.Write(name, text)
		doc := article.Parse(filepath.Dir(name), source.New(article.FileName, []byte(text)))
		var problems source.Problems
		p := must.Get(plan.New(project, doc, plan.Options{Profile: plan.Full}, &problems))
		for n, t := range p.Experiments[0].Trials {
			for repetition := range 2 {
				r := &record.Record{SchemaVersion: record.SchemaVersion, Article: slug, Experiment: "grid", Trial: t.Name,
					Key: t.Key, Run: "20261120T100000Z-aaaa", Profile: plan.Full, Host: "host-1", Repetition: repetition + 1,
					Planned: 2, Parameters: t.Parameters, Labels: t.Labels,
					Started: time.Date(2026, 11, 20, 10, 0, n, 0, time.UTC)}
				recordtest.FillLoad(b, r, float64(100+n%7+repetition))
				must.Do(record.Dir(project.RecordsDir(slug)).Save(r))
			}
		}
	}
}
