// Package benchbook holds no code: the program is in cmd/benchbook. Its tests keep what holds for the whole.
package benchbook

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// module is the path that our own packages begin with.
const module = "benchbook/"

// forbidden imports: from a folder to a folder, with the reason.
var forbidden = []struct{ from, to, why string }{
	{"notebook", "runner", "what an article says must be known without an engine"},
	{"notebook", "render", "what was measured must be known without a page"},
	{"notebook", "site", "what was measured must be known without a site"},
	{"runner", "render", "the record on disk is all that passes from measuring to pages"},
	{"runner", "site", "the record on disk is all that passes from measuring to pages"},
	{"render", "runner", "a page must be made years later, without containers"},
	{"render", "site", "a page knows nothing of the site it stands in"},
	{"render/figure", "notebook/dataset", "figures are drawn of numbers and words, and know no cells"},
	{"render/figure", "notebook/article", "figures are drawn of numbers and words, and know no blocks"},
	{"render/prose", "notebook/dataset", "prose asks its article for what was measured"},
	{"render/table", "notebook", "tables are laid out of numbers and words, and know no cells"},
	{"render/outcome", "render/prose", "what became of a claim is words, whoever shows them"},
	{"render/outcome", "render/chart", "what became of a claim is words, whoever draws it"},
	{"render/outcome", "render/table", "what became of a claim is words, whoever shows them"},
	{"render/hosts", "render/prose", "what hosts agree in is words and numbers, whoever shows them"},
	{"render/hosts", "render/chart", "the figure of hosts compares sets of records, and charts are of one"},
	{"render/sections", "notebook", "pages are divided whatever they are about"},
	{"render/chart", "github.com/yuin/goldmark", "a chart knows no Markdown"},
	{"render/chart", "gonum.org/v1/plot", "charts say what is drawn, and package figure how"},
	{"site", "runner", "a site must be made years later, without containers"},
	{"notebook/spec", "notebook", "the parts of a trial are plain data that everybody may import"},
	{"notebook/inputs", "notebook/plan", "what containers are given is read before it is planned"},
	{"notebook/inputs", "notebook/parts", "what containers are given is read whoever takes it"},
	{"notebook/layers", "notebook/plan", "an experiment is merged before it is planned"},
	{"notebook/layers", "notebook/parts", "an experiment is merged before its parts are read"},
	{"notebook/layers", "notebook/spec", "layers are merged as they are written, whatever they mean"},
	{"notebook/layers", "notebook/inputs", "layers are merged as they are written, whatever they name"},
	{"notebook/layers", "notebook/expr", "layers are merged before templates are expanded"},
	{"notebook/compose", "notebook/plan", "Compose files are read before anything is planned"},
	{"notebook/compose", "notebook/parts", "Compose files are read before anything is planned"},
	{"notebook/parts", "notebook/plan", "what one trial runs is read without knowing of the others"},
	{"notebook/parts", "notebook/expr", "the parts of a trial are read when templates are expanded"},
	{"notebook/definition", "notebook/plan", "definitions are compared without the article"},
	{"notebook/definition", "notebook/article", "definitions are compared without the article"},
	{"notebook/record", "notebook", "records are read by tools that know no articles"},
	{"notebook/stats", "notebook", "statistics are about plain numbers"},
	{"notebook/expr", "notebook", "the language knows no articles and no records"},
	{"notebook/figurekind", "notebook", "the kinds are known without an article, and by all who read one"},
	{"notebook/source", "notebook/yamltext", "texts and problems are known without YAML"},
	{"notebook/source", "notebook/article", "texts and problems are known without articles"},
	{"notebook/source", "notebook/plan", "texts and problems are known without plans"},
	{"notebook/source", "notebook/record", "texts and problems are known without results"},
	{"notebook/yamltext", "notebook/article", "YAML is read without knowing what is written in it"},
	{"notebook/yamltext", "notebook/expr", "YAML is read without knowing what is written in it"},
	{"notebook/yamltext", "notebook/plan", "YAML is read without knowing what is written in it"},
	{"notebook/yamltext", "notebook/record", "YAML is read without knowing what is written in it"},
	{"notebook/markdown", "notebook", "Markdown is read without knowing what is written in it"},
	{"notebook/article", "notebook/projects", "an article is read by itself"},
	{"notebook/projects", "notebook/plan", "a project is read before anything is planned"},
	{"notebook/loadtool", "notebook/article", "articles and plans are told of tools by it"},
	{"notebook/loadtool", "notebook/plan", "articles and plans are told of tools by it"},
	{"notebook/article", "notebook/plan", "an article is read before it is planned"},
	{"notebook/article", "notebook/spec", "an article is read before it says what containers are made of"},
	{"notebook/article", "notebook/dataset", "an article is read before anything is measured"},
	{"notebook/plan", "notebook/dataset", "a plan is complete before anything is measured"},
	{"notebook/dataset", "os", "a dataset is made from records that were read"},
	{"notebook/histogram", "notebook/dataset", "a histogram is read for itself"},
	{"notebook/integrity", "notebook/plan", "records are checked by themselves, whatever an article says"},
	{"notebook/integrity", "notebook/validity", "what records say of a machine is judged elsewhere"},
	{"notebook/validity", "notebook/dataset", "records are checked by themselves, before a cell is made of them"},
	{"notebook/validity", "notebook/article", "records are checked by themselves, whatever an article says"},
	{"notebook/dataset", "notebook/claim", "what was measured does not depend on what is claimed of it"},
	{"notebook/dataset", "notebook/check", "what was measured does not depend on what is wrong with an article"},
	{"notebook/dataset", "notebook/compare", "a dataset is one set of records, whatever it is compared with"},
	{"notebook/claim", "notebook/check", "a claim is judged of records, whatever an article is checked for"},
	{"notebook/claim", "notebook/compare", "a claim is judged of one set of records"},
	{"notebook/check", "notebook/compare", "an article is checked before there are records to compare"},
	{"runner/engine", "notebook", "an engine starts what it is told, and knows no articles"},
	{"runner/load/http", "runner/engine", "the generator goes into a container alone, and must stay small"},
	{"runner/load/http", "net/http", "the generator is our own, and must stay small"},
	{"runner/load/http", "notebook/article", "the generator goes into a container alone, and must stay small"},
	{"runner/load/http", "notebook/plan", "the generator goes into a container alone, and must stay small"},
	{"runner/load/http", "notebook/record", "the generator goes into a container alone, and must stay small"},
	{"runner/load/http", "notebook/dataset", "the generator goes into a container alone, and must stay small"},
	{"runner/load/http", "notebook/stats", "the generator goes into a container alone, and must stay small"},
	{"runner/generator", "runner/engine", "the generator goes into a container alone, and must stay small"},
	{"runner/generator", "net/http", "the generator is our own, and must stay small"},
	{"runner/generator", "notebook", "the generator goes into a container alone, and must stay small"},
	{"runner/http2", "net/http", "HTTP/2 is read by the generator, which must stay small"},
	{"runner/http2", "notebook", "HTTP/2 is the same whoever speaks it"},
	{"runner/tally", "runner/engine", "requests are counted where they are made, and that must stay small"},
	{"runner/tally", "net/http", "requests are counted where they are made, and that must stay small"},
	{"runner/tally", "notebook", "requests are counted where they are made, and that must stay small"},
	{"runner/search", "runner/engine", "a search decides what to try next, and has somebody measure it"},
	{"runner/sysinfo", "notebook/plan", "a machine is looked at whatever runs on it, also by the agent, which must stay " +
		"small"},
	{"runner/sysinfo", "notebook/article", "a machine is looked at whatever runs on it"},
	{"runner/sysinfo", "runner/load", "a machine is looked at whatever runs on it"},
	{"runner/sysinfo", "runner/machines", "machines of a run are made of what is known of each"},
	{"runner/observe", "runner/images", "what machines and services do is seen whatever they were made from"},
	{"runner/observe", "runner/machines", "what is observed is one machine's; machines ask for it"},
	{"runner/engine/agent", "runner/engine", "what our program does elsewhere is asked for by engines, and knows none"},
	{"runner/origin", "runner/engine", "the origin goes into a container alone, and must stay small"},
	{"runner/origin", "net/http", "the origin is our own, and must stay small"},
	{"runner/origin", "notebook", "the origin goes into a container alone, and must stay small"},
	{"runner/link", "runner/engine", "the relay goes into a container alone, and must stay small"},
	{"runner/link", "notebook", "the relay goes into a container alone, and must stay small"},
	{"runner/proc", "runner", "it goes into containers, and is used by all that runs there"},
	{"runner/proc", "notebook", "it goes into containers, and is used by all that runs there"},
	{"runner/httpsyntax", "runner", "HTTP is the same whoever speaks it"},
	{"runner/textsearch", "runner", "it is about bytes"},
	{"notebook", "lab", "what an article says must be known without the command"},
	{"runner", "lab", "a plan is carried out for whoever asks"},
	{"render", "lab", "a page is made for whoever asks"},
	{"site", "lab", "a site is made for whoever asks"},
	{"lab/terminal", "lab", "what is written on a terminal knows nothing of articles"},
	{"lab/forecast", "lab/measure", "what a run would do is known without one"},
	{"lab/results", "lab/measure", "results are those of records, whoever measured them"},
	{"lab/results", "lab/progress", "results are those of records, whoever watched a run"},
	{"lab/progress", "lab/measure", "a run is shown by whoever is told of it"},
	{"lab/pages", "lab/measure", "a site is made from records"},
	{"runner/load/timing", "runner/engine", "the timer goes into a container alone, and must stay small"},
}

// allowed are imports of a forbidden folder that hold all the same: plain data that all of them mean the same by.
var allowed = []struct{ from, to string }{
	{"runner/engine", "notebook/spec"},
	{"runner/generator", "notebook/spec"},
}

// heavy dependencies belong to one folder each.
var heavy = []struct{ library, only, why string }{
	{"github.com/testcontainers/", "runner/engine/docker", "an engine's library is that engine's own business"},
	{"github.com/docker/cli/", "runner/engine/docker", "an engine's library is that engine's own business"},
	{"github.com/moby/moby/", "runner/engine/docker", "an engine's library is that engine's own business"},
	{"github.com/compose-spec/", "notebook/compose", "Compose files are read in one place, by Compose's own rules"},
	{"k8s.io/", "runner/engine/kubernetes", "an engine's library is that engine's own business"},
	{"github.com/google/go-containerregistry/", "runner/engine/kubernetes",
		"an engine's library is that engine's own business"},
	{module + "runner/generator", "runner/benchbook-agent", "whoever asks for a load knows its config and its result"},
	{"gopkg.in/yaml.v3", "notebook/yamltext", "YAML is read in one place, with its traps"},
	{"gonum.org/v1/plot", "render/figure", "figures can be drawn by something else one day"},
	{"github.com/spf13/cobra", "cmd", "the command line is the command's"},
}

// What measures on other machines is in benchbook-cluster alone: its libraries are larger than most of the rest.
func TestOrdinaryBuild(t *testing.T) {
	for tags, clusters := range map[string]bool{"": false, "cluster": true} {
		out, err := exec.Command("go", "list", "-deps", "-tags", tags, "./cmd/benchbook").Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, folder := range []string{"k8s.io/", "github.com/google/go-containerregistry/",
			module + "runner/engine/kubernetes"} {
			if in := strings.Contains("\n"+string(out), "\n"+folder); in != clusters {
				t.Errorf("with the tags %q it has %s: %v", tags, folder, in)
			}
		}
	}
}

// What goes into containers is small, and knows neither articles nor plans.
func TestAgentIsSmall(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "./runner/benchbook-agent").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"net/http", "notebook/article", "notebook/plan", "notebook/yamltext", "notebook/stats",
		"render", "runner/machines"} {
		if strings.Contains("\n"+string(out), "\n"+module+folder+"\n") || strings.Contains("\n"+string(out),
			"\n"+folder+"\n") {
			t.Errorf("benchbook-agent has %s", folder)
		}
	}
}

// Imports point one way: see docs/architecture.md#rooms. Tests may look across.
func TestArrows(t *testing.T) {
	eachGoFile(t, func(name string, data []byte) {
		if strings.HasSuffix(name, "_test.go") {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, data, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range f.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			for _, why := range wrong(path.Dir(name), imported) {
				t.Errorf("%s imports %s: %s", name, imported, why)
			}
		}
	})
}

// eachGoFile reads every Go file of the project but those of testdata.
func eachGoFile(t *testing.T, read func(name string, data []byte)) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && (strings.HasPrefix(e.Name(), "_") || e.Name() == "testdata" ||
			name != "." && strings.HasPrefix(e.Name(), ".")) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		data, err := os.ReadFile(name)
		if err == nil {
			files++
			read(filepath.ToSlash(name), data)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 20 {
		t.Errorf("only %d files were looked at", files)
	}
}

// wrong gives the reasons why a file of a folder may not import a package.
func wrong(folder, imported string) (reasons []string) {
	own, isOwn := strings.CutPrefix(imported, module)
	if !isOwn {
		own = imported
	}
	for _, a := range allowed {
		if below(folder, a.from) && own == a.to {
			return nil
		}
	}
	for _, f := range forbidden {
		if below(folder, f.from) && below(own, f.to) && !below(own, f.from) {
			reasons = append(reasons, f.why)
		}
	}
	for _, h := range heavy {
		// what is only for tests is no part of it
		if strings.HasPrefix(imported, h.library) && !below(folder, h.only) && !below(folder, "scripts") {
			reasons = append(reasons, h.why)
		}
	}
	return reasons
}

func below(folder, root string) bool { return folder == root || strings.HasPrefix(folder, root+"/") }
