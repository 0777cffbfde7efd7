// Package article reads an article: Markdown with fenced blocks of YAML that say what is measured, claimed and shown.
//
// Parse never fails: it returns a Document with everything that could be read, and all Problems at once. Everything
// that an author wrote keeps its place in the text, so that later stages can point at it. An article is parsed by
// goldmark once; our blocks, inline values and references are nodes of its tree, which render walks to make the page.
package article

import (
	"bytes"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"

	"benchbook/internal/files"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

const (
	ProjectFile = "benchbook.yaml" // the name of the file that makes a folder a project
	FileName    = "article.md"     // the name of an article in its folder
)

// Bounds of the parts of an article.
const (
	maxExperiments = 500
	maxListings    = 1000
	maxAxes        = 100
	maxNamed       = 500 // services of an experiment, values of the front matter and the like
)

// Document is an article that was parsed.
type Document struct {
	Slug   string // name of its folder
	Dir    string // path of its folder, which can be opened
	Source *source.Source
	Front  Front

	Tree ast.Node // goldmark's document
	Text []byte   // text that segments of Tree refer to: the source with the front matter blanked out, of the same length

	// Answer is the author's answer, from ::: answer to :::, which a page shows first; nil if there is none. Source:
	// docs/article.md#the-answer.
	Answer      *Div
	Parts       []*ConditionalPart // outer parts come before inner ones
	Experiments []*ExperimentBlock
	Claims      []*Claim
	Published   []*Published
	Tables      []*Table
	Figures     []*Figure
	Listings    []*Listing
	Values      []*InlineValue // in the tree, titles and captions, as are ClaimLinks and References
	ClaimLinks  []*ClaimLink
	References  []*Reference

	Problems source.Problems

	unread    map[string][]string      // texts of blocks that could not be read, by kind
	front     source.Pos               // of the front matter
	stated    []Statement              // in titles, captions and other lines of YAML
	lineLinks []ProseLink              // links in these lines
	added     map[string]record.Metric // metrics that experiments of the article add, by name
	resolved  map[*byte]string         // link destinations without escapes, by their first byte
	lineTrees map[string]ast.Node      // trees of lines of Markdown in YAML, by text
}

// Front is the front matter of an article.
type Front struct {
	Title       source.Text     `yaml:"title" need:"add a line title: …"`
	Description source.Text     `yaml:"description"`
	Finding     source.Text     `yaml:"finding"` // the result in a sentence, for lists and cards
	Date        source.Text     `yaml:"date"`
	Tags        []source.Text   `yaml:"tags"`
	Authors     []source.Text   `yaml:"authors"`
	Reproduces  *Work           `yaml:"reproduces"`
	Related     []*Work         `yaml:"related"`
	Cautions    []source.Text   `yaml:"caution"`
	Values      Map[Expression] `yaml:"values"`
	Colours     []source.Text   `yaml:"colours"` // values of parameters and labels, in the order of colours
	Defaults    Defaults        `yaml:"defaults"`
	Node        *source.Node    `yaml:"-"` // nil if it could not be read
	Pos         source.Pos      `yaml:"-"` // of its first line
}

// Work is a publication that an article reproduces, or a related one.
type Work struct {
	Title  source.Text `yaml:"title" need:"add title: with the title of the work"`
	Author source.Text `yaml:"author"`
	Year   source.Text `yaml:"year"`
	URL    source.Text `yaml:"url" need:"add url: with the address of the work, or none if it is not on the web"`
	Pos    source.Pos  `yaml:"-"`
}

func (w *Work) DecodeNode(d source.Decoder, n *source.Node, _ string) {
	d.Plain(n, "reproduced or related work", w)
}

// By returns its author and year; empty if neither is known.
func (w *Work) By() string { return strings.TrimSpace(w.Author.Value + " " + w.Year.Value) }

// Address returns the URL of the work; empty if it is not on the web.
func (w *Work) Address() string {
	if w.URL.Value == "none" {
		return ""
	}
	return w.URL.Value
}

// Defaults are keys for all experiments that do not have them.
type Defaults struct{ Node *source.Node }

func (v *Defaults) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if !d.Kind(n, what, source.Map) {
		return
	}
	v.Node = n
	checkTemplates(n, d.Problems)
	decodeOverride(d, n, what, "name", "extends")
}

// Parse parses the article src. dir is its folder, which may contain files that the article names.
func Parse(dir string, src *source.Source) *Document {
	doc := &Document{Slug: filepath.Base(dir), Dir: dir, Source: src, Tree: ast.NewDocument(),
		added: map[string]record.Metric{}, unread: map[string][]string{}, resolved: map[*byte]string{},
		lineTrees: map[string]ast.Node{}}
	if !source.Fits(src, &doc.Problems) {
		return doc
	}
	doc.Text = doc.frontMatter()
	parser := ForArticles()
	doc.Tree = parser.Parse(doc.Text)
	if at, message, hint := parser.Exceeded(); at >= 0 {
		doc.Problems.Add("too-large", src.Pos(at, min(at+1, len(doc.Text))), "%s", message).Hint = hint
	}
	doc.parts()
	doc.blocks()
	doc.prose().inlines()
	doc.topics()
	doc.lines()
	doc.check()
	return doc
}

var frontMatter = regexp.MustCompile(`\A---[ \t]*\r?\n((?s:.*?)\n)??---[ \t]*(\r?\n|\z)`)

// frontMatter reads the YAML above the article and returns the text with it blanked out, so that offsets are kept.
func (doc *Document) frontMatter() []byte {
	data := doc.Source.Data
	m := frontMatter.FindSubmatchIndex(data)
	if m == nil {
		message, hint := "the article has no front matter", "begin it with a line ---, then title: …, then a line ---"
		if bytes.HasPrefix(data, []byte("---")) {
			message, hint = "the front matter is never closed", "write a line --- below its last line"
		}
		doc.Problems.Add("no-front-matter", doc.Source.Pos(0, 0), "%s", message).Hint = hint
		return data
	}
	doc.front, doc.Front.Pos = doc.Source.Pos(0, m[1]), doc.Source.Pos(0, 3)
	n := &source.Node{Kind: source.Map}
	if m[2] >= 0 {
		n = source.Parse(source.Part(doc.Source, m[2], m[3], doc.Front.Pos), &doc.Problems)
	}
	if n != nil {
		NewDecoder(&doc.Problems, false).Decode(n, "front matter", &doc.Front)
	}
	blanked := slices.Clone(data)
	for i := range blanked[:m[1]] {
		if blanked[i] != '\n' {
			blanked[i] = ' '
		}
	}
	return blanked
}

// AddBadName reports an invalid name for something of a kind, such as an axis.
func AddBadName(p *source.Problems, t source.Text, kind string) {
	hint := `use letters, digits, "-" and "_", and begin with a letter`
	if len(t.Value) > files.MaxName {
		hint = fmt.Sprintf("choose a name of at most %d bytes", files.MaxName)
	}
	p.Add("bad-name", t.Pos, "%q is not a valid name for %s", t.Value, withArticle(kind)).Hint = hint
}

func withArticle(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}
