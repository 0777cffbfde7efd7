package article

import (
	"html"
	"regexp"
	"strings"
)

// meansCharacter is a backslash before punctuation, or a reference to a character: what stands for one character in Markdown.
var meansCharacter = regexp.MustCompile("\\\\[!-/:-@\\[-`{-~]|&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]*);")

// Resolve is a destination, a title or a piece of text as Markdown means it: with the characters that escapes and references stand for.
// The library leaves them in its tree as they were written.
//
// Source: CommonMark 0.31, sections 2.4 and 2.5.
func Resolve(written []byte) string {
	return meansCharacter.ReplaceAllStringFunc(string(written), func(s string) string {
		if s[0] == '\\' {
			return s[1:]
		}
		c := html.UnescapeString(s)
		if strings.HasSuffix(c, ";") && s != "&semi;" {
			return s // there is no such name, or it only begins with one
		}
		return strings.ReplaceAll(c, "\x00", "\uFFFD")
	})
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

// resolve is Resolve for a destination that keepResolved may have met.
func (doc *Document) resolve(destination []byte) string {
	if len(destination) > 0 {
		if resolved, ok := doc.resolved[destinationKey{&destination[0], len(destination)}]; ok {
			return resolved
		}
	}
	return Resolve(destination)
}
