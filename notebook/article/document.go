// Package article reads an article: Markdown with fenced blocks of YAML that say what is measured, claimed and shown.
//
// Parse never fails: it gives a Document with everything that could be read, and the Problems that the author has to
// repair, all of them at once. Everything that an author wrote keeps its place in the text, so that later stages can
// point at it. An article is parsed by goldmark once; our blocks, inline values and references are nodes of its tree,
// which render walks to make the page.
package article

import (
	"bytes"
	"fmt"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"

	"benchbook/internal/files"

	"benchbook/notebook/expr"

	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

const (
	ProjectFile = "benchbook.yaml" // the name of the file that makes a folder a project
	FileName    = "article.md"     // the name of an article in its folder
)

// Bounds of what an article has several of. Most of them are looked up by name again and again.
const (
	maxExperiments = 500
	maxListings    = 1000
	maxAxes        = 100
	maxNamed       = 500 // services of an experiment, values of the front matter and the like
)

// Document is an article that was read.
type Document struct {
	Slug   string // the name of its folder
	Dir    string // the folder, as a path that can be opened
	Source *source.Source
	Front  Front

	Tree ast.Node // goldmark's document
	Text []byte   // what Tree's segments are offsets into; as long as the source, with the front matter blanked out

	Parts       []*ConditionalPart // of the text for some outcomes, each before those in it
	Experiments []*ExperimentBlock
	Claims      []*Claim
	Published   []*Published
	Tables      []*Table
	Figures     []*Figure
	Listings    []*Listing
	Lines       []Line         // in the YAML of blocks and front matter
	Values      []*InlineValue // in the tree, and in titles and captions, as are the next two
	ClaimLinks  []*ClaimLink
	References  []*Reference

	Problems source.Problems

	// texts of blocks that could not be read, by kind: what is missing may stand there
	unread    map[string]string
	included  []*Block                 // listings with include=
	front     source.Pos               // of the front matter
	stated    []Statement              // of titles, captions and other lines in YAML
	lineLinks []ProseLink              // likewise, as Links has them
	added     map[string]record.Metric // metrics that experiments of the article add, by name
	resolved  map[destinationKey]string
}

// Front is the front matter of an article.
type Front struct {
	Title       source.Text   `yaml:"title"`
	Description source.Text   `yaml:"description"`
	Date        source.Text   `yaml:"date"`
	Tags        Tags          `yaml:"tags"`
	Draft       Value[bool]   `yaml:"draft"`
	Authors     []source.Text `yaml:"authors"`
	Reproduces  *Reproduces   `yaml:"reproduces"`
	Values      NamedValues   `yaml:"values"`
	Colours     []source.Text `yaml:"colours"` // values of parameters and labels, in the order of their colours
	Defaults    Defaults      `yaml:"defaults"`
	Tried       source.Tried  `yaml:"-"`
}

// Reproduces names the work that an article repeats.
type Reproduces struct {
	Title  source.Text `yaml:"title"`
	Author source.Text `yaml:"author"`
	Year   source.Text `yaml:"year"`
	URL    source.Text `yaml:"url"`
}

// Tags are words that articles are found by.
type Tags []source.Text

func (t *Tags) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if n.Kind == source.Scalar && strings.Contains(n.Text.Value, ",") {
		words := strings.FieldsFunc(n.Text.Value, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
		d.Problems.Add("wrong-value", n.Text.Pos, "several %s must be a list", what).Hint = "write " + what + ": [" +
			strings.Join(words, ", ") + "]"
		return
	}
	d.Value(n, what, reflect.ValueOf((*[]source.Text)(t)).Elem())
}

// NamedValues are expressions with names, in the order written.
type NamedValues []Named[Expression]

func (v *NamedValues) DecodeNode(d source.Decoder, n *source.Node, what string) {
	*v = DecodeNamed[Expression](d, n, what, "value")
}

// Defaults are keys of experiments that hold wherever an experiment does not say otherwise.
type Defaults struct{ Node *source.Node }

func (v *Defaults) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if d.Kind(n, what, source.Map) {
		v.Node = n
		for _, key := range []string{"name", "extends"} {
			if n.Get(key) != nil {
				d.Problems.Add("wrong-shape", n.Place(key), "%s cannot be a default", key).
					Hint = "write it in the experiments"
			}
		}
		TemplatesIn(n, d.Problems)
		// as where it is merged, so that it is said once
		NewDecoder(d.Problems, true).Decode(n, "experiment", new(Experiment))
	}
}

// Listing is code in an article that is also a file, or that is read from one.
type Listing struct {
	Language string
	Path     string // of file= or include=, relative to the article's folder
	Data     []byte
	First    int          // of include= with lines: the number of the first line shown; else 0
	Lines    []source.Pos // of file=: of each line of Data
	Pos      source.Pos   // of the fence's first line

	fragment source.Fragment // of file=
	extent   source.Pos      // of file=: of the fence and all of its lines
}

// Fragment is the text of the listing with its places in the article.
func (l *Listing) Fragment() source.Fragment { return l.fragment }

// Block is the node of a fence that means something to us. It stands in the tree where the fence stood.
type Block struct {
	ast.BaseBlock
	Is        string // experiment, claim, published, table, figure, file, include
	Claims    []*Claim
	Published []*Published
	Tables    []*Table
	Figures   []*Figure
	// Experiment is set for experiment blocks that could be read, Listing for listings with file= or include=.
	Experiment *ExperimentBlock
	Listing    *Listing
	YAML       []byte     // the text of a block of ours
	Opened     bool       // a listing that the page shows at once, instead of a line that opens
	Place      source.Pos // of the fence's first line

	language        string
	extent          source.Pos  // of all of it, the closing fence apart
	includes, lines source.Text // of a listing with include=
}

// The kinds of our nodes.
var (
	KindBlock       = ast.NewNodeKind("BenchbookBlock")
	KindInlineValue = ast.NewNodeKind("BenchbookValue")
	KindClaimLink   = ast.NewNodeKind("BenchbookClaim")
	KindReference   = ast.NewNodeKind("BenchbookReference")
)

func (*Block) Kind() ast.NodeKind              { return KindBlock }
func (b *Block) Dump(source []byte, level int) { ast.DumpHelper(b, source, level, nil, nil) }

// InlineValue is `{value} …` in prose.
type InlineValue struct {
	ast.BaseInline
	Inline  expr.Inline
	Written source.Text // what stands after {value}
	Valid   bool        // the expression could be read
}

func (*InlineValue) Kind() ast.NodeKind              { return KindInlineValue }
func (v *InlineValue) Dump(source []byte, level int) { ast.DumpHelper(v, source, level, nil, nil) }

// ClaimLink is [words](claim:NAME): the words are its children.
type ClaimLink struct {
	ast.BaseInline
	Name source.Text
}

func (*ClaimLink) Kind() ast.NodeKind              { return KindClaimLink }
func (l *ClaimLink) Dump(source []byte, level int) { ast.DumpHelper(l, source, level, nil, nil) }

// Reference is [words](#fig-x) or [](#tbl-x): the words, if any, are its children.
type Reference struct {
	ast.BaseInline
	Label source.Text
}

func (*Reference) Kind() ast.NodeKind              { return KindReference }
func (r *Reference) Dump(source []byte, level int) { ast.DumpHelper(r, source, level, nil, nil) }

// Parse reads the article whose text is source. dir is its folder, which may hold files that the article names.
func Parse(dir string, src *source.Source) *Document {
	doc := &Document{Slug: filepath.Base(dir), Dir: dir, Source: src, added: map[string]record.Metric{},
		unread: map[string]string{}, resolved: map[destinationKey]string{}}
	if !source.Fits(src, &doc.Problems) {
		doc.Tree = ast.NewDocument()
		return doc
	}
	if source.IsUTF16(src.Data) {
		doc.Problems.Add("bad-utf8", src.Pos(0, min(2, len(src.Data))), "the file is UTF-16").Hint = "save it as UTF-8"
		doc.Tree = ast.NewDocument()
		return doc
	}
	if !utf8.Valid(src.Data) {
		at := source.FirstInvalid(src.Data)
		doc.Problems.Add("bad-utf8", src.Pos(at, at+1), "the file is not UTF-8 from here on").
			Hint = "save it as UTF-8"
		src = source.New(src.Path, source.ReplaceInvalid(src.Data))
		doc.Source = src
	}
	doc.Text = doc.frontMatter()
	doc.Tree = doc.ParseMarkdown(ForArticles())
	doc.parts()
	doc.blocks()
	doc.files()
	doc.inlines()
	doc.lines()
	(&checker{Document: doc}).check()
	return doc
}

// ParseMarkdown reads the text of the article, or of another page.
func (doc *Document) ParseMarkdown(p Parser) ast.Node {
	tree := p.Parse(doc.Text)
	if at, message, hint := p.Exceeded(); at >= 0 {
		doc.Problems.Add("too-large", doc.Source.Pos(at, min(at+1, len(doc.Text))), "%s", message).Hint = hint
	}
	return tree
}

var frontMatter = regexp.MustCompile(`\A---[ \t]*\r?\n((?s:.*?)\n)??---[ \t]*(\r?\n|\z)`)

// frontMatter reads the YAML above the article and gives the text with it blanked out, so that offsets stay.
func (doc *Document) frontMatter() []byte {
	data := doc.Source.Data
	m := frontMatter.FindSubmatchIndex(data)
	if m == nil {
		doc.noFrontMatter()
		return data
	}
	doc.front = doc.Source.Pos(0, m[1])
	if m[2] >= 0 {
		f := source.Part(doc.Source, m[2], m[3], doc.Source.Pos(0, 3))
		if n := source.Parse(f, &doc.Problems); n != nil {
			NewDecoder(&doc.Problems, false).Decode(n, "front matter", &doc.Front)
			if written := n.Get("title"); written != nil && strings.TrimSpace(doc.Front.Title.Value) == "" &&
				!doc.Front.Tried.Has("title") {
				doc.Front.Tried = append(doc.Front.Tried, "title")
				doc.Problems.Add("missing-key", n.Place("title"),
					"the title is empty").Hint = "write what the article is about behind title:"
			}
		}
	}
	if doc.Front.Title.Value == "" && !doc.Front.Tried.Has("title") && doc.Problems.Empty() {
		doc.Problems.Add("missing-key", doc.Source.Pos(0, 3), "the front matter has no title").
			Hint = "add a line title: …"
	}
	blanked := slices.Clone(data)
	for i := range blanked[:m[1]] {
		if blanked[i] != '\n' {
			blanked[i] = ' '
		}
	}
	return blanked
}

// noFrontMatter says why there is none.
func (doc *Document) noFrontMatter() {
	data := doc.Source.Data
	const hint = "begin it with a line ---, then title: …, then a line ---"
	switch first, _, _ := bytes.Cut(data, []byte("\n")); {
	case !bytes.ContainsRune(data, '\n') && bytes.ContainsRune(data, '\r'):
		doc.Problems.Add("no-front-matter", doc.Source.Pos(0, 0),
			"the lines of the file end in carriage returns alone, so it is a single line").
			Hint = "save it with the line ends of Unix or Windows"
	case string(bytes.TrimRight(first, " \t\r")) == "---":
		doc.Problems.Add("no-front-matter", doc.Source.Pos(0, 3), "the front matter is never closed").
			Hint = "write a line --- below its last line"
	case bytes.HasPrefix(bytes.TrimSpace(data), []byte("---")):
		doc.Problems.Add("no-front-matter", doc.Source.Pos(0, 0), "the front matter does not begin in the first line").
			Hint = "remove what stands above ---"
	default:
		doc.Problems.Add("no-front-matter", doc.Source.Pos(0, 0), "the article has no front matter").Hint = hint
	}
}

// blockKinds are the second words of yaml fences that mean something to us.
var blockKinds = []string{"experiment", "published", "claim", "table", "figure"}

// blocks replaces the fences that mean something to us by nodes of ours.
func (doc *Document) blocks() {
	var fences []*ast.FencedCodeBlock
	_ = ast.Walk(doc.Tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if f, ok := n.(*ast.FencedCodeBlock); ok && entering {
			fences = append(fences, f)
		}
		if c, ok := n.(*ast.CodeBlock); ok && entering && c.Lines().Len() > 0 {
			fenceReader{doc}.remarkIndented(c.Lines().At(0).Start)
		}
		return ast.WalkContinue, nil
	})
	for _, f := range fences {
		if b := (fenceReader{doc}).block(f); b != nil {
			f.Parent().ReplaceChild(f.Parent(), f, b)
			doc.standsIn(ConditionalPartOf(b), b)
			if b.Is == "include" {
				doc.included = append(doc.included, b)
			}
		}
	}
}

// files reads what blocks name, now that all listings are known.
func (doc *Document) files() {
	for _, b := range doc.included {
		if b.Listing = doc.include(b); b.Listing == nil {
			b.Listing = &Listing{Language: b.language, Path: b.includes.Value, Pos: b.Place}
		}
	}
	for _, b := range doc.Published {
		publishedReader{doc}.publishedRows(b)
	}
}

func (doc fenceReader) block(f *ast.FencedCodeBlock) *Block {
	if doc.unclosed(f) {
		doc.anyUnread(doc.Text) // a block may stand in what was swallowed
		return nil
	}
	if f.Info == nil {
		return nil
	}
	lines := f.Lines()
	info := strings.TrimRight(string(f.Info.Segment.Value(doc.Text)), " \t")
	language, whole := doc.fenceWord(f, 0)
	whole.End = f.Info.Segment.Start + len(info)
	b := &Block{Place: whole, language: language, extent: whole, Opened: slices.Contains(strings.Fields(info), "open")}
	var content []byte
	for i := range lines.Len() {
		line := lines.At(i)
		b.extent.End = line.Stop
		content = append(content, line.Value(doc.Text)...)
	}
	second, at := doc.fenceWord(f, 1)
	switch {
	case language == "yaml" && slices.Contains(blockKinds, second):
		b.Is, b.YAML = second, content
		doc.yamlBlock(b, segmentsOf(doc.Source, doc.Text, lines.Sliced(0, lines.Len()), whole))
		return b
	case language == "yaml" && second != "" && !strings.Contains(second, "="):
		doc.Problems.Add("unknown-block", at, "unknown block kind %q", second).
			Hint = source.Suggest(second, blockKinds) + `; leave the word out for an ordinary listing`
		doc.anyUnread(content)
		return nil
	}
	return doc.listingBlock(b, f, lines, content)
}

// listingBlock makes a block of a fence that is a file, or is read from one; nil of an ordinary listing.
func (doc fenceReader) listingBlock(b *Block, f *ast.FencedCodeBlock, lines *text.Segments, content []byte) *Block {
	second, at := doc.fenceWord(f, 1)
	key, name, _ := strings.Cut(second, "=")
	path := source.Text{Value: name, Pos: at.Within(len(key+"="), len(second))}
	switch {
	case strings.HasPrefix(second, "file="):
		l := doc.listing(b.language, path, content)
		if l == nil {
			return nil
		}
		b.Listing, l.extent = l, b.extent
		l.fragment = segmentsOf(doc.Source, doc.Text, lines.Sliced(0, lines.Len()), b.Place)
		for i := range lines.Len() {
			l.Lines = append(l.Lines, doc.Source.Pos(lines.At(i).Start, lines.At(i).Stop))
		}
	case strings.HasPrefix(second, "include="):
		b.includes = path
		doc.includedLines(b, f)
		if lines.Len() > 0 {
			doc.Problems.Add("include-not-empty", b.Place, "a listing of a file cannot contain lines of its own").
				Hint = "remove them, or write file= to make a file of them"
		}
	case doc.nearlyBlock(strings.TrimSpace(string(f.Info.Segment.Value(doc.Text))), b.Place, content):
		return nil
	default:
		return nil
	}
	b.Is = key
	return b
}

// setUnread notes that a block of a kind with this text could not be read.
func (doc fenceReader) setUnread(kind string, text []byte) { doc.unread[kind] += string(text) + "\n" }

// anyUnread notes that blocks of any kind may be in a text that could not be read.
func (doc fenceReader) anyUnread(text []byte) {
	for _, kind := range blockKinds {
		doc.setUnread(kind, text)
	}
}

// fenceWord gives a word behind a fence, counted from 0; an empty one stands for all of them.
func (doc fenceReader) fenceWord(f *ast.FencedCodeBlock, k int) (string, source.Pos) {
	start, at := f.Info.Segment.Start, 0
	info := string(f.Info.Segment.Value(doc.Text))
	for i, w := range strings.Fields(info) {
		at += strings.Index(info[at:], w)
		if i == k {
			return w, doc.Source.Pos(start+at, start+at+len(w))
		}
		at += len(w)
	}
	return "", doc.Source.Pos(start, start+len(info))
}

// includedLines reads lines= behind include=.
func (doc fenceReader) includedLines(b *Block, f *ast.FencedCodeBlock) {
	third, at := doc.fenceWord(f, 2)
	if strings.HasPrefix(third, "lines=") {
		b.lines = source.Text{Value: third[len("lines="):], Pos: at.Within(len("lines="), len(third))}
	}
}

func (doc fenceReader) yamlBlock(b *Block, f source.Fragment) {
	before := doc.Problems.Len()
	n := source.Parse(f, &doc.Problems)
	cut := slices.ContainsFunc(doc.Problems.All()[before:],
		func(p *source.Problem) bool { return p.Rule == "yaml-syntax" })
	// what can be read of it may lack something that others name
	if n == nil || cut && (b.Is != "experiment" || n.Get("name") == nil) {
		doc.setUnread(b.Is, b.YAML)
	}
	if n == nil {
		return
	}
	d := NewDecoder(&doc.Problems, false)
	if n.Kind != source.List || b.Is == "experiment" {
		doc.yamlItem(d, b, n, b.Place)
		return
	}
	for _, item := range n.Items {
		doc.yamlItem(d, b, item, item.Text.Pos)
	}
}

// yamlItem reads one of the things that a block says.
func (doc fenceReader) yamlItem(d source.Decoder, b *Block, n *source.Node, at source.Pos) {
	if !d.Kind(n, "a block of "+b.Is, source.Map) {
		doc.setUnread(b.Is, b.YAML)
		return
	}
	switch b.Is {
	case "experiment":
		doc.experiment(b, n)
	case "claim":
		decodeInto(d, n, b.Is, &Claim{Pos: at}, &b.Claims, &doc.Claims)
	case "published":
		decodeInto(d, n, b.Is, &Published{Pos: at}, &b.Published, &doc.Published)
	case "table":
		decodeInto(d, n, b.Is, &Table{Pos: at}, &b.Tables, &doc.Tables)
	case "figure":
		decodeInto(d, n, b.Is, &Figure{Pos: at}, &b.Figures, &doc.Figures)
	}
}

// decodeInto reads one thing into the list of its block and that of the document.
func decodeInto[T any](d source.Decoder, n *source.Node, kind string, one *T, block, all *[]*T) {
	d.Decode(n, kind, one)
	*block, *all = append(*block, one), append(*all, one)
}

// experiment reads a block of an experiment.
func (doc fenceReader) experiment(b *Block, n *source.Node) {
	if len(doc.Experiments) == maxExperiments {
		doc.Problems.Add("too-many", b.Place, "more than %d experiments", maxExperiments).
			Hint = "make several articles of it"
	}
	if len(doc.Experiments) >= maxExperiments {
		return
	}
	TemplatesIn(n, &doc.Problems)
	e := DecodeExperiment(n, false, &doc.Problems)
	b.Experiment = &ExperimentBlock{Name: e.Name, Node: n, Pos: b.Place, extent: b.extent, tried: e.Tried}
	doc.Experiments = append(doc.Experiments, b.Experiment)
	for i := range e.Metrics {
		doc.added[e.Metrics[i].Name.Value] = e.Metrics[i].Means()
	}
}

// listing reads a file= listing. The file must lie in the article's folder and must not be there already.
func (doc fenceReader) listing(language string, name source.Text, content []byte) *Listing {
	clean := path.Clean(name.Value)
	hasPath := func(l *Listing) bool { return l.Path == clean }
	switch {
	case !doc.canBeFile(name, clean):
		return nil
	case len(doc.Listings) == maxListings:
		doc.Problems.Add("too-many", name.Pos, "more than %d listings that are files", maxListings).
			Hint = "put files into the article's folder"
		return nil
	case slices.ContainsFunc(doc.Listings, hasPath):
		doc.Problems.Add("duplicate-file", name.Pos, "the file %q is written twice", clean).Hint = "keep one of the listings"
		return nil
	}
	l := &Listing{Language: language, Path: clean, Data: content, Pos: name.Pos}
	doc.Listings = append(doc.Listings, l)
	return l
}

// canBeFile checks the path of a listing.
func (doc fenceReader) canBeFile(name source.Text, clean string) bool {
	switch {
	case name.Value == "":
		doc.Problems.Add("missing-path", name.Pos, "file= has no path").Hint = "write file=server.py"
	case strings.ContainsAny(name.Value, "\"'"):
		hint := "choose a name without spaces, and leave the quotes out"
		if bare := strings.Trim(name.Value, "\"'"); len(bare) == len(name.Value)-2 {
			hint = "write file=" + bare
		}
		doc.Problems.Add("bad-name", name.Pos, "invalid path %q: quotes would be part of it", name.Value).Hint = hint
	case path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../") || strings.Contains(clean, `\`):
		doc.Problems.Add("outside-folder", name.Pos, "%q leaves the article's folder", name.Value).
			Hint = "choose a path below it"
	case doc.IsOurs(clean) || clean == ".":
		doc.Problems.Add("outside-folder", name.Pos, "%q belongs to benchbook", name.Value).Hint = "choose another name"
	default:
		return true
	}
	return false
}

// valueMark begins an inline value.
const valueMark = "{value}"

// inlines replaces inline values, claims and references by nodes of ours.
func (doc *Document) inlines() {
	type swap struct{ from, to ast.Node }
	var swaps []swap
	_ = ast.Walk(doc.Tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.CodeSpan:
			if v := doc.inlineValue(n); v != nil {
				swaps = append(swaps, swap{n, v})
				return ast.WalkSkipChildren, nil
			}
		case *ast.Link:
			resolved := doc.keepResolved(n.Destination)
			at := func(word string) source.Pos {
				if resolved != string(n.Destination) {
					word = string(n.Destination)
				}
				return doc.Destination(n, word)
			}
			if to := doc.linkTo(resolved, at); to != nil {
				swaps = append(swaps, swap{n, to})
			} else {
				doc.emptyLink(n, string(n.Destination))
			}
		case *ast.Image:
			doc.keepResolved(n.Destination)
		case *ast.Text:
			doc.brokenLink(n)
			doc.bareValue(n)
		}
		return ast.WalkContinue, nil
	})
	for _, s := range swaps {
		for child := s.from.FirstChild(); child != nil && s.from.Kind() == ast.KindLink; {
			next := child.NextSibling()
			s.to.AppendChild(s.to, child)
			child = next
		}
		s.from.Parent().ReplaceChild(s.from.Parent(), s.from, s.to)
	}
	doc.topics()
}

// topics gives headings that consist of a topic and the sentence of a claim the ids of their topics, which do not
// change with the verdict.
func (doc *Document) topics() {
	ids := parser.NewContext().IDs()
	_ = ast.Walk(doc.Tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		h, ok := n.(*ast.Heading)
		if !ok || !entering {
			return ast.WalkContinue, nil
		}
		id, _ := h.AttributeString("id")
		if claim := FindingOf(h, doc.Text); claim != nil {
			topic := doc.Text[h.Lines().At(0).Start:claim.PreviousSibling().(*ast.Text).Segment.Stop]
			h.SetAttributeString("id", ids.Generate(topic, h.Kind()))
		} else if id, ok := id.([]byte); ok {
			ids.Put(id)
		}
		return ast.WalkSkipChildren, nil
	})
}

// FindingOf returns the claim whose sentence a heading has that is written "Topic: [](claim:NAME)"; nil for others.
func FindingOf(h *ast.Heading, source []byte) *ClaimLink {
	l, ok := h.LastChild().(*ClaimLink)
	if !ok || l.FirstChild() != nil || h.Lines().Len() == 0 {
		return nil
	}
	before, ok := l.PreviousSibling().(*ast.Text)
	if !ok || !bytes.HasSuffix(bytes.TrimSpace(before.Segment.Value(source)), []byte(":")) {
		return nil
	}
	return l
}

// SentenceOf returns the name of the claim whose sentence a title or caption is.
func SentenceOf(line string) (claim string, ok bool) { return strings.CutPrefix(line, "claim:") }

func (doc *Document) inlineValue(n *ast.CodeSpan) *InlineValue {
	var words strings.Builder
	var segments []text.Segment
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		t, ok := c.(*ast.Text)
		if !ok {
			return nil
		}
		segments = append(segments, t.Segment)
		words.Write(t.Segment.Value(doc.Text))
	}
	rest, ok := strings.CutPrefix(words.String(), valueMark)
	if !ok {
		return nil
	}
	rest = strings.ReplaceAll(rest, "\n", " ")
	space := len(rest) - len(strings.TrimLeft(rest, " \t"))
	rest = strings.TrimRight(rest[space:], " \t")
	v := &InlineValue{Written: inlineText(doc.Source, segments, len(valueMark)+space, rest)}
	doc.read(v, rest)
	return v
}

// read parses what stands after {value}.
func (doc *Document) read(v *InlineValue, words string) {
	inline, err := expr.ParseInline(words)
	if err != nil {
		AddExprError(v.Written, err, &doc.Problems)
	} else {
		v.Inline, v.Valid = inline, true
	}
	doc.Values = append(doc.Values, v)
}

// emptyLink reports a link without words that is not to a table or figure.
func (doc *Document) emptyLink(n *ast.Link, destination string) {
	if n.FirstChild() == nil && strings.HasPrefix(destination, "#") {
		doc.Problems.Add("unknown-label", doc.Destination(n, destination),
			"%q is not the label of a table or figure, and the link has no text", destination[1:]).
			Hint = "labels begin with fig- or tbl-; write words for a link to a heading"
	}
}

// looseValue is what follows the mark of an inline value in running text if it is meant as one: a metric with its
// cells, or a call.
var looseValue = regexp.MustCompile(`^\s*[a-z][a-z\d_.]*[{(]`)

// bareValue reports the mark of an inline value outside of code: without its backticks, or where a pipe that is not
// escaped has cut a table's cell, and so the code, in two.
func (doc *Document) bareValue(n *ast.Text) {
	text := n.Segment.Value(doc.Text)
	i := bytes.Index(text, []byte(valueMark))
	if i < 0 {
		return
	}
	start := n.Segment.Start + i
	at := doc.Source.Pos(start, start+len(valueMark))
	switch {
	case start > 0 && doc.Text[start-1] == '`':
		doc.Problems.Add("bad-expression", at, "the code of this value is not closed in its cell or paragraph").
			Hint = "close it by a backtick; in a table write \\| for the pipe before a filter"
	case looseValue.Match(text[i+len(valueMark):]):
		doc.Problems.Add("bad-expression", at, "an inline value must be in backticks").
			Hint = "write `{value} …`"
	}
}

// brokenLink reports a link to a claim that Markdown does not take for one, because of a space in it.
func (doc *Document) brokenLink(n *ast.Text) {
	const begin = "(claim:"
	i := bytes.Index(n.Segment.Value(doc.Text), []byte(begin))
	if start := n.Segment.Start + i; i >= 0 && start > 0 && doc.Text[start-1] == ']' {
		doc.Problems.Add("unknown-claim", doc.Source.Pos(start, start+len(begin)), "Markdown does not read this as a link").
			Hint = "write [words](claim:NAME), without spaces in the parentheses"
	}
}

// linkTo gives the node that a link to a claim, a table or a figure means; nil for one to elsewhere.
func (doc *Document) linkTo(destination string, at func(word string) source.Pos) ast.Node {
	if name, ok := strings.CutPrefix(destination, "claim:"); ok {
		l := &ClaimLink{Name: source.Text{Value: name, Pos: at(name)}}
		doc.ClaimLinks = append(doc.ClaimLinks, l)
		return l
	}
	if label, ok := strings.CutPrefix(destination, "#"); ok && (strings.HasPrefix(label, "fig-") ||
		strings.HasPrefix(label, "tbl-")) {
		r := &Reference{Label: source.Text{Value: label, Pos: at(label)}}
		doc.References = append(doc.References, r)
		return r
	}
	return nil
}

// Destination finds where a link's destination stands: goldmark keeps the place of the words only.
func (doc *Document) Destination(n ast.Node, want string) source.Pos {
	from := 0
	for c := n; c != nil; c = c.LastChild() {
		if t, ok := c.(*ast.Text); ok {
			from = t.Segment.Stop
		}
	}
	if from == 0 { // no words: begin at the text before
		for p := n; p != nil && from == 0; p = p.Parent() {
			if p.Type() == ast.TypeBlock && p.Lines().Len() > 0 {
				from = p.Lines().At(0).Start
			}
		}
	}
	if i := bytes.Index(doc.Text[from:], []byte(want)); i >= 0 {
		return doc.Source.Pos(from+i, from+i+len(want))
	}
	return doc.Source.Pos(from, from)
}

// isLabel says that s can label a table or figure: behind the prefix it goes on as a name does, or with a digit.
func isLabel(s, prefix string) bool {
	rest, ok := strings.CutPrefix(s, prefix)
	return ok && rest != "" && IsName("x"+rest)
}

const nameHint = `use letters, digits, "-" and "_", and begin with a letter`

// AddBadName reports a text that IsName refuses; what is the kind of thing that it should name.
func AddBadName(p *source.Problems, t source.Text, what string) {
	hint := nameHint
	if len(t.Value) > files.MaxName {
		hint = fmt.Sprintf("choose a name of at most %d bytes", files.MaxName)
	}
	p.Add("bad-name", t.Pos, "%q is not a valid name for %s", t.Value, article(what)).Hint = hint
}

// IsName says that s can name an experiment, a claim, a service or a parameter. Such names become those of files, and
// parts of addresses.
func IsName(s string) bool {
	if len(s) > files.MaxName {
		return false
	}
	for i, r := range s {
		inside := unicode.IsDigit(r) || unicode.IsMark(r) || r == '-' || r == '_' // marks belong to letters in many scripts
		if !unicode.IsLetter(r) && (i == 0 || !inside) {
			return false
		}
	}
	return s != "" && !strings.HasSuffix(s, "-")
}

// AddExprError turns an error of package expr about the text t into a problem at its place.
func AddExprError(t source.Text, err error, problems *source.Problems) {
	e, ok := err.(*expr.Error)
	if !ok {
		problems.Add("bad-expression", t.Pos, "%v", err)
		return
	}
	problems.Add("bad-expression", t.At(e.Span.Start, e.Span.End), "%s", e.Msg).Hint = e.Hint
}
