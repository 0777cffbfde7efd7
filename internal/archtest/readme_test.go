package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"benchbook/notebook/dataset"
	"benchbook/render/rendertest"
)

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// listing matches the article in the README, whose links are relative to its own folder.
var listing = regexp.MustCompile("(?s)````markdown\n.*?````\n")

// The README names existing targets of the Makefile, folders and files, and CI runs its commands.
func TestReadme(t *testing.T) {
	readme, makefile, ci := read(t, "README.md"), read(t, "Makefile"), read(t, ".ci/run")
	targets := regexp.MustCompile("make ([a-z]+)").FindAllStringSubmatch(readme, -1)
	if len(targets) < 4 {
		t.Errorf("only %d commands were found", len(targets))
	}
	for _, m := range targets {
		if !strings.Contains(makefile, "\n"+m[1]+":") {
			t.Errorf("the Makefile has no target %s", m[1])
		}
	}
	for _, command := range []string{"make report", "make test"} {
		if !strings.Contains(readme, command) || !strings.Contains(ci, "\n"+command) {
			t.Errorf("%q is not in the README and in .ci/run", command)
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+/)` \\|").FindAllStringSubmatch(readme, -1) {
		if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
			t.Error(err)
		}
	}
	for _, m := range regexp.MustCompile(
		`\]\(([^)#]+)\)|src(?:set)?="([^"]+)"`).FindAllStringSubmatch(listing.ReplaceAllString(readme, ""), -1) {
		if _, err := os.Stat(filepath.Join(root, m[1]+m[2])); err != nil {
			t.Error(err)
		}
	}
}

// The README shows the beginning of experiments/hello, whose committed records are fresh.
func TestReadmeShowsHello(t *testing.T) {
	text := read(t, "experiments/hello/article.md")
	_, shown, ok := strings.Cut(read(t, "README.md"), "````markdown\n")
	shown, _, closed := strings.Cut(shown, "````\n")
	if !ok || !closed || !strings.HasPrefix(text, shown) || len(shown) < 500 {
		t.Errorf("the article in the README is not how experiments/hello/article.md begins")
	}
	d := rendertest.Committed(t, root, "hello")
	for _, e := range d.Experiments {
		for _, c := range e.Cells {
			if c.State != dataset.Fresh {
				t.Errorf("the committed records of %s are %v: measure them again", c.Trial.Name, c.State)
			}
		}
	}
}
