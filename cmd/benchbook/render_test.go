package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// The page of two runs says of every cell what compare says of it.
func TestPageOfComparison(t *testing.T) {
	project := measuredTwice(t)
	out := filepath.Join(t.TempDir(), "site")
	if status, _, stderr := benchbook(project, "render", "--out", out); status != 0 {
		t.Fatalf("status %d: %s", status, stderr)
	}
	status, compared, stderr := benchbook(project, "compare", runBefore, runAfter, "servers", "--format", "text")
	if status != 0 {
		t.Fatalf("status %d: %s", status, stderr)
	}
	f, err := os.Open(filepath.Join(out, "servers", "compare", runBefore+"-"+runAfter, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tree, err := html.Parse(f)
	if err != nil {
		t.Fatal(err)
	}
	said := spaces.ReplaceAllString(textOf(tree), " ")
	rows := 0
	for line := range strings.Lines(string(compared)) {
		line = strings.TrimSpace(line)
		cells := columns.Split(line, -1)
		switch {
		case len(cells) == 5 && cells[0] != "cell":
			rows++
			for _, cell := range cells {
				if !strings.Contains(said, spaces.ReplaceAllString(cell, " ")) {
					t.Errorf("compare says %q, and the page does not: %s", cell, line)
				}
			}
		case strings.HasPrefix(line, "note: "), strings.HasPrefix(line, "A and B were measured"):
			if words := spaces.ReplaceAllString(strings.TrimPrefix(line, "note: "), " "); !strings.Contains(said, words) {
				t.Errorf("the page does not say %q", words)
			}
		}
	}
	if rows < 10 {
		t.Errorf("compare printed %d rows", rows)
	}
	for _, want := range []string{"packages.server: python3", "3.11.2-1+b1", "3.11.4-1", "benchbook compare " + runBefore +
		" " + runAfter + " servers"} {
		if !strings.Contains(said, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

var (
	spaces  = regexp.MustCompile(`[\s\x{a0}\x{202f}]+`)
	columns = regexp.MustCompile(`[ ]{2,}`)
)

// textOf is what a page says, with a space between its elements.
func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var out strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		out.WriteString(textOf(c))
		if n.Data == "tr" || n.Data == "dl" || n.Data == "ul" {
			out.WriteString(" ")
		}
	}
	return out.String()
}
