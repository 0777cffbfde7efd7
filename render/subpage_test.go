package render_test

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/record"
	"benchbook/render"
	"benchbook/render/rendertest"
)

// threeExperiments is an article with the experiments e1 to e3.
func threeExperiments(t *testing.T) *rendertest.Bench {
	t.Helper()
	text := "---\ntitle: Three experiments\nkey_values:\n  - {value: 'throughput{server=\"a\", experiment=\"e1\"}', is: " +
		"of the first}\n---\n\n" +
		"```dockerfile file=Dockerfile\nFROM debian:bookworm-slim\n```\n"
	for i := range 3 {
		text += fmt.Sprintf("\n```yaml experiment\nname: e%d\nservices: {server: {build: ., expose: [\"8080\"]}}\n"+
			"matrix: {server: [a, b]}\n"+
			"load: {target: \"http://server:8080/\", connections: 10}\nrepetitions: 3\ncalibrate: false\n```\n\n"+
			"```yaml claim\nname: c%[1]d\nexperiment: e%[1]d\n"+
			"expect: throughput{server=\"a\"} > throughput{server=\"b\"}\n```\n", i+1)
	}
	return rendertest.New(t, "three", []byte(text))
}

// What was measured in one go is one run on every page, also where each experiment had a name of its own. The other
// names lead to it.
func TestOneRunOfSeveralExperiments(t *testing.T) {
	names := func(day int) []string {
		var out []string
		for i := range 3 {
			out = append(out, fmt.Sprintf("202611%dT10%d000Z-aaaa", day, i))
		}
		return out
	}
	planned := func(r *record.Record) { r.Plans = map[string]string{"e1": "1", "e2": "2", "e3": "3"} }
	before := names(10)
	for _, test := range []struct {
		name  string
		now   []string // the runs of the three experiments
		plans bool
	}{
		{"by its name", []string{"20261114T100000Z-bbbb", "20261114T100000Z-bbbb", "20261114T100000Z-bbbb"}, true},
		{"by what followed what", names(14), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := threeExperiments(t)
			for i := range 3 {
				experiment := fmt.Sprintf("e%d", i+1)
				for trial, mean := range map[string]float64{"a": 400, "b": 500} {
					b.Measure("full", experiment, trial, []float64{mean, mean + 9, mean - 9}, rendertest.In(before[i], 10))
				}
				for trial, mean := range map[string]float64{"a": 600, "b": 500} {
					changes := []func(*record.Record){rendertest.In(test.now[i], 14)}
					if test.plans {
						changes = append(changes, planned)
					}
					b.Measure("full", experiment, trial, []float64{mean, mean + 9, mean - 9}, changes...)
				}
			}
			page, err := newRenderer(t).Page(b.Dataset(), render.Options{Moments: b.Moments()})
			if err != nil {
				t.Fatal(err)
			}
			if page.Runs != 2 || !strings.Contains(string(page.HTML), "history, 2\u00a0runs") {
				t.Errorf("there are %d runs", page.Runs)
			}
			newest, oldest := test.now[2], before[2]
			for _, run := range slices.Concat(before, test.now) {
				if strings.Contains(string(page.HTML), run) != (run == newest) {
					t.Errorf("the article tells of a run %s: %v", run, run != newest)
				}
			}
			if words := wordsOf(string(page.HTML)); !strings.Contains(words, "Cite as: benchbook, “Three experiments”, run "+
				newest+", 14 November 2026") ||
				strings.Count(words, "host "+rendertest.Host+", run "+newest+", revision "+rendertest.Revision+
					", 14 Nov 2026") < 3 {
				t.Errorf("not every experiment is said to be of run %s", newest)
			}
			var folders []string
			html := map[string]string{}
			for _, s := range page.Subpages {
				if name, isRun := strings.CutPrefix(s.Path, "runs/"); s.LeadsOn != (isRun && name != newest && name != oldest) {
					t.Errorf("%s leads on: %v", s.Path, s.LeadsOn)
				}
				folders = append(folders, s.Path)
				html[s.Path] = string(s.HTML)
			}
			want := []string{"compare/" + oldest + "-" + newest, "history"}
			for _, run := range slices.Concat(before, test.now) {
				want = append(want, "runs/"+run)
			}
			slices.Sort(want)
			want = slices.Compact(want)
			if slices.Sort(folders); !slices.Equal(folders, want) {
				t.Errorf("there are the pages %q, want %q", folders, want)
			}
			history := html["history"]
			for _, words := range []string{"2\u00a0runs on host", "all 3\u00a0experiments",
				`href="../runs/` + newest + `/index.html"`, `href="../runs/` + oldest + `/index.html"`} {
				if !strings.Contains(history, words) {
					t.Errorf("the history has no %q", words)
				}
			}
			if n := strings.Count(history, `<th role="rowheader"`); n != 2 || strings.Contains(history, before[0]) {
				t.Errorf("the history has %d rows, want 2", n)
			}
			if part := html["runs/"+before[0]]; !strings.Contains(part, `href="../../runs/`+oldest+`/index.html"`) ||
				!strings.Contains(part, before[0]) {
				t.Errorf("the page of a part of a run does not lead to that of the whole: %s", part)
			}
			for _, e := range []string{"e1", "e2", "e3"} {
				if !strings.Contains(html["compare/"+oldest+"-"+newest], "<h2>"+e+"</h2>") {
					t.Errorf("the comparison leaves %s out", e)
				}
			}
			var turned []string
			for _, c := range page.News.Claims {
				turned = append(turned, c.ID)
			}
			if page.News.Run != newest || len(turned) != 3 || page.News.Comparison != "compare/"+oldest+"-"+newest+
				"/index.html" {
				t.Errorf("news of run %s are the claims %q, compared at %q", page.News.Run, turned, page.News.Comparison)
			}
		})
	}
}

// Every figure of a page that belongs to an article has its drawing and its data beside it, as those of the article
// have.
func TestFilesOfSubpages(t *testing.T) {
	b := rendertest.New(t, "everything", textOf(t, "everything.md"))
	b.MeasureAll(rendertest.In("20261110T100000Z-aaaa", 10))
	b.MeasureAll(rendertest.In("20261114T100000Z-bbbb", 14))
	d, moments := b.Shown()
	page, err := newRenderer(t).Page(d, render.Options{Moments: moments})
	if err != nil {
		t.Fatal(err)
	}
	figures := map[string]int{}
	figure := regexp.MustCompile(`(?s)<figure class="fig" id="([^"]*)">.*?</figure>`)
	for _, s := range page.Subpages {
		files := map[string][]byte{}
		for _, f := range s.Files {
			files[f.Path] = f.Data
		}
		for _, m := range figure.FindAllStringSubmatch(string(s.HTML), -1) {
			kind, _, _ := strings.Cut(s.Path, "/")
			figures[kind]++
			for _, name := range []string{"data/" + m[1] + ".csv", "data/" + m[1] + ".json"} {
				if strings.Count(string(files[name]), "\n") < 3 || !strings.Contains(m[0], `href="`+name+`"`) {
					t.Errorf("%s: the figure %s has no %s, or one of less than two rows: %s", s.Path, m[1], name, files[name])
				}
			}
			if !strings.Contains(m[0], `.svg"`) {
				t.Errorf("%s: the figure %s has no drawing", s.Path, m[1])
			}
		}
	}
	for _, kind := range []string{"history", "runs", "compare"} {
		if figures[kind] == 0 {
			t.Errorf("no page of the kind %q has a figure", kind)
		}
	}
}

// The page of the newest run, which mostly says what the page of the article does, is the same whether it is composed
// again or not.
func TestIdenticalRunPage(t *testing.T) {
	const earlier, newest = "20261110T100000Z-aaaa", "20261114T100000Z-bbbb"
	text, err := os.ReadFile("testdata/sockets.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, more, want string }{
		{"an article", "", `href="../../index.html">See the newest results</a>`},
		{"an article that leads to another", "\nSee [what came before](../other/article.md).\n",
			`href="../../../other/index.html"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := rendertest.New(t, "sockets", append(slices.Clone(text), test.more...))
			b.MeasureAll(rendertest.In(earlier, 10))
			b.MeasureAll(rendertest.In(newest, 14))
			d, moments := b.Shown()
			if moments[0].Dataset != d {
				t.Fatal("the newest run does not say what the records do")
			}
			r := newRenderer(t)
			once, err := r.Page(d, render.Options{Moments: moments, Articles: []string{"other"}})
			if err != nil {
				t.Fatal(err)
			}
			again, err := r.Page(b.Dataset(), render.Options{Moments: b.Moments(), Articles: []string{"other"}})
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(once, again) {
				t.Error("composed again, the pages are others")
			}
			i := slices.IndexFunc(once.Subpages, func(s render.Subpage) bool { return s.Path == "runs/"+newest })
			stamp := `run" href="runs/` + newest + `/index.html">` + newest + "</a>"
			if !strings.Contains(string(once.HTML), stamp) {
				t.Errorf("no stamp of the article has %s", stamp)
			}
			stamp = strings.Replace(stamp, "runs/", "../../runs/", 1)
			if !strings.Contains(string(once.Subpages[i].HTML), stamp) {
				t.Errorf("no stamp of the run has %s", stamp)
			}
			if i < 0 || !strings.Contains(string(once.Subpages[i].HTML), test.want) {
				t.Errorf("the page of the newest run has no %s", test.want)
			}
			if strings.Contains(string(once.HTML), test.want) {
				t.Errorf("the page of the article has %s", test.want)
			}
		})
	}
}

// The history says where a value has changed for good: from which run on, by how much, and what came with it.
func TestHistoryOfSteps(t *testing.T) {
	for name, test := range map[string]struct {
		means []float64 // of each run
		want  []string
		never string
		news  int
	}{
		"slower for good": {[]float64{500, 501, 499, 400, 401, 399, 400}, []string{"e1, a: throughput", "worse", "\u221220",
			"revision feedfacecafe instead of " + rendertest.Revision,
			`href="../runs/20261104T100000Z-aaaa/index.html"`}, "has changed for good.", 1},
		"level":        {[]float64{500, 501, 499, 500, 501, 499}, []string{"has changed for good."}, "From run on", 0},
		"too few runs": {[]float64{500, 501, 499, 400, 401}, nil, "changed for good", 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := threeExperiments(t)
			for i, mean := range test.means {
				for _, trial := range []string{"a", "b"} {
					x := map[string]float64{"a": mean, "b": 500 + float64(i%3)}[trial]
					b.Measure("full", "e1", trial, []float64{x, x + 2, x - 2},
						rendertest.In(fmt.Sprintf("202611%02dT100000Z-aaaa", i+1), i+1), func(r *record.Record) {
							if mean < 450 {
								r.Facts[record.FactRevision] = "feedfacecafe"
							}
						})
				}
			}
			page, err := newRenderer(t).Page(b.Dataset(), render.Options{Moments: b.Moments()})
			if err != nil {
				t.Fatal(err)
			}
			history := string(page.Subpages[0].HTML)
			for _, words := range test.want {
				if !strings.Contains(history, words) {
					t.Errorf("the history has no %q", words)
				}
			}
			if strings.Contains(history, test.never) {
				t.Errorf("the history has %q", test.never)
			}
			if len(page.News.Steps) != test.news {
				t.Fatalf("there are %d news of steps, want %d", len(page.News.Steps), test.news)
			}
			for _, n := range page.News.Steps {
				if n.Run != "20261104T100000Z-aaaa" || len(n.Values) != 4 || // what follows from throughput too
					!strings.HasPrefix(n.Values[0], "e1, a: throughput is worse, \u221220") {
					t.Errorf("the news are %+v", n)
				}
			}
		})
	}
}
