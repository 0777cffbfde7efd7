package benchbook

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var (
	document   = regexp.MustCompile(`[\w./-]*\w\.md\b(?:#[\w-]+)?`)
	elsewhere  = regexp.MustCompile(`\b(?:METHOD|FORMAT|DESIGN|STACK|ARTICLES|REDESIGN)(?:-\d)?(?:\.md\b| \d)`)
	webAddress = regexp.MustCompile(`\w+://\S+`)
)

// Every document that a comment, a script or a page outside docs names is in the repository, and has the heading that
// is named. Links between the pages of docs are tested there.
func TestReferences(t *testing.T) {
	documents := map[string]bool{} // by base name
	texts := map[string]string{}   // by path, what may refer to documents
	err := filepath.WalkDir(".", func(name string, e fs.DirEntry, err error) error {
		name = filepath.ToSlash(name)
		switch {
		case err != nil:
			return err
		case e.IsDir() && (strings.HasPrefix(e.Name(), "_") || name == ".git" || e.Name() == "records" ||
			e.Name() == "testdata"):
			return fs.SkipDir
		case e.IsDir():
			return nil
		case strings.HasSuffix(name, ".md"):
			documents[path.Base(name)] = true
		}
		switch {
		case strings.HasSuffix(name, ".go"):
			texts[name], err = comments(name)
		case name == "Makefile", name == "Dockerfile", below(path.Dir(name), "scripts"), below(path.Dir(name), ".ci"),
			below(path.Dir(name), ".github"), strings.HasSuffix(name, ".md") && path.Dir(name) == ".":
			var text []byte
			text, err = os.ReadFile(name)
			texts[name] = string(text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	headings := map[string]map[string]bool{}
	found := 0
	for name, text := range texts {
		for _, why := range deadReferences(text, documents, headings) {
			t.Errorf("%s: %s", name, why)
		}
		found += strings.Count(text, "docs/")
	}
	if found < 200 {
		t.Errorf("only %d references were found", found)
	}
}

// comments are those of a Go file.
func comments(name string) (string, error) {
	f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	var all strings.Builder
	for _, group := range f.Comments {
		for _, c := range group.List {
			all.WriteString(c.Text + "\n")
		}
	}
	return all.String(), nil
}

// deadReferences says which references of a text lead nowhere. Documents are known by base name; headings are the
// anchors of pages that were read before.
func deadReferences(text string, documents map[string]bool, headings map[string]map[string]bool) (why []string) {
	text = webAddress.ReplaceAllString(text, "")
	for _, m := range elsewhere.FindAllString(text, -1) {
		why = append(why, m+" is not in this repository: refer to a section of docs/")
	}
	for _, reference := range document.FindAllString(text, -1) {
		page, anchor, _ := strings.Cut(reference, "#")
		if !strings.HasPrefix(page, "docs/") {
			if !documents[path.Base(page)] {
				why = append(why, "there is no document "+page)
			}
			continue
		}
		if headings[page] == nil {
			headings[page] = anchorsOf(page)
		}
		switch {
		case len(headings[page]) == 0:
			why = append(why, "there is no page "+page)
		case anchor != "" && !headings[page][anchor]:
			why = append(why, page+" has no heading #"+anchor)
		}
	}
	return why
}

// anchorsOf are the names that forges give the headings of a page; there are none if the page is missing.
func anchorsOf(page string) map[string]bool {
	text, err := os.ReadFile(page)
	if err != nil {
		return map[string]bool{}
	}
	anchors := map[string]bool{}
	for line := range strings.Lines(code.ReplaceAllString(string(text), "")) {
		if strings.HasPrefix(line, "#") {
			anchors[anchorOf(strings.TrimSpace(strings.TrimLeft(line, "#")))] = true
		}
	}
	return anchors
}

// anchorOf is the name that forges give a heading.
func anchorOf(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}

func TestReferencesSeeWhatIsWrong(t *testing.T) {
	documents := map[string]bool{"README.md": true, "article.md": true}
	for _, test := range []struct {
		text string
		dead int
	}{
		{"Source: docs/method.md#ratios; Welch 1947.", 0},
		{"See docs/method.md and experiments/hello/article.md.", 0},
		{"see https://example.org/other.md#x", 0},
		{"Source: docs/method.md#nowhere.", 1},
		{"Source: docs/nothing.md.", 1},
		{"see elsewhere.md", 1},
		{"Source: METHOD.md 3.1.", 2}, // of another repository, and no document here
		{"as METHOD 7 has it", 1},
	} {
		if got := deadReferences(test.text, documents, map[string]map[string]bool{}); len(got) != test.dead {
			t.Errorf("%q: %d dead references %q, want %d", test.text, len(got), got, test.dead)
		}
	}
}
