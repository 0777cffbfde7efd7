package article

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"

	"benchbook/notebook/source"
)

// Block replaces the fence of a benchbook block, or of a listing with file= or include=, in the tree.
type Block struct {
	ast.BaseBlock
	Is         string // experiment, claim, published, table, figure, file, include
	Claims     []*Claim
	Published  []*Published
	Tables     []*Table
	Figures    []*Figure
	Experiment *ExperimentBlock // of an experiment block that could be decoded
	Listing    *Listing         // the text of the fence
	Opened     bool             // the page shows the listing expanded
	Place      source.Pos       // of the fence's first line
}

// KindBlock is the kind of a Block.
var KindBlock = ast.NewNodeKind("BenchbookBlock")

func (*Block) Kind() ast.NodeKind              { return KindBlock }
func (b *Block) Dump(source []byte, level int) { ast.DumpHelper(b, source, level, nil, nil) }

// Listing is code in an article that is also a file, or is read from one.
type Listing struct {
	Language string
	Path     string // of file= or include=, relative to the article's folder
	Data     []byte
	Pos      source.Pos      // of the path
	Lines    []source.Pos    // with file=: place of each line of Data
	Fragment source.Fragment // with file=: Data with its places in the article

	extent source.Pos // with file=: the fence and all lines, without the closing fence
}

// blockKinds are the kinds of benchbook blocks: the second words of their yaml fences.
var blockKinds = []string{"experiment", "published", "claim", "table", "figure"}

// blocks replaces fences by Blocks, and reads the files that they name.
func (doc *Document) blocks() {
	for _, f := range nodesOf[*ast.FencedCodeBlock](doc.Tree) {
		if b := doc.block(f); b != nil {
			f.Parent().ReplaceChild(f.Parent(), f, b)
			doc.placeInPart(ConditionalPartOf(b), b)
		}
	}
	for _, b := range nodesOf[*Block](doc.Tree) {
		if b.Is == "include" {
			doc.include(b)
		}
	}
	for _, b := range doc.Published {
		doc.published(b)
	}
}

// block decodes a fence; nil for an ordinary listing, and after a problem.
func (doc *Document) block(f *ast.FencedCodeBlock) *Block {
	fence := doc.fenceAt(f.Pos())
	if doc.unclosed(f, fence) {
		doc.setUnread(doc.Text, blockKinds...) // the fence may have swallowed a block
		return nil
	}
	fields := strings.Fields(fence.words.Value)
	if len(fields) == 0 || len(fields) == 1 && !slices.Contains(blockKinds, fields[0]) {
		return nil
	}
	l := &Listing{Language: fields[0], extent: fence.words.Pos}
	b := &Block{Place: fence.words.Pos, Listing: l, Opened: slices.Contains(fields, "open")}
	var pieces []source.Piece
	for _, line := range f.Lines().Sliced(0, f.Lines().Len()) {
		text := line.Value(doc.Text)
		pieces = append(pieces, source.Piece{Text: string(text), Start: line.Start, Padding: line.Padding})
		l.Data, l.extent.End = append(l.Data, text...), line.Stop
		l.Lines = append(l.Lines, doc.Source.Pos(line.Start, line.Stop))
	}
	l.Fragment = source.Join(doc.Source, pieces, b.Place)
	second := fence.word(fields[min(1, len(fields)-1)])
	switch kind := strings.ToLower(second.Value); {
	case l.Language == "yaml" && slices.Contains(blockKinds, second.Value):
		b.Is = second.Value
		doc.yamlBlock(b)
		return b
	case l.Language == "yaml" && !strings.Contains(kind, "="):
		doc.Problems.Add("unknown-block", second.Pos, "unknown block kind %q", second.Value).
			Hint = source.Suggest(second.Value, blockKinds) + "; leave the word out for an ordinary listing"
		doc.setUnread(l.Data, blockKinds...)
	case slices.Contains(blockKinds, kind):
		doc.Problems.Add("unknown-block", b.Place, "a block of %s begins with yaml", kind).
			Hint = "write ```yaml " + kind + " for a block of benchbook"
		doc.setUnread(l.Data, kind)
	case strings.HasPrefix(second.Value, "file="):
		if b.Is = "file"; doc.addListing(l, second.Part(len("file="), len(second.Value))) {
			return b
		}
	case strings.HasPrefix(second.Value, "include="):
		name := second.Part(len("include="), len(second.Value))
		b.Is, l.Path, l.Pos = "include", name.Value, name.Pos
		return b
	}
	return nil
}

// A fence is the first line of a block of code: backticks or tildes, then words.
type fence struct {
	mark  string // empty without a fence
	at    int    // offset of the mark
	words source.Text
}

// fenceLine matches the line of a fence, with spaces and quotation marks (>) before it.
var fenceLine = regexp.MustCompile("^[ \\t>]*(`{3,}|~{3,})[ \\t]*([^`\\n]*?)[ \\t\\r]*(?:\\n|$)")

// fenceAt parses the fence at an offset.
func (doc *Document) fenceAt(at int) fence {
	m := fenceLine.FindSubmatchIndex(doc.Text[at:])
	if m == nil {
		return fence{}
	}
	words := doc.Source.Pos(at+m[4], at+m[5])
	return fence{string(doc.Text[at+m[2] : at+m[3]]), at + m[2],
		source.Text{Value: string(doc.Text[words.Start:words.End]), Pos: words}}
}

func (f fence) word(word string) source.Text {
	i := max(strings.Index(f.words.Value, " "+word)+1, strings.Index(f.words.Value, "\t"+word)+1)
	return f.words.Part(i, i+len(word))
}

func (f fence) isOurs() bool {
	fields := strings.Fields(f.words.Value)
	return len(fields) > 1 && (fields[0] == "yaml" || strings.HasPrefix(fields[1], "file=") ||
		strings.HasPrefix(fields[1], "include="))
}

// unclosed reports a fence that contains another one, or never ends, and returns whether it did.
func (doc *Document) unclosed(f *ast.FencedCodeBlock, first fence) bool {
	end := first.words.Pos.End
	for _, line := range f.Lines().Sliced(0, f.Lines().Len()) {
		end = line.Stop
		inner := doc.fenceAt(line.Start)
		if inner.at-line.Start > 3 || !strings.HasPrefix(inner.mark, first.mark) ||
			!inner.isOurs() && (inner.words.Value == "" || !first.isOurs()) {
			continue
		}
		begun, _ := doc.Source.Position(first.at)
		doc.Problems.Add("unclosed-fence", doc.Source.Pos(inner.at, inner.words.Pos.End),
			"this fence begins inside the one of line %d, which is not closed", begun).
			Hint = "write a line " + first.mark + " below the last line of that one"
		return true
	}
	if end < len(doc.Text) && doc.Text[end-1] != '\n' { // without lines, skip the line of the fence
		end += bytes.IndexByte(doc.Text[end:], '\n') + 1
	}
	closing := doc.fenceAt(min(end, len(doc.Text)))
	if !first.isOurs() || strings.HasPrefix(closing.mark, first.mark) && closing.words.Value == "" {
		return false
	}
	at := doc.Source.Pos(first.at, first.words.Pos.End)
	doc.Problems.Add("unclosed-fence", at, "this fence is never closed").
		Hint = "write a line " + first.mark + " below its last line"
	return true
}

// setUnread notes that text may contain blocks of some kinds that could not be read.
func (doc *Document) setUnread(text []byte, kinds ...string) {
	for _, kind := range kinds {
		doc.unread[kind] = append(doc.unread[kind], string(text))
	}
}

// Unread reports whether some block of a kind, such as "published", could not be read.
func (doc *Document) Unread(kind string) bool { return len(doc.unread[kind]) > 0 }

// MayBeUnread reports whether a block with this name and one of the kinds may be among those that could not be read.
func (doc *Document) MayBeUnread(name string, kinds ...string) bool {
	hasName := func(text string) bool { return strings.Contains(text, name) }
	return slices.ContainsFunc(kinds, func(kind string) bool { return slices.ContainsFunc(doc.unread[kind], hasName) })
}

// yamlBlock decodes a benchbook block: one item, or a list of them.
func (doc *Document) yamlBlock(b *Block) {
	n := source.Parse(b.Listing.Fragment, &doc.Problems)
	switch {
	case n == nil:
		doc.setUnread(b.Listing.Data, b.Is)
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
		doc.setUnread(b.Listing.Data, b.Is)
		return
	}
	var name source.Text
	switch b.Is {
	case "experiment":
		name = doc.experiment(b, n)
	case "claim":
		one := decodeInto(d, n, b.Is, &Claim{Pos: at}, &b.Claims, &doc.Claims)
		name = one.Name
	case "published":
		one := decodeInto(d, n, "published block", &Published{Pos: at}, &b.Published, &doc.Published)
		one.isUnread = d.Tried[n].Has("rows", "file")
		name = one.Source
	case "table":
		one := decodeInto(d, n, b.Is, &Table{Pos: at}, &b.Tables, &doc.Tables)
		name = one.Label
	case "figure":
		one := decodeInto(d, n, b.Is, &Figure{Pos: at}, &b.Figures, &doc.Figures)
		name = one.Label
	}
	if name.Value == "" {
		doc.setUnread(b.Listing.Data, b.Is) // its name may be misspelt
	}
}

// decodeInto decodes one item, and appends it to the lists of its block and of the document.
func decodeInto[T any](d source.Decoder, n *source.Node, kind string, one *T, block, all *[]*T) *T {
	d.Decode(n, kind, one)
	*block, *all = append(*block, one), append(*all, one)
	return one
}

// experiment decodes an experiment and returns its name.
func (doc *Document) experiment(b *Block, n *source.Node) source.Text {
	if len(doc.Experiments) == maxExperiments {
		doc.Problems.Add("too-many", b.Place, "more than %d experiments", maxExperiments).
			Hint = "make several articles of it"
		return source.Text{}
	}
	checkTemplates(n, &doc.Problems)
	checkDependencies(n, &doc.Problems)
	e := DecodeExperiment(n, false, &doc.Problems)
	b.Experiment = &ExperimentBlock{Name: e.Name, Node: n, Pos: b.Place, extent: b.Listing.extent}
	doc.Experiments = append(doc.Experiments, b.Experiment)
	if e.Name.Value == "" && !e.HasTried(n, "name") {
		doc.Problems.Add("missing-key", b.Place, "the experiment has no name").Hint = "add name: with a word of your choice"
	}
	for i := range e.Metrics {
		doc.added[e.Metrics[i].Name.Value] = e.Metrics[i].Means()
	}
	return e.Name
}

// checkDependencies reports null in depends_on where nothing is inherited that it could remove.
func checkDependencies(experiment *source.Node, problems *source.Problems) {
	if experiment.Get("extends") != nil || experiment.Get("compose") != nil {
		return
	}
	for _, s := range experiment.Get("services").All() {
		for _, f := range s.Value.Get("depends_on").All() {
			if f.Value.Kind == source.Null {
				problems.Add("missing-key", f.Key.Pos, "the dependency %q has no condition", f.Key.Value).
					Hint = "add condition: service_healthy below it, or write depends_on as a list of names"
			}
		}
	}
}

// addListing adds a file= listing. It returns false if its path is not valid for a file of the article.
func (doc *Document) addListing(l *Listing, name source.Text) bool {
	clean, ok := CleanPath(name, &doc.Problems)
	isSame := func(l *Listing) bool { return l.Path == clean }
	switch {
	case !ok:
		return false
	case clean == "." || doc.IsOurs(clean):
		doc.Problems.Add("outside-folder", name.Pos, "%q belongs to benchbook", name.Value).Hint = "choose another name"
		return false
	case len(doc.Listings) == maxListings:
		doc.Problems.Add("too-many", name.Pos, "more than %d listings that are files", maxListings).
			Hint = "put files into the article's folder"
		return false
	case slices.ContainsFunc(doc.Listings, isSame):
		doc.Problems.Add("duplicate-file", name.Pos, "the file %q is written twice", clean).Hint = "keep one of the listings"
		return false
	}
	l.Path, l.Pos = clean, name.Pos
	doc.Listings = append(doc.Listings, l)
	return true
}

// include reads the file of an include= listing. All file= listings must be known.
func (doc *Document) include(b *Block) {
	l := b.Listing
	if len(l.Data) > 0 {
		doc.Problems.Add("include-not-empty", b.Place, "a listing of a file cannot contain lines of its own").
			Hint = "remove them, or write file= to make a file of them"
	}
	if f, ok := doc.File(source.Text{Value: l.Path, Pos: l.Pos}, &doc.Problems); ok {
		l.Path, l.Data = f.Path, f.Data
	}
}
