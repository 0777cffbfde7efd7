// Package archtest checks the repository as a whole: imports between packages, the size of functions, and the README.
package archtest

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

const root = "../.."

// layers lists folders of packages from the lowest layer up. A package imports its own layer and lower ones.
var layers = []string{
	"internal notebook/source notebook/expr notebook/stats notebook/spec",
	"notebook/article notebook/record notebook/loadtool notebook/framework notebook/compose",
	"notebook/plan notebook/validity",
	"notebook/dataset",
	"notebook/claim notebook/compare notebook/check",
	"runner render", // neither imports the other
	"site",
	"lab",
	"cmd",
}

// heavy maps a library to the one folder that may import it.
var heavy = map[string]string{
	"github.com/testcontainers/": "runner/engine/docker",
	"github.com/moby/moby/":      "runner/engine/docker",
	"github.com/moby/buildkit/":  "runner/engine/docker",
	"github.com/compose-spec/":   "notebook/compose",
	"gopkg.in/yaml.v3":           "notebook/source",
	"gonum.org/v1/plot":          "render/figure",
	"github.com/spf13/cobra":     "cmd",
}

func TestLayers(t *testing.T) {
	levels := map[string]int{}
	for level, folders := range layers {
		for folder := range strings.FieldsSeq(folders) {
			levels[folder] = level
		}
	}
	// layer returns the folder in layers that holds a package, and its level; -1 for none.
	layer := func(pkg string) (string, int) {
		for ; pkg != "."; pkg = path.Dir(pkg) {
			if level, ok := levels[pkg]; ok {
				return pkg, level
			}
		}
		return "", -1
	}
	imports, module := 0, modulePrefix()
	list := goList("-f", "{{range .Imports}}{{$.ImportPath}} {{.}}\n{{end}}", "./...")
	for line := range strings.Lines(list) {
		from, imported, ok := strings.Cut(strings.TrimSpace(line), " ")
		from = strings.TrimPrefix(from, module)
		if !ok || strings.HasPrefix(from, "scripts/") || strings.Contains(from+"/", "test/") {
			continue
		}
		if imported == "testing" || strings.Contains(imported+"/", "test/") {
			t.Errorf("%s imports %s, which is for tests", from, imported)
		}
		for library, only := range heavy {
			if strings.HasPrefix(imported, library) && !strings.HasPrefix(from+"/", only+"/") &&
				!strings.HasPrefix(module+from, library) {
				t.Errorf("%s imports %s, and only %s may", from, imported, only)
			}
		}
		own, ok := strings.CutPrefix(imported, module)
		if !ok {
			continue
		}
		imports++
		above, high := layer(from)
		below, low := layer(own)
		if high < 0 || low < 0 {
			t.Errorf("%s imports %s: layers lacks one of them", from, own)
		}
		if low > high || low == high && above != below && (below == "runner" || below == "render") {
			t.Errorf("%s imports %s, a higher layer", from, own)
		}
	}
	if imports < 200 {
		t.Errorf("only %d imports were found", imports)
	}
}

// benchbook-agent must stay small: it is copied into many images and to other machines.
func TestAgentIsSmall(t *testing.T) {
	deps, module := goList("-deps", "./runner/benchbook-agent"), modulePrefix()
	for _, folder := range []string{"notebook/article", "notebook/plan", "notebook/source", "notebook/stats", "render",
		"runner/observe"} {
		assert.Equal(t, strings.Contains("\n"+deps, "\n"+module+folder+"\n"), false, "benchbook-agent has %s", folder)
	}
	file := filepath.Join(t.TempDir(), "agent")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", file, "./runner/benchbook-agent")
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	must.Run(build)
	info := must.Get(os.Stat(file))
	if most := int64(7 << 20); info.Size() > most {
		t.Errorf("it has %d bytes, and may have %d", info.Size(), most)
	}
}

// modulePrefix returns the beginning of import paths of our packages.
func modulePrefix() string {
	return strings.TrimSpace(goList("-m")) + "/"
}

func goList(args ...string) string {
	list := exec.Command("go", append([]string{"list"}, args...)...)
	list.Dir = root
	out := must.Get(list.Output())
	return string(out)
}
