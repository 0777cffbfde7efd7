package render_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/record"
	"benchbook/render"
	"benchbook/render/rendertest"
)

// otherHosts are those that measure beside rendertest.Host, each with a processor of its own.
var otherHosts = []string{"c2-39de7f", "c4-aaaaaa", "c4-bbbbbb", "c16-cccccc"}

// on makes records those of another host, with its processor.
func on(host string) func(*record.Record) {
	return func(r *record.Record) {
		r.Host, r.Facts["host.cpu"] = host, "Processor of "+host
	}
}

// elsewhere measures the sample article on another host, where one server is so many times as fast as the other.
func elsewhere(b *rendertest.Bench, host string, async float64, changes ...func(*record.Record)) {
	changes = append([]func(*record.Record){on(host)}, changes...)
	b.Measure("full", "sockets", "sync", []float64{271, 272, 273, 270, 274}, changes...)
	b.Measure("full", "sockets", "async", []float64{271 * async, 272 * async, 273 * async, 270 * async, 274 * async},
		changes...)
	b.Measure("full", "sockets", "again", []float64{272, 271, 273, 274, 270}, changes...)
}

// hostsPage is the page of all hosts; empty if there is none.
func hostsPage(t *testing.T, b *rendertest.Bench) (page *render.Page, of render.Subpage) {
	t.Helper()
	d, moments := b.Shown()
	page, err := newRenderer(t).Page(d, render.Options{Moments: moments, Apart: true})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(page.Subpages, func(s render.Subpage) bool { return s.Path == "hosts" })
	if i < 0 {
		return page, of
	}
	return page, page.Subpages[i]
}

// What hosts agree in and what they do not stands first, and the article says on how many hosts its claims hold.
func TestHostsPage(t *testing.T) {
	older := func(r *record.Record) {
		for i, in := range r.Inputs {
			if in.Name == "semantics" {
				r.Inputs[i].Digest = "0"
			}
		}
	}
	tests := []struct {
		name          string
		measure       func(b *rendertest.Bench)
		want, article []string
		never         []string
	}{
		{"two that agree", func(b *rendertest.Bench) { elsewhere(b, otherHosts[0], 1.3) },
			[]string{"at once? On 2 hosts", "One claim was measured on both hosts, and it comes out alike.",
				"=The headline claim comes out alike on both hosts: supported.",
				"≠On c2-39de7f throughput is 52 to 53 % lower in both cells; the hosts differ in processor or cores.",
				"Reproduced1 of 1 headline claim supported, 1 of all 4",
				"Processor of c2-39de7f", "Sample CPU", "3 of 3 cells", "2 of 3 cells",
				"same holds on 2 of 2", "3 one host only",
				"One thing differs in every cell whose values differ: processor.",
				"benchbook compare --across-hosts c8-0a1b2c c2-39de7f sockets"},
			[]string{"also on c2-39de7f", "Holds on2 of 2 hosts",
				"2 hosts side by side: the headline claim holds on 2 of 2 hosts"},
			[]string{"contradicts", "differently"}},
		{"two that differ", func(b *rendertest.Bench) { elsewhere(b, otherHosts[0], .8) },
			[]string{"None of the 2 claims that were measured on both hosts comes out alike. 2 are supported on one host and " +
				"contradicted on another.",
				"≠The asyncio server answers more requests per second Supported on c8-0a1b2c, contradicted on c2-39de7f.",
				"differ holds on 1 of 2", "The headline claim has different verdicts"},
			[]string{"Holds on1 of 2 hosts", "the headline claim holds on 1 of 2 hosts"}, []string{"come out alike"}},
		{"an incomplete set", func(b *rendertest.Bench) {
			b.Measure("full", "sockets", "sync", []float64{271, 272}, on(otherHosts[0]))
		},
			[]string{"No claim can be compared between hosts.", "1 of 3 cells", "unfinished: 1 of 3 cells",
				"Not measured", "one host only"},
			[]string{"also on c2-39de7f", "2 hosts side by side"}, []string{"holds on"}},
		{"a host that must not be compared", func(b *rendertest.Bench) { elsewhere(b, otherHosts[0], .8, older) },
			[]string{"No claim can be compared between hosts.", "≠2 cells of c8-0a1b2c and c2-39de7f are not compared",
				"not compared", "No cell was measured on two hosts in a way that can be compared."},
			[]string{"2 hosts side by side"}, []string{"holds on", "differently"}},
		{"a host that measured another version", func(b *rendertest.Bench) {
			elsewhere(b, otherHosts[0], .8, func(r *record.Record) { r.Key = "an older one" })
		},
			[]string{"No claim can be compared between hosts.", "older version", "not compared",
				"≠2 cells of c8-0a1b2c and c2-39de7f are not compared: the hosts measured different versions of these " +
					"experiments."},
			[]string{"also on c2-39de7f"}, []string{"holds on", "differently"}},
		{"three hosts", func(b *rendertest.Bench) {
			elsewhere(b, otherHosts[0], 1.3)
			elsewhere(b, otherHosts[1], .8)
		},
			[]string{"On 3 hosts", "Supported on c8-0a1b2c and c2-39de7f, contradicted on c4-aaaaaa.",
				"differ holds on 2 of 3", "c2-39de7f, 2 cells: 2 differ, 52 to 53 % lower",
				"c8-0a1b2c and c4-aaaaaa 1 difference in what records tell"},
			[]string{"also on 2 other hosts", "Holds on2 of 3 hosts"}, []string{"The hosts Host"}},
		{"five hosts", func(b *rendertest.Bench) {
			for _, host := range otherHosts {
				elsewhere(b, host, 1.3)
			}
		},
			[]string{"On 5 hosts", "The headline claim comes out alike on all 5 hosts: supported.", "same holds on 5 of 5",
				"Hostc8-0a1b2cc16-ccccccc2-39de7fc4-aaaaaac4-bbbbbb"},
			[]string{"also on 4 other hosts", "Holds on5 of 5 hosts"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := measuredSockets(t, "full")
			test.measure(b)
			page, of := hostsPage(t, b)
			shown := wordsOf(string(of.HTML))
			for _, words := range test.want {
				if !strings.Contains(shown, words) {
					t.Errorf("the page has no %q", words)
				}
			}
			for _, words := range test.never {
				if strings.Contains(shown, words) {
					t.Errorf("the page has %q", words)
				}
			}
			for _, words := range test.article {
				if !strings.Contains(wordsOf(string(page.HTML)), words) {
					t.Errorf("the article has no %q", words)
				}
			}
			if t.Failed() {
				t.Logf("the page is\n%s", shown)
			}
			if strings.Count(string(page.HTML), `href="hosts/index.html"`) < 2 {
				t.Error("the article does not link it in two places")
			}
			for _, w := range page.Warnings {
				t.Errorf("warning: %s", w)
			}
			isRunPage := func(s render.Subpage) bool { return strings.HasPrefix(s.Path, "runs/") }
			for _, s := range page.Subpages {
				if isRunPage(s) && strings.Contains(string(s.HTML), "hosts/index.html") {
					t.Errorf("%s, which is of one run, links it", s.Path)
				}
			}
		})
	}
}

// There is no such page of one host, of records that are of no host, and of those of another profile.
func TestNoHostsPage(t *testing.T) {
	for name, measure := range map[string]func(b *rendertest.Bench){
		"one host": func(*rendertest.Bench) {},
		"another profile": func(b *rendertest.Bench) {
			b.Measure("quick", "sockets", "sync", []float64{271}, on(otherHosts[0]))
		},
		"imported": func(b *rendertest.Bench) {
			elsewhere(b, record.ImportedHost, 1.3, func(r *record.Record) { r.Imported = &record.Imported{Tool: "ab"} })
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := measuredSockets(t, "full")
			measure(b)
			if page, of := hostsPage(t, b); of.Path != "" || strings.Contains(string(page.HTML), "hosts/index.html") {
				t.Error("there is a page of several hosts, or a link to it")
			}
		})
	}
}

// Each further host has a panel, and its values are in the data of the figure.
func TestHostsFigure(t *testing.T) {
	for hosts := 1; hosts <= len(otherHosts); hosts++ {
		b := measuredSockets(t, "full")
		for _, host := range otherHosts[:hosts] {
			elsewhere(b, host, 1.3)
		}
		_, of := hostsPage(t, b)
		if panels := strings.Count(string(of.HTML), `<svg class="full"`); panels != hosts {
			t.Errorf("of %d further hosts there are %d panels", hosts, panels)
		}
		files := map[string]string{}
		for _, f := range of.Files {
			files[f.Path] = string(f.Data)
		}
		for name, rows := range map[string]int{"data/fig-hosts.csv": 2 * hosts, "data/tbl-hosts.csv": 4 * (hosts + 1)} {
			if got := strings.Count(files[name], "\n") - 1; got != rows ||
				!strings.Contains(string(of.HTML), `href="`+name+`"`) {
				t.Errorf("%s of %d further hosts has %d rows, want %d, or nothing links it", name, hosts, got, rows)
			}
		}
		for _, host := range otherHosts[:hosts] {
			if want := fmt.Sprintf(",%s,", host); !strings.Contains(files["data/fig-hosts.csv"], want) {
				t.Errorf("the data have nothing of %s", host)
			}
		}
	}
}

// What records tell of a host is text.
func TestHostileHosts(t *testing.T) {
	b := measuredSockets(t, "full")
	for i, text := range []string{rendertest.Evil, rendertest.Acting} {
		elsewhere(b, otherHosts[i]+text, 1.3, func(r *record.Record) {
			for _, fact := range []string{"host.cpu", "host.cores", "host.memory", "host.kernel", "engine.name",
				"image.server"} {
				r.Facts[fact] = text
			}
		})
	}
	_, of := hostsPage(t, b)
	if !strings.Contains(string(of.HTML), "evil") {
		t.Error("nothing hostile is on the page")
	}
	rendertest.Harmless(t, string(of.HTML))
	for _, f := range of.Files {
		rendertest.HarmlessFile(t, f.Path, f.Data)
	}
}
