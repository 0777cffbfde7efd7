package docs_test

import (
	"go/ast"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A member of a family is in just the files that the page for contributors lists: another one is written there.
func TestFilesToTouch(t *testing.T) {
	page := readPage(t, "architecture.md")
	rows := 0
	for line := range strings.Lines(page.section(t, "Which files to touch")) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || !strings.Contains(cells[2], "`") {
			continue
		}
		rows++
		family, member := strings.TrimSpace(cells[1]), strings.Trim(cells[2], " `")
		var listed []string
		for _, m := range code.FindAllStringSubmatch(cells[3], -1) {
			listed = append(listed, m[1])
		}
		slices.Sort(listed)
		found := map[string]bool{}
		goFiles(t, ".", func(name string, f *ast.File) {
			if names(f, member, slices.Contains([]string{"a figure kind", "a metric of services", "a tool"}, family)) {
				found[name] = true
			}
		})
		maps.DeleteFunc(found, func(name string, _ bool) bool {
			return strings.Contains(name, "/testdata/") || strings.HasPrefix(name, "runner/benchbook-agent/comparetest/")
		})
		if family == "a verdict" {
			maps.Copy(found, themeFiles(t, member))
		}
		got := slices.Sorted(maps.Keys(found))
		if *update {
			cells[3] = " `" + strings.Join(got, "` `") + "` "
			page.text = strings.Replace(page.text, line, strings.Join(cells, "|"), 1)
			continue
		}
		if !slices.Equal(got, listed) {
			t.Errorf("%s: %s is in\n\t%s\nand the page lists\n\t%s\n"+
				"go test ./docs -run TestFilesToTouch -update writes the list",
				family, member, strings.Join(got, "\n\t"), strings.Join(listed, "\n\t"))
		}
	}
	if *update {
		if err := os.WriteFile(page.name, []byte(page.text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if rows < 5 {
		t.Errorf("there are only %d families", rows)
	}
}

// names reports whether a file has the name of a member: as a text, as an engine that is imported, or, if members are
// known by their names in Go too, as one of these.
func names(f *ast.File, member string, inGo bool) bool {
	field := member[strings.LastIndex(member, ".")+1:] // retransmits of net.retransmits
	found := false
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			s, err := strconv.Unquote(n.Path.Value)
			found = found || err == nil && strings.HasSuffix(s, "/engine/"+member)
		case *ast.BasicLit:
			s, err := strconv.Unquote(n.Value)
			found = found || n.Kind == token.STRING && err == nil && (s == member || strings.HasPrefix(s, member+"."))
		case *ast.Ident:
			found = found || inGo && strings.EqualFold(n.Name, strings.ReplaceAll(field, "_", ""))
		}
		return true
	})
	return found
}

// themeFiles are the templates and styles that have a word.
func themeFiles(t *testing.T, word string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	pattern := regexp.MustCompile(`\b` + word + `\b`)
	err := filepath.WalkDir(filepath.Join(root, "site", "theme"), func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(name, ".html") && !strings.HasSuffix(name, ".css") {
			return err
		}
		text, err := os.ReadFile(name)
		if pattern.Match(text) {
			found[filepath.ToSlash(strings.TrimPrefix(name, root+string(filepath.Separator)))] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

var sectionNumber = regexp.MustCompile(`(?m)^\*\*([0-9]+)(?:\.([0-9]+))?\.\*\*`)

// The sections of the specification are numbered without gaps, so that a number can be quoted.
func TestSectionsAreNumbered(t *testing.T) {
	for name, first := range map[string]int{"method.md": 0, "format.md": 1, "architecture.md": 1} {
		numbers := sectionNumber.FindAllStringSubmatch(readPage(t, name).prose(), -1)
		section, part := first-1, 0
		for _, m := range numbers {
			main, err := strconv.Atoi(m[1])
			if err != nil {
				t.Fatal(err)
			}
			sub, _ := strconv.Atoi("0" + m[2])
			next := main == section+1 && sub <= 1
			if !next && (main != section || sub != part+1) {
				t.Errorf("%s: section %s.%s follows %d.%d", name, m[1], m[2], section, part)
			}
			section, part = main, sub
		}
		if len(numbers) < 9 {
			t.Errorf("%s has %d numbered sections", name, len(numbers))
		}
	}
}
