package article

import (
	"github.com/yuin/goldmark/ast"

	"benchbook/notebook/source"
)

// A ProseLink leads from what the author wrote to anything but its claims, tables and figures.
type ProseLink struct {
	Destination string
	Pos         source.Pos // of the destination
	Picture     bool       // to be shown in its place
}

// Links lists the links and pictures of the prose, and then those of titles, captions and other lines in YAML. Those in
// raw HTML are not among them.
func (doc *Document) Links() []ProseLink {
	var out []ProseLink
	_ = ast.Walk(doc.Tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if l, words, ok := doc.linkOf(n, doc.Text); ok && entering {
			l.Pos = doc.Destination(n, words)
			out = append(out, l)
		}
		return ast.WalkContinue, nil
	})
	return append(out, doc.lineLinks...)
}

// linkOf gives the link or picture that a node is, without its place, and its destination in the words of the author.
func (doc *Document) linkOf(n ast.Node, source []byte) (l ProseLink, words string, ok bool) {
	switch n := n.(type) {
	case *ast.Link:
		return ProseLink{Destination: doc.resolve(n.Destination)}, string(n.Destination), true
	case *ast.Image:
		return ProseLink{Destination: doc.resolve(n.Destination), Picture: true}, string(n.Destination), true
	case *ast.AutoLink:
		if n.AutoLinkType == ast.AutoLinkEmail {
			return l, "", false
		}
		return ProseLink{Destination: string(n.URL(source))}, string(n.Label(source)), true
	}
	return l, "", false
}

// destinationKey identifies a destination by where its bytes are stored: all uses of a link definition share them.
type destinationKey struct {
	first  *byte
	length int
}

// keepResolved resolves a destination once for all uses of its definition, of which there may be many.
func (doc *Document) keepResolved(destination []byte) string {
	resolved := doc.resolve(destination)
	if len(destination) > 0 {
		doc.resolved[destinationKey{&destination[0], len(destination)}] = resolved
	}
	return resolved
}

// resolve is markdown.Resolve for a destination that keepResolved may have met.
func (doc *Document) resolve(destination []byte) string {
	if len(destination) > 0 {
		if resolved, ok := doc.resolved[destinationKey{&destination[0], len(destination)}]; ok {
			return resolved
		}
	}
	return Resolve(destination)
}
