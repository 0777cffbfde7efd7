package benchbook

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// newMembers are what is added to the families of docs/architecture.md, each by a patch in testdata/members.
var newMembers = map[string]struct{ patch, name string }{
	"a figure kind":        {"figure-kind", "ladder"},
	"a tool":               {"tool", "siege"},
	"a metric of services": {"metric", "resets"},
	"an engine":            {"engine", "pretend"},
	"a verdict":            {"verdict", "borderline"},
}

// A new member of a family is known everywhere by edits of just those files that the page for contributors lists.
func TestNewMembers(t *testing.T) {
	page, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("`([^`]+)`")
	left, changed := maps.Clone(newMembers), map[string][]byte{} // sources by their paths
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|")
		member, ok := left[strings.TrimSpace(cells[min(1, len(cells)-1)])]
		if !ok || len(cells) != 6 {
			continue
		}
		family := strings.TrimSpace(cells[1])
		delete(left, family)
		var listed, patched []string
		for _, m := range code.FindAllStringSubmatch(cells[3], -1) {
			listed = append(listed, strings.ReplaceAll(m[1], strings.Trim(cells[2], " `"), member.name))
		}
		patch := filepath.Join("testdata", "members", member.patch+".patch")
		text, err := os.ReadFile(patch)
		if err != nil {
			t.Fatal(err)
		}
		for file, hunks := range hunksOf(string(text)) {
			patched = append(patched, file)
			if changed[file], err = apply(file, changed[file], hunks); err != nil {
				t.Errorf("%s: %v", patch, err)
			}
		}
		if slices.Sort(listed); !slices.Equal(listed, slices.Sorted(slices.Values(patched))) {
			t.Errorf(
				"%s: the page lists\n\t%s\nand %s changes\n\t%s",
				family,
				strings.Join(listed, "\n\t"),
				patch,
				strings.Join(patched, "\n\t"),
			)
		}
	}
	for family := range left {
		t.Errorf("docs/architecture.md does not say which files to touch for %s", family)
	}
	if t.Failed() || testing.Short() {
		return // compiling takes some seconds
	}
	if changed["cmd/benchbook/new_members_test.go"], err = os.ReadFile("testdata/members/check_test.go"); err != nil {
		t.Fatal(err)
	}
	overlay := "-overlay=" + overlayOf(t, changed)
	for _, args := range [][]string{{"build", overlay, "./..."}, {"test", overlay, "-vet=off", "-run", "^TestNewMembers$",
		"./cmd/benchbook"}} {
		if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", args[0], err, out)
		}
	}
}

// hunksOf reads a patch: by file, groups of lines that begin with a blank, a minus or a plus.
func hunksOf(patch string) map[string][][]string {
	out := map[string][][]string{}
	file := ""
	for line := range strings.Lines(patch) {
		line = strings.TrimSuffix(line, "\n")
		name, isFile := strings.CutPrefix(line, "--- ")
		switch {
		case isFile:
			file = name
			out[file] = [][]string{nil}
		case line == "@@":
			out[file] = append(out[file], nil)
		case file != "":
			last := &out[file][len(out[file])-1]
			*last = append(*last, line)
		}
	}
	return out
}

// apply changes a file, or the text that it was changed to before, by hunks. Where they belong is found by their
// lines alone, however these are indented. A file that is not there yet has one hunk, of new lines.
func apply(file string, text []byte, hunks [][]string) ([]byte, error) {
	if text == nil {
		var err error
		if text, err = os.ReadFile(file); err != nil && !(os.IsNotExist(err) && len(hunks) == 1) {
			return nil, err
		}
	}
	lines := strings.SplitAfter(string(text), "\n")
	for _, hunk := range hunks {
		var old, new []string
		for _, line := range hunk {
			if line != "" && line[0] != '+' {
				old = append(old, line[1:])
			}
			if line != "" && line[0] != '-' {
				new = append(new, line[1:]+"\n")
			}
		}
		var places []int
		for i := range len(lines) - len(old) + 1 {
			if slices.EqualFunc(old, lines[i:i+len(old)], sameWords) {
				places = append(places, i)
			}
		}
		if len(old) == 0 {
			places = []int{0}
		}
		if len(places) != 1 {
			return nil, fmt.Errorf(
				"%s has %d places with these lines, want one; write them as they are now:\n%s",
				file,
				len(places),
				strings.Join(old, "\n"),
			)
		}
		lines = slices.Replace(lines, places[0], places[0]+len(old), new...)
	}
	return []byte(strings.Join(lines, "")), nil
}

func sameWords(a, b string) bool { return slices.Equal(strings.Fields(a), strings.Fields(b)) }

// overlayOf writes sources, and a file for the flag -overlay that puts them in the place of those that are there.
func overlayOf(t *testing.T, sources map[string][]byte) (name string) {
	t.Helper()
	dir := t.TempDir()
	var overlay struct{ Replace map[string]string }
	overlay.Replace = map[string]string{}
	for file, text := range sources {
		at, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		overlay.Replace[at] = filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(overlay.Replace[at], text, fs.FileMode(0o644)); err != nil {
			t.Fatal(err)
		}
	}
	data, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	name = filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}
