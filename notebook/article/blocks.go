package article

import (
	"bytes"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"

	"benchbook/internal/slice"
	"benchbook/notebook/source"
)

// Block is the node of a fence with a block of ours, a file or a part of a file. It replaces the fence in the tree.
type Block struct {
	ast.BaseBlock
	Is         string // experiment, claim, published, table, figure, file, include
	Claims     []*Claim
	Published  []*Published
	Tables     []*Table
	Figures    []*Figure
	Experiment *ExperimentBlock // of an experiment block that could be read
	Listing    *Listing         // of a file or include
	YAML       []byte           // the text of a block of ours
	Opened     bool             // the page shows the listing at once, instead of a line that opens
	Place      source.Pos       // of the fence's first line

	language string
	content  []byte
	lines    []source.Pos // of content
	fragment source.Fragment
	extent   source.Pos // of all of it, without the closing fence
}

// KindBlock is the kind of a Block.
var KindBlock = ast.NewNodeKind("BenchbookBlock")

func (*Block) Kind() ast.NodeKind              { return KindBlock }
func (b *Block) Dump(source []byte, level int) { ast.DumpHelper(b, source, level, nil, nil) }

// Listing is code in an article that is also a file, or that is read from one.
type Listing struct {
	Language string
	Path     string // of file= or include=, relative to the article's folder
	Data     []byte
	Lines    []source.Pos // of file=: of each line of Data
	Pos      source.Pos   // of the fence's first line

	fragment source.Fragment // of file=
	extent   source.Pos      // of file=: of the fence and all of its lines
}

// Fragment is the text of the listing with its places in the article.
func (l *Listing) Fragment() source.Fragment { return l.fragment }

// blockKinds are the second words of yaml fences that are blocks of ours.
var blockKinds = []string{"experiment", "published", "claim", "table", "figure"}

// blocks replaces the fences of blocks and files by nodes of ours, and reads the files that they name.
func (doc *Document) blocks() {
	var includes []*Block
	for _, f := range nodesOf[*ast.FencedCodeBlock](doc.Tree) {
		b := doc.block(f)
		if b == nil {
			continue
		}
		f.Parent().ReplaceChild(f.Parent(), f, b)
		doc.placeInPart(ConditionalPartOf(b), b)
		if b.Is == "include" {
			includes = append(includes, b)
		}
	}
	for _, b := range includes {
		doc.include(b)
	}
	for _, b := range doc.Published {
		doc.published(b)
	}
}

// block reads a fence; nil for an ordinary listing, and for a fence that cannot be read.
func (doc *Document) block(f *ast.FencedCodeBlock) *Block {
	fence := doc.fenceAt(f.Pos())
	if doc.unclosed(f, fence) {
		doc.setUnread(doc.Text, blockKinds...) // a block may be in the text that it has swallowed
		return nil
	}
	fields := strings.Fields(fence.words)
	if len(fields) == 0 || len(fields) == 1 && !slices.Contains(blockKinds, fields[0]) {
		return nil
	}
	b := &Block{Place: fence.wordsPos(doc.Source, 0, len(fence.words)), language: fields[0],
		Opened: slices.Contains(fields, "open")}
	b.extent = b.Place
	var pieces []source.Piece
	for _, line := range f.Lines().Sliced(0, f.Lines().Len()) {
		text := line.Value(doc.Text)
		pieces = append(pieces, source.Piece{Text: string(text), Start: line.Start, Padding: line.Padding})
		b.content, b.extent.End = append(b.content, text...), line.Stop
		b.lines = append(b.lines, doc.Source.Pos(line.Start, line.Stop))
	}
	b.fragment = source.Join(doc.Source, pieces, b.Place)
	second := doc.word(fence, fields[min(1, len(fields)-1)])
	switch kind := strings.ToLower(second.Value); {
	case b.language == "yaml" && slices.Contains(blockKinds, second.Value):
		b.Is, b.YAML = second.Value, b.content
		doc.yamlBlock(b)
		return b
	case b.language == "yaml" && !strings.Contains(kind, "="):
		doc.Problems.Add("unknown-block", second.Pos, "unknown block kind %q", second.Value).
			Hint = source.Suggest(second.Value, blockKinds) + "; leave the word out for an ordinary listing"
		doc.setUnread(b.content, blockKinds...)
	case slices.Contains(blockKinds, kind):
		doc.Problems.Add("unknown-block", b.Place, "a block of %s begins with yaml", kind).
			Hint = "write ```yaml " + kind + " for a block of benchbook"
		doc.setUnread(b.content, kind)
	case strings.HasPrefix(second.Value, "file="):
		return doc.fileBlock(b, second)
	case strings.HasPrefix(second.Value, "include="):
		return doc.includeBlock(b, second)
	}
	return nil
}

// fileBlock makes a block of a listing that is a file; nil if it cannot be one.
func (doc *Document) fileBlock(b *Block, word source.Text) *Block {
	b.Is, b.Listing = "file", doc.listing(b, word.Part(len("file="), len(word.Value)))
	if b.Listing == nil {
		return nil
	}
	return b
}

// includeBlock makes a block of a listing that is read from a file, when all files are known.
func (doc *Document) includeBlock(b *Block, word source.Text) *Block {
	name := word.Part(len("include="), len(word.Value))
	b.Is, b.Listing = "include", &Listing{Language: b.language, Path: name.Value, Pos: name.Pos}
	if len(b.content) > 0 {
		doc.Problems.Add("include-not-empty", b.Place, "a listing of a file cannot contain lines of its own").
			Hint = "remove them, or write file= to make a file of them"
	}
	return b
}

// A fence is the line that begins a block of code: backticks or tildes, and words.
type fence struct {
	mark  string // empty without a fence
	at    int    // offset of the mark
	words string
	after int // offset of the words
}

// fenceAt reads the fence that begins at an offset, after spaces and the marks of quotations.
func (doc *Document) fenceAt(at int) fence {
	for at < len(doc.Text) && strings.IndexByte(" \t>", doc.Text[at]) >= 0 {
		at++
	}
	line, _, _ := bytes.Cut(doc.Text[at:], []byte("\n"))
	rest := strings.TrimRight(string(line), " \t\r")
	words := rest
	if rest != "" && (rest[0] == '`' || rest[0] == '~') {
		words = strings.TrimLeft(rest, rest[:1])
	}
	mark := rest[:len(rest)-len(words)]
	if len(mark) < 3 || strings.Contains(words, "`") {
		return fence{}
	}
	words = strings.TrimLeft(words, " \t")
	return fence{mark, at, words, at + len(rest) - len(words)}
}

// wordsPos is the place of the bytes [start, end) of a fence's words.
func (f fence) wordsPos(s *source.Source, start, end int) source.Pos {
	return s.Pos(f.after+start, f.after+end)
}

func (doc *Document) word(f fence, word string) source.Text {
	i := max(strings.Index(f.words, " "+word)+1, strings.Index(f.words, "\t"+word)+1)
	return source.Text{Value: word, Pos: f.wordsPos(doc.Source, i, i+len(word))}
}

func (f fence) isOurs() bool {
	fields := strings.Fields(f.words)
	return len(fields) > 1 && (fields[0] == "yaml" || strings.HasPrefix(fields[1], "file=") ||
		strings.HasPrefix(fields[1], "include="))
}

// unclosed adds the problem of a fence that has swallowed another one, or all of the rest.
func (doc *Document) unclosed(f *ast.FencedCodeBlock, first fence) bool {
	end := first.after + len(first.words)
	for _, line := range f.Lines().Sliced(0, f.Lines().Len()) {
		end = line.Stop
		inner := doc.fenceAt(line.Start)
		if inner.at-line.Start > 3 || !strings.HasPrefix(inner.mark, first.mark) ||
			!inner.isOurs() && (inner.words == "" || !first.isOurs()) {
			continue
		}
		begun, _ := doc.Source.Position(first.at)
		doc.Problems.Add("unclosed-fence", doc.Source.Pos(inner.at, inner.after+len(inner.words)),
			"this fence begins inside the one of line %d, which is not closed", begun).
			Hint = "write a line " + first.mark + " below the last line of that one"
		return true
	}
	if end < len(doc.Text) && doc.Text[end-1] != '\n' { // without lines, the end of the first one
		end += bytes.IndexByte(doc.Text[end:], '\n') + 1
	}
	closing := doc.fenceAt(min(end, len(doc.Text)))
	if !first.isOurs() || strings.HasPrefix(closing.mark, first.mark) && closing.words == "" {
		return false
	}
	at := doc.Source.Pos(first.at, first.after+len(first.words))
	doc.Problems.Add("unclosed-fence", at, "this fence is never closed").
		Hint = "write a line " + first.mark + " below its last line"
	return true
}

// setUnread notes that blocks of some kinds with this text could not be read.
func (doc *Document) setUnread(text []byte, kinds ...string) {
	for _, kind := range kinds {
		doc.unread[kind] += string(text) + "\n"
	}
}

// Unread reports whether blocks of a kind, such as "published", could not all be read.
func (doc *Document) Unread(kind string) bool { return doc.unread[kind] != "" }

// MayBeUnread reports whether a block of a kind that could not be read may have a name.
func (doc *Document) MayBeUnread(name string, kinds ...string) bool {
	return slices.ContainsFunc(kinds, func(kind string) bool { return strings.Contains(doc.unread[kind], name) })
}

// yamlBlock reads a block of ours: one item, or a list of them.
func (doc *Document) yamlBlock(b *Block) {
	n := source.Parse(b.fragment, &doc.Problems)
	switch {
	case n == nil:
		doc.setUnread(b.YAML, b.Is)
	case n.Kind == source.List && b.Is != "experiment":
		for _, item := range n.Items {
			doc.yamlItem(b, item, item.Text.Pos)
		}
	default:
		doc.yamlItem(b, n, b.Place)
	}
}

func (doc *Document) yamlItem(b *Block, n *source.Node, at source.Pos) {
	d := NewDecoder(&doc.Problems, false)
	if !d.Kind(n, "block of "+b.Is, source.Map) {
		doc.setUnread(b.YAML, b.Is)
		return
	}
	var name source.Text
	switch b.Is {
	case "experiment":
		doc.experiment(b, n)
		return
	case "claim":
		one := decodeInto(d, n, b.Is, &Claim{Pos: at}, &b.Claims, &doc.Claims)
		name = one.Name
	case "published":
		one := decodeInto(d, n, "published block", &Published{Pos: at}, &b.Published, &doc.Published)
		name = one.Source
	case "table":
		one := decodeInto(d, n, b.Is, &Table{Pos: at}, &b.Tables, &doc.Tables)
		name = one.Label
	case "figure":
		one := decodeInto(d, n, b.Is, &Figure{Pos: at}, &b.Figures, &doc.Figures)
		name = one.Label
	}
	if name.Value == "" {
		doc.setUnread(b.YAML, b.Is) // its name may be misspelt
	}
}

// decodeInto reads one item into the list of its block and the list of the document.
func decodeInto[T any](d source.Decoder, n *source.Node, kind string, one *T, block, all *[]*T) *T {
	d.Decode(n, kind, one)
	*block, *all = append(*block, one), append(*all, one)
	return one
}

func (doc *Document) experiment(b *Block, n *source.Node) {
	if len(doc.Experiments) == maxExperiments {
		doc.Problems.Add("too-many", b.Place, "more than %d experiments", maxExperiments).
			Hint = "make several articles of it"
		return
	}
	TemplatesIn(n, &doc.Problems)
	e := DecodeExperiment(n, false, &doc.Problems)
	b.Experiment = &ExperimentBlock{Name: e.Name, Node: n, Pos: b.Place, extent: b.extent, tried: e.tried[n]}
	doc.Experiments = append(doc.Experiments, b.Experiment)
	if e.Name.Value == "" {
		doc.setUnread(b.YAML, b.Is)
	}
	for i := range e.Metrics {
		doc.added[e.Metrics[i].Name.Value] = e.Metrics[i].Means()
	}
}

// listing reads a file= listing; nil if its path cannot be the path of a file of the article.
func (doc *Document) listing(b *Block, name source.Text) *Listing {
	clean, ok := CleanPath(name, &doc.Problems)
	_, twice := slice.Find(doc.Listings, func(l *Listing) bool { return l.Path == clean })
	switch {
	case !ok:
		return nil
	case clean == "." || doc.IsOurs(clean):
		doc.Problems.Add("outside-folder", name.Pos, "%q belongs to benchbook", name.Value).Hint = "choose another name"
		return nil
	case len(doc.Listings) == maxListings:
		doc.Problems.Add("too-many", name.Pos, "more than %d listings that are files", maxListings).
			Hint = "put files into the article's folder"
		return nil
	case twice:
		doc.Problems.Add("duplicate-file", name.Pos, "the file %q is written twice", clean).Hint = "keep one of the listings"
		return nil
	}
	l := &Listing{Language: b.language, Path: clean, Data: b.content, Lines: b.lines, Pos: name.Pos,
		fragment: b.fragment, extent: b.extent}
	doc.Listings = append(doc.Listings, l)
	return l
}

func (doc *Document) include(b *Block) {
	if f, ok := doc.File(source.Text{Value: b.Listing.Path, Pos: b.Listing.Pos}, &doc.Problems); ok {
		b.Listing.Path, b.Listing.Data = f.Path, f.Data
	}
}
